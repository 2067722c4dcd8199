// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import TestSupport
import Testing
import Video

struct TrackingAccuracyTests {
  /// What Scripts/golden/tracks.py had TrackEval find: identity, x, y, width, height of each box.
  private struct Golden: Decodable {
    let truth: [[[Double]]], tracked: [[[Double]]]
    let figures: [String: Double]
  }

  private func golden() throws -> [Golden] {
    let file = URL(filePath: fixtures + "/Tracks/trackeval.json")
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
  }

  private func box(_ row: [Double]) -> IdentifiedBox {
    IdentifiedBox(
      identity: Int(row[0]),
      box: BoundingBox(x: row[1], y: row[2], width: row[3], height: row[4]))
  }

  private func truth(_ row: [Double], isIgnored: Bool = false) -> GroundTruthBox {
    GroundTruthBox(
      box: box(row).box, category: 0, identity: Int(row[0]), isIgnored: isIgnored)
  }

  private func measured(_ golden: Golden) -> TrackingAccuracy {
    var accuracy = TrackingAccuracy()
    for (index, (truths, boxes)) in zip(golden.truth, golden.tracked).enumerated() {
      accuracy.add(boxes.map(box), truth: truths.map { truth($0) }, age: index % 5)
    }
    return accuracy
  }

  @Test func figuresAreThoseOfTrackEval() throws {
    for golden in try golden() {
      let values = measured(golden).values
      for (name, figure) in golden.figures {
        let found = try #require(values[name == "IDSW" ? "switches" : name])
        #expect(abs(found - figure) < 1e-9, "\(name): \(found) is not \(figure)")
      }
    }
  }

  @Test func theOrderOfBoxesAndTheNamesOfIdentitiesDoNotMatter() throws {
    let golden = try #require(try golden().first)
    var other = TrackingAccuracy()
    for (truths, boxes) in zip(golden.truth, golden.tracked) {
      other.add(
        boxes.reversed().map { row in
          var box = box(row)
          box.identity = 7919 - 3 * box.identity
          return box
        }, truth: truths.reversed().map { truth($0) })
    }
    let (values, expected) = (other.values, measured(golden).values)
    for (name, value) in expected { #expect(abs(try #require(values[name]) - value) < 1e-12) }
  }

  @Test func perfectTracksScoreOneAndCopiesOfABoxCost() {
    var perfect = TrackingAccuracy(), doubled = TrackingAccuracy()
    for frame in 0..<10 {
      let row = [1.0, Double(frame), 5, 20, 10]
      perfect.add([box(row)], truth: [truth(row)])
      var copy = box(row)
      copy.identity = 2
      doubled.add([box(row), copy], truth: [truth(row)])
    }
    for name in ["MOTA", "IDF1", "HOTA", "DetA", "AssA"] {
      #expect(abs((perfect.values[name] ?? 0) - 1) < 1e-12)
    }
    #expect(doubled.values["MOTA"] == 0)
    #expect(abs((doubled.values["IDF1"] ?? 0) - 2.0 / 3) < 1e-12)
  }

  @Test func whatIsIgnoredNeitherCountsNorCosts() {
    let (seen, ignored) = ([1.0, 0, 0, 20, 20], [2.0, 100, 0, 20, 20])
    var accuracy = TrackingAccuracy()
    for _ in 0..<4 {
      accuracy.add(
        [box(seen), box([9, 101, 0, 20, 20])],
        truth: [truth(seen), truth(ignored, isIgnored: true)])
    }
    #expect(accuracy.values["MOTA"] == 1)
    #expect(accuracy.values["IDF1"] == 1)
  }

  @Test func boxesOfAnotherClassFindNothing() {
    var accuracy = TrackingAccuracy()
    let found = IdentifiedBox(
      identity: 1, category: 1, box: BoundingBox(x: 0, y: 0, width: 9, height: 9))
    accuracy.add([found], truth: [truth([1, 0, 0, 9, 9])])
    #expect(accuracy.values["MOTA"] == -1)
    #expect(accuracy.values["HOTA"] == 0)
  }

  @Test func clipsAddUpAsIfTheirIdentitiesWereOthers() throws {
    let clips = try golden()
    var sum = TrackingOutcome()
    var together = TrackingAccuracy()
    for (clip, golden) in clips.enumerated() {
      sum += measured(golden).outcome
      for (truths, boxes) in zip(golden.truth, golden.tracked) {
        together.add(
          boxes.map { row in box([row[0] + 10000 * Double(clip)] + row[1...]) },
          truth: truths.map { row in truth([row[0] + 10000 * Double(clip)] + row[1...]) })
      }
    }
    for (name, value) in together.values {
      #expect(abs(try #require(sum.values[name]) - value) < 1e-9, "\(name)")
    }
  }

  @Test func distancesFromTheKeyAddUpToAll() throws {
    let outcome = measured(try #require(try golden().first)).outcome
    #expect(outcome.ages == [0, 1, 2, 3, 4])
    let values = outcome.ages.compactMap { outcome.byAge($0)?.mota }
    #expect(values.count == 5)
    let all = try #require(outcome.values["MOTA"])
    #expect(values.contains { $0 <= all } && values.contains { $0 >= all })
  }
}
