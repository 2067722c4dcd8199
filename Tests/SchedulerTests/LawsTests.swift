// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
import Frames
import Scheduler
import Synchronization
import Tensors
import Testing

struct SchedulerLawsTests {
  @Test func schedulersThatLookAtTheFrameKeepTheLaws() {
    let scores: [any ChangeScore] = [
      MotionMagnitude(), WarpError(), FeatureChange(after: "map"), LabelChange(after: "map"),
      UncertaintyIncrease(.confidence),
    ]
    for score in scores {
      #expect(brokenLaws(of: TargetRateScheduler(score, rate: 0.3)) == [], "\(score.name)")
    }
    #expect(brokenLaws(of: ShotChange(FixedInterval(every: 4))) == [])
    let moved = ThresholdScheduler.whenMoved(pixels: 4)
    #expect(brokenLaws(of: LongestInterval(moved, frames: 3)) == [])
  }

  @Test func theLawsFindWhatIsWrong() {
    #expect(brokenLaws(of: Alternating()) == ["same input, same decisions", "copies fork"])
    #expect(brokenLaws(of: FailsAtCuts()) == ["decides without error"])
    #expect(brokenLaws(of: ForgetsItsPromise()) == ["keeps its longest interval"])
  }
}

struct LongestIntervalTests {
  @Test func onlyWhatIsBoundedPromisesAnything() {
    #expect(FixedInterval(every: 4).longestInterval == 4)
    #expect(ShotChange(FixedInterval(every: 4)).longestInterval == 4)
    #expect(CodecKeyframes(longest: 9).longestInterval == 9)
    #expect(CodecKeyframes().longestInterval == nil)
    #expect(LongestInterval(CodecKeyframes(), frames: 7).longestInterval == 7)
    #expect(LongestInterval(FixedInterval(every: 4), frames: 7).longestInterval == 4)
    #expect(TargetRateScheduler(MotionMagnitude(), rate: 0.3).longestInterval == nil)
  }
}

struct ChangeScoreLawsTests {
  @Test func changeScoresKeepTheLaws() throws {
    let scores: [any ChangeScore] = [
      MotionMagnitude(), MotionDeviation(), UnknownFraction(), WarpError(),
      FeatureChange(after: "map"), LabelChange(after: "map"), UncertaintyIncrease(.confidence),
      UncertaintyIncrease(.entropy),
    ]
    for score in scores { #expect(try brokenLaws(of: score) == [], "\(score.name)") }
  }

  @Test func theLawsFindWhatIsWrong() throws {
    let equal = "a frame equal to its key frame scores 0"
    #expect(try brokenLaws(of: Spoiled { _ in 1 }) == [equal])
    #expect(
      try brokenLaws(of: Spoiled { -Double($0.framesSinceKeyframe) }) == ["no score is below 0"])
    #expect(
      try brokenLaws(of: Spoiled { try $0.flow(to: .keyframe).meanLength.map { Double($0) } })
        == ["no optical flow is asked for"])
    let calls = Atomic(0)
    #expect(
      try brokenLaws(
        of: Spoiled { context in
          let call = calls.add(1, ordering: .relaxed).newValue
          return context.framesSinceKeyframe == 0 ? 0 : Double(call)
        }) == ["same frame, same score"])
  }
}

/// A change score with a fault, which says that it does not depend on motion.
private struct Spoiled: ChangeScore {
  let name = "spoiled"
  let dependsOnMotion = false
  let measure: @Sendable (FrameContext) throws -> Double?

  init(_ measure: @escaping @Sendable (FrameContext) throws -> Double?) { self.measure = measure }

  func score(at context: FrameContext) throws -> Double? { try measure(context) }
}

/// Every other frame that it or one of its copies is asked about, which is no value.
private final class Alternating: KeyframeScheduler {
  private let count = Atomic(0)

  func decision(at _: FrameContext) -> Decision {
    let isKey = count.add(1, ordering: .relaxed).newValue.isMultiple(of: 2)
    return Decision(isKey ? .key : .propagated, because: Reason("in turn"))
  }
}

/// Says that every other frame is key, and takes none.
private struct ForgetsItsPromise: KeyframeScheduler {
  let longestInterval: Int? = 2

  func decision(at _: FrameContext) -> Decision {
    Decision(.propagated, because: Reason("never"))
  }
}

/// Takes it that flow is always known somewhere.
private struct FailsAtCuts: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    guard try context.flow(to: .keyframe).meanLength != nil else { throw CancellationError() }
    return Decision(.propagated, because: Reason("known"))
  }
}
