// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Flow
import TestSupport
import Testing
import Video

struct DISFlowTests {
  @Test(arguments: DISFlow.Preset.allCases)
  func inverseSearchKeepsTheLaws(preset: DISFlow.Preset) throws {
    #expect(try brokenLaws(of: .dis(preset, threads: 2)) == [])
  }

  @Test(arguments: DISFlow.Preset.allCases)
  func equalFramesHaveNoMotionAtAnySize(preset: DISFlow.Preset) throws {
    let estimator = DISFlow(preset: preset, threads: 2)
    for size in sizes {
      let (one, same) = (
        movedPicture(index: 0, by: (0, 0), size: size),
        movedPicture(index: 1, by: (0, 0), size: size)
      )
      let motion = try estimator.motion(from: one, to: same)
      #expect((motion.width, motion.height) == size)
      #expect(motion.displacements.allSatisfy { $0 == 0 }, "\(size)")
    }
  }

  @Test(arguments: DISFlow.Preset.allCases)
  func framesOfEverySizeHaveMotion(preset: DISFlow.Preset) throws {
    let estimator = DISFlow(preset: preset, threads: 3)
    for size in sizes {
      let motion = try estimator.motion(
        from: movedPicture(index: 1, by: (2.5, -1), size: size),
        to: movedPicture(index: 0, by: (0, 0), size: size))
      #expect((motion.width, motion.height) == size)
      #expect(motion.displacements.allSatisfy { $0.isFinite }, "\(size)")
    }
  }

  @Test(arguments: DISFlow.Preset.allCases)
  func theFieldIsTheSameForAnyNumberOfThreads(preset: DISFlow.Preset) throws {
    for size in [(640, 480), (333, 1017), (801, 203)] {
      let current = movedPicture(index: 1, by: (5.25, -3.5), size: size)
      let reference = movedPicture(index: 0, by: (0, 0), size: size)
      let alone = try DISFlow(preset: preset).motion(from: current, to: reference)
      for threads in [2, 3, 7, 16] {
        let shared = DISFlow(preset: preset, threads: threads)
        let motion = try shared.motion(from: current, to: reference)
        #expect(motion == alone, "\(size), \(threads) threads")
      }
    }
  }

  @Test(arguments: DISFlow.Preset.allCases)
  func aFractionOfAPixelIsNotDrawnToWholePixels(preset: DISFlow.Preset) throws {
    let reference = movedPicture(index: 0, by: (0, 0), size: (256, 192))
    let estimator = DISFlow(preset: preset)
    for dx in [Float(1), 1.5, 2.25, 3] {
      let current = movedPicture(index: 1, by: (dx, -dx / 2), size: (256, 192))
      let motion = try estimator.motion(from: current, to: reference)
      let mean = motion.meanOfInnerHalf
      #expect(abs(mean.dx - dx) < 0.2 && abs(mean.dy + dx / 2) < 0.2, "\(dx): \(mean)")
    }
  }

  @Test func noiseFarApartStaysWithinReason() throws {
    var generator = Draws(seed: 7)
    let frames = (0..<2).map { index in
      Frame(
        index: index, time: 0,
        pixels: Image(width: 97, height: 61, channels: 3) { bytes in
          for at in bytes.indices { bytes[at] = UInt8.random(in: 0...255, using: &generator) }
        })
    }
    for preset in DISFlow.Preset.allCases {
      let motion = try DISFlow(preset: preset, threads: 2)
        .motion(from: frames[0], to: frames[1])
      #expect(motion.displacements.allSatisfy { $0.isFinite && abs($0) < 200 })
    }
  }

  @Test func framesOfUnequalSizeAreNamed() throws {
    let error = try #require(throws: FlowError.self) {
      try DISFlow().motion(from: frame(4, .unknown), to: frame(2, .unknown, width: 50))
    }
    #expect(error.message == "frame 4 is 48×32 and frame 2 is 50×32")
  }

  @Test func whatIsKeptBetweenFramesChangesNothing() throws {
    let kept = DISFlow(preset: .fast, threads: 2)
    let key = movedPicture(index: 0, by: (0, 0))
    for index in 1..<6 {
      let current = movedPicture(index: index, by: (Float(index) / 2, 1))
      let fresh = try DISFlow(preset: .fast).motion(from: current, to: key)
      #expect(try kept.motion(from: current, to: key) == fresh)
      #expect(try kept.motion(from: current, to: key) == fresh)
      let small = movedPicture(index: 0, by: (1, 0), size: (31, 22))
      _ = try kept.motion(from: small, to: small)
    }
  }

  @Test func oneEstimatorServesSeveralTasks() async throws {
    let estimator = DISFlow(preset: .medium, threads: 2)
    let reference = movedPicture(index: 0, by: (0, 0))
    let frames = (0..<8).map { movedPicture(index: 1, by: (Float($0) / 2, 0)) }
    let wanted = try frames.map {
      try DISFlow(preset: .medium).motion(from: $0, to: reference)
    }
    try await withThrowingTaskGroup(of: (Int, MotionField).self) { group in
      for round in 0..<64 {
        group.addTask {
          (round % 8, try estimator.motion(from: frames[round % 8], to: reference))
        }
      }
      for try await (index, motion) in group { #expect(motion == wanted[index]) }
    }
  }

  private var sizes: [(Int, Int)] {
    [
      (1, 1), (1, 100), (100, 1), (7, 5), (8, 8), (9, 17), (16, 16), (31, 33), (100, 16),
      (16, 100), (129, 33), (64, 513), (1025, 9),
    ]
  }
}

extension MotionField {
  /// The mean motion of the middle of the field.
  fileprivate var meanOfInnerHalf: (dx: Float, dy: Float) {
    var (sum_x, sum_y, count): (Float, Float, Float) = (0, 0, 0)
    for y in (height / 4)..<(3 * height / 4) {
      for x in (width / 4)..<(3 * width / 4) {
        let (dx, dy) = self[x: x, y: y]
        (sum_x, sum_y, count) = (sum_x + dx, sum_y + dy, count + 1)
      }
    }
    return (sum_x / count, sum_y / count)
  }
}
