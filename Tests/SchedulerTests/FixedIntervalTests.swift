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

struct MeanIntervalTests {
  @Test(arguments: [
    (1, "KKKKKKKKKKK"), (2, "K.K.K.K.K.K"), (2.5, "K..K.K..K.K"), (1.25, "K.KKKK.KKKK"),
    (3.75, "K...K...K.."), (1000.5, "K.........."),
  ])
  func keyFramesAreSpreadEvenly(interval: Double, drawing: String) throws {
    #expect(try drawn(MeanInterval(every: interval), frames: 11) == drawing)
  }

  @Test(arguments: [
    (5, 2, "K.K....K..."), (5, 4, "K...K....K."), (2.5, 2, "K.K..K.K..K"), (2, 0.5, "KK.K.K.K.K."),
  ])
  func intervalsAreCountedFromTheOffset(interval: Double, offset: Double, drawing: String) throws {
    #expect(try drawn(MeanInterval(every: interval, offset: offset), frames: 11) == drawing)
  }

  /// One with every offset: each frame but the first is a key frame exactly once.
  @Test func overAllOffsetsEachFrameIsAKeyFrameOnce() throws {
    let drawings = try (0..<4).map {
      Array(try drawn(MeanInterval(every: 4, offset: Double($0)), frames: 14))
    }
    #expect((1..<14).allSatisfy { frame in drawings.count { $0[frame] == "K" } == 1 })
  }

  @Test(arguments: [1, 2.5, 3.75]) func keepsTheLaws(interval: Double) {
    #expect(brokenLaws(of: MeanInterval(every: interval)) == [])
  }

  /// As many as the rate says: none is lost to rounding.
  @Test(arguments: [1.1, 7.3, 9.5]) func theRateIsThatAskedFor(interval: Double) throws {
    let keys = try drawn(MeanInterval(every: interval), frames: 1000).count { $0 == "K" }
    #expect(abs(Double(keys) - 1000 / interval) <= 1)
  }
}
