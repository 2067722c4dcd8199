// SPDX-License-Identifier: Apache-2.0

import Frames
import Scheduler
import Testing

/// What has a threshold, and keeps what it is set to.
private struct Held: KeyframeScheduler {
  var movingThreshold: Double? = 4

  func decision(at _: FrameContext) -> Decision { Decision(.key, because: Reason("held")) }
}

@Test func whatWrapsASchedulerPassesItsThresholdOn() {
  let wrapped: [any KeyframeScheduler] = [
    LongestInterval(Held(), frames: 9), ShotChange(Held()), BackgroundRefresh(Held()),
    ShallowClock(Held(), every: 2), AlternatingResolution(Held(), scale: 0.5, fullEvery: 2),
    BudgetedScheduler(Held(), share: 0.1),
    BudgetedResolution(Held(), scales: [0.5, 1], share: 0.1),
    LongestInterval(ShotChange(Held()), frames: 9),
  ]
  for var scheduler in wrapped {
    #expect(scheduler.movingThreshold == 4, "\(type(of: scheduler))")
    scheduler.movingThreshold = 7
    #expect(scheduler.movingThreshold == 7, "\(type(of: scheduler))")
  }
}

@Test func whatHasNoThresholdTakesNone() {
  var fixed = FixedInterval(every: 3)
  fixed.movingThreshold = 7
  #expect(fixed.movingThreshold == nil)
}
