// SPDX-License-Identifier: Apache-2.0
import Flow
import TestSupport
import Testing
import Video

struct CodecMotionTests {
  @Test(arguments: [(16, 16), (8, 8), (16, 8), (8, 16), (4, 4), (4, 8)])
  func aBlockCoversItsPixelsAndNoOther(size: (Int, Int)) throws {
    let block = vector(UInt8(size.0), UInt8(size.1), x: 24, y: 16, dx: -3, dy: 1.25)
    let motion = try CodecMotion().motion(
      from: frame(1, .predicted, vectors: [block]), to: frame(0, .intra))
    for y in 0..<32 {
      for x in 0..<48 {
        // Half open, in doubled coordinates so that nothing is rounded.
        let inside =
          2 * x >= 48 - size.0 && 2 * x < 48 + size.0
          && 2 * y >= 32 - size.1 && 2 * y < 32 + size.1
        #expect(motion.isKnown(x: x, y: y) == inside)
        if inside { #expect(motion[x: x, y: y] == (-3, 1.25)) }
      }
    }
  }

  @Test func rasterisingMatchesALoopOverPixels() throws {
    var generator = Draws(seed: 5)
    let vectors = (0..<60).map { _ in
      let (width, height) =
        [(16, 16), (8, 8), (16, 8), (8, 16), (4, 4)].randomElement(
          using: &generator) ?? (8, 8)
      return vector(
        UInt8(width), UInt8(height), x: .random(in: -20...70, using: &generator),
        y: .random(in: -20...50, using: &generator), dx: .random(in: -20...20, using: &generator),
        dy: .random(in: -20...20, using: &generator),
        source: Bool.random(using: &generator) ? -1 : 1)
    }
    let found = try CodecMotion().motion(
      from: frame(1, .bidirectional, vectors: vectors, width: 47, height: 31),
      to: frame(0, .intra, width: 47, height: 31))
    for y in 0..<31 {
      for x in 0..<47 {
        let covering = vectors.last {
          $0.source < 0 && abs(2 * (x - Int($0.x)) + 1) < Int($0.width)
            && abs(2 * (y - Int($0.y)) + 1) < Int($0.height)
        }
        #expect(found.isKnown(x: x, y: y) == (covering != nil))
        if let covering { #expect(found[x: x, y: y] == covering.displacement) }
      }
    }
  }

  @Test func anIntraPictureIsUnknown() throws {
    for vectors in [nil, []] as [[MotionVector]?] {
      let motion = try CodecMotion().motion(
        from: frame(1, .intra, vectors: vectors), to: frame(0, .intra))
      #expect(motion.validFraction == 0)
    }
  }

  @Test func blocksFromTheOtherSideAreHoles() throws {
    let vectors = [
      vector(16, 16, x: 8, y: 8, dx: 1, dy: 2),
      vector(16, 16, x: 24, y: 8, dx: 5, dy: 6, source: 1),
    ]
    let current = frame(1, .bidirectional, vectors: vectors)
    let back = try CodecMotion().motion(from: current, to: frame(0, .intra))
    #expect(back.isKnown(x: 0, y: 0) && !back.isKnown(x: 16, y: 0))
    let ahead = try CodecMotion().motion(from: current, to: frame(2, .predicted))
    #expect(!ahead.isKnown(x: 0, y: 0) && ahead[x: 16, y: 0] == (5, 6))
  }

  @Test func aFrameWithoutVectorsIsRefused() throws {
    let error = try #require(throws: FlowError.self) {
      try CodecMotion().motion(from: frame(1, .predicted), to: frame(0, .intra))
    }
    #expect(error.code == .noMotionVectors && error.message.contains("frame 1"))
  }

  @Test func damagedVectorsDoNoHarm() throws {
    let wild = MotionVector(
      source: -1, width: 255, height: 255, sourceX: .max, sourceY: .min, x: .max, y: .min,
      motionX: .max, motionY: .min, scale: 0)
    let motion = try CodecMotion().motion(
      from: frame(1, .predicted, vectors: [wild]), to: frame(0, .intra))
    #expect(motion.validFraction == 0)
  }
}
