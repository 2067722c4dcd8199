// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
import Frames
import Scheduler
import Tensors
import Testing
import Video

struct MotionLimitTests {
  @Test func keysComeWithMotion() throws {
    let motion: [Float] = [0, 1, 2, 1, 1, 1, 4]
    #expect(try drawn(.whenMoved(pixels: 2), frames: 7, motion: motion) == "K.K..KK")
  }

  @Test func aStillPictureNeedsNoSecondKey() throws {
    #expect(try drawn(.whenMoved(pixels: 0.5), frames: 9) == "K........")
  }

  @Test func movingExactlyTheLimitIsNotTooFar() throws {
    #expect(try drawn(.whenMoved(pixels: 2), frames: 3, motion: [0, 2, 0.5]) == "K.K")
  }

  @Test func keepsTheLaws() {
    #expect(brokenLaws(of: ThresholdScheduler.whenMoved(pixels: 4)) == [])
  }

  @Test func mostlyUnknownMotionMakesAKey() throws {
    #expect(try role(unknown: 3) == .key)
    #expect(try role(unknown: 2) == .propagated)
  }

  @Test func theReasonCarriesScoreAndThreshold() throws {
    let scheduler = ThresholdScheduler.whenMoved(pixels: 5)
    let context = context { .init(width: 1, height: 1, displacements: [3, 4]) }
    let reason = try scheduler.decision(at: context).reason
    #expect(reason == Reason("pixels moved", score: 5, threshold: 5))
    #expect(reason.description == "pixels moved 5 of 5")
  }

  /// The role of a frame of four still pixels, `unknown` of which have no known motion.
  private func role(unknown: Int) throws -> FrameRole {
    let scheduler = ThresholdScheduler.whenMoved(pixels: 5)
    let context = context {
      .init(
        width: 4, height: 1, displacements: .init(repeating: 0, count: 8),
        known: (0..<4).map { $0 < unknown ? 0 : 1 })
    }
    return try scheduler.decision(at: context).role
  }
}

struct FrameContextTests {
  @Test func motionIsComputedOnceWhoeverAsks() throws {
    var calls = 0
    let context = context {
      calls += 1
      return .zero(width: 1, height: 1)
    }
    #expect(calls == 0)
    _ = try context.flow(to: .keyframe)
    _ = try context.flow(to: .keyframe)
    #expect(calls == 1)
  }

  @Test func aFailureIsNotRemembered() throws {
    var calls = 0
    let context = context {
      calls += 1
      if calls == 1 { throw CancellationError() }
      return .zero(width: 1, height: 1)
    }
    #expect(throws: CancellationError.self) { try context.flow(to: .keyframe) }
    #expect(try context.flow(to: .keyframe).width == 1)
  }
}

private func context(motion: @escaping () throws -> MotionField) -> FrameContext {
  FrameContext(ofBatch: 1, from: GivenAnswers(flow: { _ in try motion() }))
}
