// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import Pipeline
import Scheduler
import TestSupport
import Testing
import Video

/// Masks against pycocotools, as `Scripts/golden/masks.py` had it write and judge them.
struct MaskAccuracyTests {
  private let trace = FrameTrace(
    index: 0, time: 0, decision: Decision(.key, because: .firstFrame), streamBreak: nil,
    framesSinceKeyframe: 0, stages: [:], total: .zero, keyShare: 1, macs: 0)

  private struct Golden: Decodable {
    let single: [Single]
    let frames: [Frame]
    let mask_mAP50: Double, mask_mAP50_95: Double

    struct Single: Decodable {
      let mask: Written
      let runs: [Int], area: Int, box: [Double]
    }

    struct Written: Decodable {
      let size: [Int], counts: String
    }

    struct Frame: Decodable {
      let truths: [Truth], detections: [Found]
    }

    struct Truth: Decodable {
      let truth: GroundTruthBox

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let (category, mask) = (try row.decode(Int.self), try row.decode(ObjectMask.self))
        truth = GroundTruthBox(
          box: mask.box, category: category, isIgnored: try row.decode(Bool.self), mask: mask)
      }
    }

    struct Found: Decodable {
      let detection: Detection

      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        let (category, mask) = (try row.decode(Int.self), try row.decode(ObjectMask.self))
        detection = Detection(
          box: mask.box, category: category, score: try row.decode(Double.self), mask: mask)
      }
    }

    static func read() throws -> Golden {
      let file = URL(filePath: fixtures + "/Detections/masks.json")
      return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
  }

  @Test func runLengthsAreThoseOfPycocotools() throws {
    for sample in try Golden.read().single {
      let size = PixelSize(width: sample.mask.size[1], height: sample.mask.size[0])
      let mask = try #require(ObjectMask(compressedRuns: sample.mask.counts, size: size))
      #expect(mask.compressedRuns == sample.mask.counts && mask.runLengths == sample.runs)
      #expect(ObjectMask(runLengths: sample.runs, size: size) == mask)
      #expect(mask.area == sample.area)
      let box = mask.box
      #expect(mask.isEmpty || [box.x, box.y, box.width, box.height] == sample.box)
      let again = try JSONDecoder().decode(ObjectMask.self, from: JSONEncoder().encode(mask))
      #expect(again == mask)
    }
  }

  @Test func averagePrecisionOfMasksIsThatOfPycocotools() throws {
    let golden = try Golden.read()
    var metric = MaskMetric(classes: 3)
    var told: [String: FigureCounts] = [:]
    for frame in golden.frames {
      let counts = metric.counts(
        adding: frame.detections.map(\.detection), target: frame.truths.map(\.truth),
        trace: trace)
      for (name, count) in counts { told[name, default: count.emptied] += count }
    }
    #expect(abs((metric.values["mask_mAP50"] ?? 2) - golden.mask_mAP50) < 1e-9)
    #expect(abs((metric.values["mask_mAP50_95"] ?? 2) - golden.mask_mAP50_95) < 1e-9)
    // What frames tell adds up to the same, and is kept as such.
    let sum = try #require(told["mask_mAP"])
    #expect(sum.values(named: "mask_mAP") == metric.values)
    let kept = try JSONDecoder().decode(FigureCounts.self, from: JSONEncoder().encode(sum))
    #expect(kept == sum && !kept.isLike(.detections(DetectionAccuracy(classes: 3))))
  }

  @Test func boxesWithoutMasksCountNothing() {
    var metric = MaskMetric(classes: 1)
    let box = BoundingBox(x: 1, y: 1, width: 4, height: 4)
    metric.add(
      [Detection(box: box, category: 0, score: 1)],
      target: [GroundTruthBox(box: box, category: 0)],
      trace: trace)
    #expect(metric.values.isEmpty)
  }
}

extension FigureCounts {
  /// The same kind, with nothing counted.
  fileprivate var emptied: FigureCounts {
    if case .detections(let found) = self {
      .detections(DetectionAccuracy(classes: found.classCount, by: found.shape))
    } else {
      self
    }
  }
}
