// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Frames
import Specification
import Synthesis
import Tensors
import TestSupport
import Testing
import Training
import Video

/// Says that everything moved two cells to the left.
private struct ShiftFlow: FlowEstimator {
  func motion(from frame: Frame, to reference: Frame) throws -> MotionField {
    let size = frame.pixels.size
    return MotionField(
      width: size.width, height: size.height,
      displacements: (0..<2 * size.width * size.height).map { $0 % 2 == 0 ? 2 : 0 })
  }
}

/// One grey picture again and again.
private struct Standing: LabelledClip {
  let name = "standing"
  let classes = ClassList.camVid
  let count = 3
  func frame(at index: Int) -> Frame {
    Frame(
      index: index, time: Double(index),
      pixels: Image(width: 32, height: 24, channels: 3, repeating: 90))
  }
  func labels(at _: Int) -> Image? { nil }
}

struct LearnedPairsTests {
  private let streets = StreetClip(
    seed: 3, count: 8, size: PixelSize(width: 64, height: 48), threads: 1)

  private func pairs(
    _ sources: [PairSource], _ degradation: Degradation = Degradation()
  ) throws -> [MotionPair] {
    let pairs = LearnedPairs(sources, along: ShiftFlow(), degradation: degradation)
    var random = RandomStream(seed: 9)
    return try (0..<6).map { _ in try pairs.draw(from: &random) }
  }

  @Test func whatWasFilmedMovesAsTheFlowSays() throws {
    let filmed = PairSource(ClipPairs(streets, gaps: 1...2), count: 3)
    for pair in try pairs([filmed]) {
      #expect(pair.motion.known == nil)
      #expect(pair.motion.displacements[0] == 2 && pair.motion.displacements[1] == 0)
    }
  }

  @Test func motionThatIsKnownStays() throws {
    let source = StreetPairs(seed: 4, size: PixelSize(width: 64, height: 48))
    let exact = try (0..<2).map { try source.pair($0) }
    for pair in try pairs([PairSource(source, count: 2)]) {
      #expect(exact.contains { $0.motion.displacements == pair.motion.displacements })
      #expect(exact.contains { $0.current.bytes == pair.current.bytes })
    }
  }

  @Test func framesAreDegradedEachByItself() throws {
    let still = PairSource(ClipPairs(Standing(), gaps: 1...1), count: 1)
    let clean = try #require(pairs([still]).first)
    #expect(clean.current.bytes == clean.reference.bytes)
    let noisy = try #require(pairs([still], Degradation(noise: 8)).first)
    #expect(noisy.current.bytes != noisy.reference.bytes)
    #expect(noisy.current.bytes != clean.current.bytes)
  }
}
