// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import Pipeline
import Scheduler
import Testing
import Video

/// What is told of steps from one frame to the next, by hand.
struct JumpTests {
  private func trace(_ index: Int, _ role: FrameRole, breaks: StreamBreak? = nil) -> FrameTrace {
    FrameTrace(
      index: index, time: Double(index), decision: Decision(role, because: .firstFrame),
      streamBreak: breaks, framesSinceKeyframe: role == .key ? 0 : 1, stages: [:],
      total: .zero, keyShare: 1, macs: 0)
  }

  private func map(_ metres: [Float]) -> DepthMap {
    DepthMap(width: metres.count, height: 1, metres: metres)
  }

  // Twice too far on every frame is wrong, and does not flicker; what then is right jumps by ln 2.
  // What is not known on both frames does not count.
  @Test func depthFlickersWhereItsErrorChanges() throws {
    var metric = DepthMetric(), added: [String: FigureCounts] = [:]
    let frames: [(FrameRole, [Float], [Float])] = [
      (.key, [2, 4, 9], [1, 2, 0]), (.propagated, [4, 6, 9], [2, 3, 3]),
      (.key, [3, 8, 3], [3, 4, 3]),
    ]
    for (index, (role, predicted, truth)) in frames.enumerated() {
      let counts = metric.counts(
        adding: map(predicted), target: map(truth), trace: trace(index, role))
      added.merge(counts) { first, second in
        var sum = first
        sum += second
        return sum
      }
    }
    let values = metric.values
    #expect(try #require(values["flicker_between"]) < 1e-6)
    let expected: Double = (log(2) + 0 + log(3)) / 3
    #expect(abs(try #require(values["flicker_at_keys"]) - expected) < 1e-6)
    for (name, counts) in added {
      let told = try #require(counts.values(named: name)[name])
      #expect(abs(told - (values[name] ?? -1)) < 1e-9, "\(name)")
    }
  }

  @Test func nothingJumpsAcrossABreakOrAFrameWithoutTruth() {
    var metric = DepthMetric()
    metric.add(map([1]), target: map([1]), trace: trace(0, .key))
    metric.add(map([2]), target: map([1]), trace: trace(1, .key, breaks: .gap))
    metric.add(map([3]), target: nil, trace: trace(2, .propagated))
    metric.add(map([4]), target: map([1]), trace: trace(3, .propagated))
    #expect(metric.values["flicker_at_keys"] == nil && metric.values["flicker_between"] == nil)
  }

  // Boxes found on key frames, one of two right after them, none thereafter.
  @Test func figuresAreToldByDistanceFromTheKeyFrame() throws {
    var metric = DetectionMetric(classes: 1), records: [FrameRecord] = []
    for (index, (age, isFound)) in [
      (0, true), (1, true), (3, false), (0, true), (1, false), (3, false),
    ].enumerated() {
      let trace = FrameTrace(
        index: index, time: Double(index),
        decision: Decision(age == 0 ? .key : .propagated, because: .firstFrame),
        streamBreak: nil, framesSinceKeyframe: age, stages: [:], total: .zero, keyShare: 1, macs: 0)
      let box = BoundingBox(x: 0, y: 0, width: 10, height: 10)
      var record = FrameRecord(trace)
      record.counts = metric.counts(
        adding: isFound ? [Detection(box: box, category: 0, score: 0.9)] : [],
        target: [GroundTruthBox(box: box, category: 0)], trace: trace)
      records.append(record)
    }
    let told = try #require(records.valuesByDistance["mAP50"])
    #expect(told.count == 4 && told[2] == nil)
    #expect(told[0] == 1 && told[3] == 0)
    // Half of the truths are found: 51 of the 101 levels of recall.
    #expect(abs(try #require(told[1]) - 51.0 / 101) < 1e-9)
    #expect([FrameRecord]().valuesByDistance.isEmpty)
  }

  // A box of 10 × 10 that goes one pixel to the right overlaps with itself by 90 of 110, one that
  // goes five by 50 of 150; another identity is another box.
  @Test func boxesJumpByWhatTheyDoNotOverlap() throws {
    func box(_ x: Double, _ identity: Int = 1) -> Detection {
      Detection(
        box: BoundingBox(x: x, y: 0, width: 10, height: 10), category: 0, score: 1,
        identity: identity)
    }
    var metric = TrackingMetric()
    let truth = [
      GroundTruthBox(
        box: BoundingBox(x: 0, y: 0, width: 10, height: 10), category: 0, identity: 1)
    ]
    metric.add([box(0)], target: truth, trace: trace(0, .key))
    metric.add([box(1), box(50, 2)], target: truth, trace: trace(1, .propagated))
    metric.add([box(6), box(70, 3)], target: truth, trace: trace(2, .key))
    let values = metric.values
    #expect(abs(try #require(values["jump_between"]) - (1 - 90.0 / 110)) < 1e-9)
    #expect(abs(try #require(values["jump_at_keys"]) - (1 - 50.0 / 150)) < 1e-9)
  }
}
