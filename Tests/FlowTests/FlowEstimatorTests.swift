// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Flow
import Testing
import Video

struct FlowEstimatorTests {
  @Test(arguments: OpenCVDISFlow.Preset.allCases) func disKeepsTheLaws(preset: OpenCVDISFlow.Preset)
    throws
  {
    #expect(try brokenLaws(of: .openCVDIS(preset)) == [])
  }

  @Test func disWithoutRefinementKeepsTheLaws() throws {
    #expect(try brokenLaws(of: OpenCVDISFlow(refinements: 0)) == [])
    #expect(try brokenLaws(of: OpenCVDISFlow(ignoresBrightness: false)) == [])
    let (current, reference) = (
      movedPicture(index: 1, by: (2.3, 1)), movedPicture(index: 0, by: (0, 0))
    )
    let refined = try OpenCVDISFlow().motion(from: current, to: reference)
    #expect(try OpenCVDISFlow(refinements: 0).motion(from: current, to: reference) != refined)
    #expect(try OpenCVDISFlow(refinements: 5).motion(from: current, to: reference) == refined)
    #expect(
      try OpenCVDISFlow(ignoresBrightness: false).motion(from: current, to: reference) != refined)
  }

  @Test func farnebackKeepsTheLaws() throws { #expect(try brokenLaws(of: .farneback) == []) }

  @Test func codecMotionKeepsTheLaws() throws { #expect(try brokenLaws(of: .codec) == []) }

  @Test func stillBreaksTheLawOfTheMovedPictureOnly() throws {
    let broken = try brokenLaws(of: .zero)
    #expect(broken.count == 2 && broken.allSatisfy { $0.hasPrefix("a picture moved by") })
  }

  @Test func anEstimatorThatPointsTheWrongWayIsFound() throws {
    #expect(try brokenLaws(of: Backwards()).count == 2)
  }

  @Test func framesOfUnequalSizeAreNamed() throws {
    let error = try #require(throws: FlowError.self) {
      try OpenCVDISFlow().motion(from: frame(4, .unknown), to: frame(2, .unknown, width: 50))
    }
    #expect(error.code == .sizesDiffer)
    #expect(error.message == "frame 4 is 48×32 and frame 2 is 50×32")
  }

  @Test(
    arguments: [
      "ultrafast": OpenCVDISFlow(preset: .ultrafast), "fast": OpenCVDISFlow(preset: .fast),
      "medium": OpenCVDISFlow(preset: .medium), "farneback": Farneback(),
    ] as [String: any FlowEstimator])
  func framesOfEverySizeHaveMotion(name: String, estimator: any FlowEstimator) throws {
    for size in [(1, 1), (1, 100), (100, 1), (7, 5), (16, 16), (100, 16), (16, 100), (129, 33)] {
      let reference = movedPicture(index: 0, by: (0, 0), size: size)
      let motion = try estimator.motion(
        from: movedPicture(index: 1, by: (0.5, 0), size: size), to: reference)
      #expect((motion.width, motion.height) == size, "\(name)")
      #expect(motion.displacements.allSatisfy { $0.isFinite }, "\(name), \(size)")
    }
  }

  @Test func aSmallFrameLeavesNoTraceInTheNextLargerOne() throws {
    let (current, reference) = (
      movedPicture(index: 1, by: (2, 1)), movedPicture(index: 0, by: (0, 0))
    )
    let estimator = OpenCVDISFlow(preset: .fast)
    let before = try estimator.motion(from: current, to: reference)
    let small = movedPicture(index: 0, by: (0, 0), size: (30, 20))
    _ = try estimator.motion(from: small, to: small)
    #expect(try estimator.motion(from: current, to: reference) == before)
  }

  @Test func oneEstimatorServesSeveralTasks() async throws {
    let estimator = OpenCVDISFlow(preset: .medium)
    let reference = movedPicture(index: 0, by: (0, 0))
    let wanted = try (0..<8).map {
      try estimator.motion(from: movedPicture(index: 1, by: (Float($0) / 2, 0)), to: reference)
    }
    try await withThrowingTaskGroup(of: (Int, MotionField).self) { group in
      for round in 0..<32 {
        group.addTask {
          let current = movedPicture(index: 1, by: (Float(round % 8) / 2, 0))
          return (round % 8, try estimator.motion(from: current, to: reference))
        }
      }
      for try await (index, motion) in group { #expect(motion == wanted[index]) }
    }
  }
}

/// DIS with the arguments mixed up.
private struct Backwards: FlowEstimator {
  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try OpenCVDISFlow().motion(from: reference, to: current)
  }
}
