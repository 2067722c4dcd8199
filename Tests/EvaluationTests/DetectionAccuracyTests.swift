// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import TestSupport
import Testing
import Video

struct DetectionAccuracyTests {
  /// What Scripts/golden/detections.py had pycocotools find.
  private struct Golden: Decodable {
    let frames: [Frame]
    let mAP50: Double, mAP50_95: Double
    let perClass: [[Double]?]

    struct Frame: Decodable {
      let truths: [Truth], detections: [Found]
    }

    struct Truth: Decodable {
      let box: GroundTruthBox

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let (category, corners) = (try row.decode(Int.self), try row.decode([Double].self))
        box = GroundTruthBox(
          box: bounds(corners), category: category, isIgnored: try row.decode(Bool.self))
      }
    }

    struct Found: Decodable {
      let detection: Detection

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let (category, corners) = (try row.decode(Int.self), try row.decode([Double].self))
        detection = Detection(
          box: bounds(corners), category: category, score: try row.decode(Double.self))
      }
    }
  }

  private func golden() throws -> Golden {
    let file = URL(filePath: fixtures + "/Detections/coco.json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  private func measured(_ frames: some Sequence<Golden.Frame>) -> DetectionAccuracy {
    var accuracy = DetectionAccuracy(classes: 4)
    for frame in frames {
      accuracy.add(
        detections: frame.detections.map(\.detection), truth: frame.truths.map(\.box))
    }
    return accuracy
  }

  @Test func averagePrecisionIsThatOfPycocotools() throws {
    let golden = try golden()
    let measured = measured(golden.frames)
    #expect(abs((measured.values["mAP50"] ?? 2) - golden.mAP50) < 1e-9)
    #expect(abs((measured.values["mAP50_95"] ?? 2) - golden.mAP50_95) < 1e-9)
    #expect(measured.perClass.map { $0 == nil } == golden.perClass.map { $0 == nil })
    for (found, expected) in zip(measured.perClass, golden.perClass) {
      guard let found, let expected else { continue }
      #expect(found.averagePrecisions.count == 10 && expected.count == 10)
      for (a, b) in zip(found.averagePrecisions, expected) { #expect(abs(a - b) < 1e-9) }
      #expect(abs(found.ap50 - expected[0]) < 1e-9)
      #expect(abs(found.ap50To95 - expected.reduce(0, +) / 10) < 1e-9)
    }
  }

  @Test func theFixtureHoldsTheHardCases() throws {
    let frames = try golden().frames
    let scores = frames.flatMap(\.detections).map(\.detection.score)
    #expect(Set(scores).count < scores.count / 2)
    #expect(frames.contains { $0.detections.count > 120 })
    #expect(frames.contains { $0.truths.isEmpty && !$0.detections.isEmpty })
    #expect(frames.flatMap(\.truths).filter(\.box.isIgnored).count > 30)
  }

  @Test func framesOfTwoMeasurementsFollowEachOther() throws {
    let frames = try golden().frames
    var first = measured(frames.prefix(23))
    first += measured(frames.dropFirst(23))
    #expect(first == measured(frames))
  }

  @Test func perfectDetectionsScoreOneAndNoneScoreZero() {
    let truth = [object(0, 0, 10, 10), object(50, 50, 20, 8)]
    let found = truth.map { Detection(box: $0.box, category: 0, score: 0.5) }
    #expect(abs((one(found, truth).values["mAP50_95"] ?? 0) - 1) < 1e-12)
    #expect(one([], truth).values == ["mAP50": 0, "mAP50_95": 0])
  }

  @Test func whereNothingIsThereNothingIsMeasured() {
    let found = [Detection(box: box(0, 0, 4, 4), category: 0, score: 1)]
    #expect(one(found, []).values.isEmpty && one([], []).perClass == [nil])
    #expect(one(found, [object(0, 0, 4, 4, isIgnored: true)]).values.isEmpty)
  }

  /// Two truths; found are one of them, nothing, then the other: precision 1 up to recall 0.5, then
  /// 2/3.
  @Test func aFalseAlarmBetweenTwoFindsCostsAThirdOfTheHigherRecalls() {
    let truth = [object(0, 0, 10, 10), object(30, 0, 10, 10)]
    let found = [
      Detection(box: truth[1].box, category: 0, score: 0.3),
      Detection(box: truth[0].box, category: 0, score: 0.9),
      Detection(box: box(80, 80, 5, 5), category: 0, score: 0.6),
    ]
    // 51 levels of recall up to 0.5, and 50 above it.
    let expected = (51 + 50 * 2.0 / 3) / 101
    #expect(abs((one(found, truth).values["mAP50"] ?? 0) - expected) < 1e-12)
  }

  @Test func aSecondFindOfTheSameObjectIsAFalseAlarm() {
    let truth = [object(0, 0, 10, 10), object(30, 0, 10, 10)]
    let found = [0.9, 0.8].map { Detection(box: truth[0].box, category: 0, score: $0) }
    #expect(abs((one(found, truth).values["mAP50"] ?? 0) - 51.0 / 101) < 1e-12)
  }

  /// Moved by a quarter, a box overlaps by 3/5: that is enough for 0.5, 0.55 and 0.6 alone.
  @Test func anOverlapCountsUpToItsOwnThreshold() {
    let found = [Detection(box: box(4, 0, 16, 10), category: 0, score: 1)]
    let values = one(found, [object(0, 0, 16, 10)]).values
    #expect(abs((values["mAP50"] ?? 0) - 1) < 1e-12)
    #expect(abs((values["mAP50_95"] ?? 0) - 0.3) < 1e-12)
  }

  @Test func anIgnoredObjectTakesAnyNumberOfDetectionsInsideIt() {
    let truth = [object(0, 0, 10, 10), object(100, 0, 100, 100, isIgnored: true)]
    var found = (0..<5).map { index in
      Detection(box: box(110 + 10 * Double(index), 20, 8, 8), category: 0, score: 0.9)
    }
    found.append(Detection(box: truth[0].box, category: 0, score: 0.1))
    #expect(abs((one(found, truth).values["mAP50_95"] ?? 0) - 1) < 1e-12)
  }

  @Test func onlyTheHundredSurestOfAFrameAreLookedAt() {
    let truth = [object(0, 0, 10, 10)]
    let alarms = (0..<99).map { _ in Detection(box: box(50, 50, 5, 5), category: 0, score: 0.5) }
    let find = [Detection(box: truth[0].box, category: 0, score: 0.4)]
    let among = one(alarms + find, truth).values["mAP50"] ?? 0
    #expect(abs(among - 0.01) < 1e-12)
    #expect(one(alarms + [alarms[0]] + find, truth).values["mAP50"] == 0)
  }

  @Test func aClassIsMeasuredOnItsOwn() {
    var accuracy = DetectionAccuracy(classes: 3)
    let there = object(0, 0, 10, 10)
    accuracy.add(
      detections: [Detection(box: there.box, category: 1, score: 1)],
      truth: [there, GroundTruthBox(box: there.box, category: 1)])
    let ap = accuracy.perClass.map { $0?.ap50 }
    #expect(ap[0] == 0 && abs((ap[1] ?? 0) - 1) < 1e-12 && ap[2] == nil)
    #expect(abs((accuracy.values["mAP50"] ?? 0) - 0.5) < 1e-12)
  }

  private func one(_ found: [Detection], _ truth: [GroundTruthBox]) -> DetectionAccuracy {
    var accuracy = DetectionAccuracy(classes: 1)
    accuracy.add(detections: found, truth: truth)
    return accuracy
  }

  private func object(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, isIgnored: Bool = false
  ) -> GroundTruthBox {
    GroundTruthBox(box: box(x, y, width, height), category: 0, isIgnored: isIgnored)
  }
}

private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> BoundingBox {
  BoundingBox(x: x, y: y, width: width, height: height)
}

private func bounds(_ corners: [Double]) -> BoundingBox {
  box(corners[0], corners[1], corners[2], corners[3])
}
