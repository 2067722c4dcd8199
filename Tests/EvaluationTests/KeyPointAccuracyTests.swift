// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import Pipeline
import Scheduler
import TestSupport
import Testing
import Video

/// Key points against pycocotools, as `Scripts/golden/points.py` had it judge them.
struct KeyPointAccuracyTests {
  private let trace = FrameTrace(
    index: 0, time: 0, decision: Decision(.key, because: .firstFrame), streamBreak: nil,
    framesSinceKeyframe: 0, stages: [:], total: .zero, keyShare: 1, macs: 0)

  private struct Golden: Decodable {
    /// Bodies, things of five points, and bodies again where points are marked less exactly.
    let bodies: Run, things: Run, wide: Run

    struct Run: Decodable {
      let frames: [Frame]
      let oks_mAP50: Double, oks_mAP50_95: Double
    }

    struct Frame: Decodable {
      let truths: [Truth], detections: [Found]
    }

    struct Truth: Decodable {
      let truth: GroundTruthBox

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let category = try row.decode(Int.self), sides = try row.decode([Double].self)
        let area = try row.decode(Double.self), points = try row.decode([[Double]].self)
        truth = GroundTruthBox(
          box: BoundingBox(x: sides[0], y: sides[1], width: sides[2], height: sides[3]),
          category: category, isIgnored: try row.decode(Bool.self),
          points: points.map { KeyPoint(x: $0[0], y: $0[1], confidence: $0[2] / 2) }, area: area)
      }
    }

    struct Found: Decodable {
      let detection: Detection

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let category = try row.decode(Int.self), points = try row.decode([[Double]].self)
        detection = Detection(
          box: BoundingBox(x: 0, y: 0, width: 1, height: 1), category: category,
          score: try row.decode(Double.self), points: points.map { KeyPoint(x: $0[0], y: $0[1]) })
      }
    }

    static func read() throws -> Golden {
      let file = URL(filePath: fixtures + "/Detections/points.json")
      return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
  }

  private func expect(_ run: Golden.Run, sigma: Double? = nil) throws {
    var metric = KeyPointMetric(classes: 2, sigma: sigma)
    var told = FigureCounts.detections(DetectionAccuracy(classes: 2, by: .points, sigma: sigma))
    for frame in run.frames {
      let counts = metric.counts(
        adding: frame.detections.map(\.detection), target: frame.truths.map(\.truth),
        trace: trace)
      for count in counts.values { told += count }
    }
    #expect(abs((metric.values["oks_mAP50"] ?? 2) - run.oks_mAP50) < 1e-9)
    #expect(abs((metric.values["oks_mAP50_95"] ?? 2) - run.oks_mAP50_95) < 1e-9)
    // What frames tell adds up to the same, and is kept as such.
    #expect(told.values(named: "oks_mAP") == metric.values)
    let kept = try JSONDecoder().decode(FigureCounts.self, from: JSONEncoder().encode(told))
    #expect(kept == told && !kept.isLike(.detections(DetectionAccuracy(classes: 2))))
  }

  @Test func averagePrecisionByKeyPointsIsThatOfPycocotools() throws {
    let golden = try Golden.read()
    try expect(golden.bodies)
    try expect(golden.things)
    try expect(golden.wide, sigma: 0.2)
  }

  @Test func boxesWithoutKeyPointsCountNothing() {
    var metric = KeyPointMetric(classes: 1)
    let box = BoundingBox(x: 1, y: 1, width: 4, height: 4)
    metric.add(
      [Detection(box: box, category: 0, score: 1)],
      target: [GroundTruthBox(box: box, category: 0)], trace: trace)
    #expect(metric.values.isEmpty)
  }

  @Test func anotherNumberOfKeyPointsIsNothingAlike() {
    var metric = KeyPointMetric(classes: 1)
    let box = BoundingBox(x: 0, y: 0, width: 10, height: 10), point = KeyPoint(x: 5, y: 5)
    metric.add(
      [Detection(box: box, category: 0, score: 1, points: [point, point])],
      target: [GroundTruthBox(box: box, category: 0, points: [point])], trace: trace)
    #expect(metric.values["oks_mAP50"] == 0)
    metric.add(
      [Detection(box: box, category: 0, score: 1, points: [point])],
      target: [GroundTruthBox(box: box, category: 0, points: [point])], trace: trace)
    #expect((metric.values["oks_mAP50"] ?? 0) > 0.2)
  }
}
