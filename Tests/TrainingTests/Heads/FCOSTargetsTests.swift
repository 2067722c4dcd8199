// SPDX-License-Identifier: Apache-2.0

import Backbone
import TestSupport
import Testing
import Training
import Video

private func object(
  _ x: Double, _ y: Double, _ width: Double, _ height: Double, category: Int = 0,
  ignored: Bool = false
) -> GroundTruthBox {
  GroundTruthBox(
    box: BoundingBox(x: x, y: y, width: width, height: height), category: category,
    isIgnored: ignored)
}

struct FCOSTargetsTests {
  // Cells of 4 pixels: locations are 2, 6, 10, …
  private func targets(
    _ boxes: [GroundTruthBox], radius: Double = 100
  ) -> FCOSTargets {
    FCOSTargets(boxes, rows: 4, columns: 5, stride: 4, radius: radius)
  }

  @Test func theCellsInsideABoxFindIt() {
    let found = targets([object(4, 4, 8, 4, category: 2)])
    #expect(found.cells == [6, 7] && found.categories == [2, 2] && found.ignored.isEmpty)
    #expect(found.distances == [SIMD4(2, 2, 6, 2), SIMD4(6, 2, 2, 2)])
    let third = Float(1.0 / 3).squareRoot()
    #expect(found.centreness.allSatisfy { abs($0 - third) < 1e-6 })
  }

  @Test func anEdgeIsNotInside() {
    #expect(targets([object(2, 2, 4, 4)]).cells.isEmpty)
    #expect(targets([object(1.9, 1.9, 4, 4)]).cells == [0])
  }

  @Test func onlyCellsNearTheMiddleFindALargeBox() {
    // The middle is (10, 8): 1 stride of 4 reaches from 6 to 14, and from 4 to 12.
    let box = object(0, 0, 20, 16)
    #expect(targets([box], radius: 1).cells == [6, 7, 8, 11, 12, 13])
    #expect(targets([box], radius: 0.5).cells == [7, 12])
    #expect(targets([box]).cells.count == 20)
  }

  @Test func theSmallestOfSeveralBoxesIsFound() {
    let large = object(0, 0, 20, 16, category: 1), small = object(4, 4, 8, 8, category: 2)
    for boxes in [[large, small], [small, large]] {
      let found = targets(boxes)
      for (cell, category) in zip(found.cells, found.categories) {
        #expect(category == ([6, 7, 11, 12].contains(cell) ? 2 : 1))
      }
    }
  }

  @Test func ignoredBoxesHideBackgroundButNotObjects() {
    let found = targets([object(0, 0, 8, 8, ignored: true), object(4, 4, 4, 4, category: 1)])
    #expect(found.cells == [6] && found.categories == [1])
    #expect(found.ignored == [0, 1, 5])
  }

  @Test func theMiddleOfABoxIsTheMostCentral() {
    let found = targets([object(0, 0, 20, 12)])
    let best = found.centreness.max() ?? 0
    #expect(best == 1 && found.centreness[found.cells.firstIndex(of: 7) ?? 0] == 1)
    #expect(found.centreness.count { $0 == 1 } == 1)
  }

  /// Cell by cell instead of box by box.
  @Test(arguments: 0..<10) func cellsFindWhatAPlainLoopFinds(seed: Int) {
    var draws = Draws(seed: UInt64(seed))
    let boxes = (0..<8).map { index in
      object(
        .random(in: -3...15, using: &draws), .random(in: -3...12, using: &draws),
        .random(in: 1...14, using: &draws), .random(in: 1...14, using: &draws), category: index,
        ignored: index % 4 == 3)
    }
    let found = targets(boxes, radius: 0.8)
    for cell in 0..<20 {
      let x = Double(cell % 5) * 4 + 2, y = Double(cell / 5) * 4 + 2
      func holds(_ box: BoundingBox) -> Bool {
        box.x < x && x < box.x + box.width && box.y < y && y < box.y + box.height
      }
      let near = boxes.filter { object in
        let box = object.box
        return !object.isIgnored && holds(box)
          && max(abs(box.x + box.width / 2 - x), abs(box.y + box.height / 2 - y)) <= 3.2
      }
      let expected = near.min { $0.box.area < $1.box.area }
      let at = found.cells.firstIndex(of: cell)
      #expect(at.map { found.categories[$0] } == expected?.category)
      if let at, let box = expected?.box {
        let sides = found.distances[at]
        #expect(abs(Double(sides.x) + box.x - x) < 1e-5)
        #expect(abs(Double(sides.w) + y - box.y - box.height) < 1e-5)
      }
      let isHidden = boxes.contains { $0.isIgnored && holds($0.box) }
      #expect(found.ignored.contains(cell) == (isHidden && expected == nil))
    }
  }
}
