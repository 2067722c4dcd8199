// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
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

  @Test func keepsTheLaws() { #expect(brokenLaws(of: ThresholdScheduler.whenMoved(pixels: 4)) == []) }

  @Test func mostlyUnknownMotionMakesAKey() throws {
    #expect(try role(unknown: 3) == .key)
    #expect(try role(unknown: 2) == .propagated)
  }

  @Test func theReasonCarriesScoreAndThreshold() throws {
    let scheduler = ThresholdScheduler.whenMoved(pixels: 5)
    var moment = moment { .init(width: 1, height: 1, displacements: [3, 4]) }
    let reason = try scheduler.decision(at: &moment).reason
    #expect(reason == Reason("pixels moved", score: 5, threshold: 5))
    #expect(reason.description == "pixels moved 5 of 5")
  }

  /// The role of a frame of four still pixels, `unknown` of which have no known motion.
  private func role(unknown: Int) throws -> FrameRole {
    let scheduler = ThresholdScheduler.whenMoved(pixels: 5)
    var moment = moment {
      .init(
        width: 4, height: 1, displacements: .init(repeating: 0, count: 8),
        known: (0..<4).map { $0 < unknown ? 0 : 1 })
    }
    return try scheduler.decision(at: &moment).role
  }
}

struct MomentTests {
  @Test func motionIsComputedOnceWhoeverAsks() throws {
    var calls = 0
    var moment = moment {
      calls += 1
      return .zero(width: 1, height: 1)
    }
    #expect(calls == 0)
    _ = try moment.motionToKey()
    _ = try moment.motionToKey()
    #expect(calls == 1)
  }

  @Test func aFailureIsNotRemembered() throws {
    var calls = 0
    var moment = moment {
      calls += 1
      if calls == 1 { throw CancellationError() }
      return .zero(width: 1, height: 1)
    }
    #expect(throws: CancellationError.self) { try moment.motionToKey() }
    #expect(try moment.motionToKey().width == 1)
  }
}

private func moment(motion: @escaping () throws -> MotionField) -> Moment {
  let pixels = Image(width: 1, height: 1, channels: 3, repeating: 0)
  return Moment(
    frame: Frame(index: 1, time: 0.04, pixels: pixels),
    key: Frame(index: 0, time: 0, pixels: pixels), framesSinceKey: 1, motionToKey: motion,
    motionToPrevious: motion, features: { _ in throw CancellationError() },
    keyFeatures: { _ in throw CancellationError() }, scores: { throw CancellationError() },
    keyScores: { throw CancellationError() })
}
