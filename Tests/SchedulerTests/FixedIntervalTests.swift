// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Scheduler
import Testing

struct FixedIntervalTests {
  @Test(arguments: [
    (1, "KKKKKKK"), (2, "K.K.K.K"), (3, "K..K..K"), (5, "K....K."), (10, "K......"),
  ])
  func aKeyFrameEveryNFrames(interval: Int, drawing: String) throws {
    #expect(try drawn(.every(interval), frames: 7) == drawing)
  }

  @Test func motionDoesNotMatter() throws {
    #expect(try drawn(.every(3), frames: 7, motion: [50, 50, 50, 50, 50, 50]) == "K..K..K")
  }

  @Test(arguments: [1, 2, 5]) func keepsTheLaws(interval: Int) {
    #expect(brokenLaws(of: FixedInterval(every: interval)) == [])
  }
}
