// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

struct ObjectMaskTests {
  private let size = PixelSize(width: 13, height: 9)

  /// A mask of the pixels that `isInside` says, given as the whole picture.
  private func mask(_ isInside: (Int, Int) -> Bool) -> ObjectMask {
    let cells = (0..<9).flatMap { y in (0..<13).map { x -> UInt8 in isInside(x, y) ? 7 : 0 } }
    return ObjectMask(size: size, left: 0, top: 0, width: 13, cells: cells)
  }

  @Test func onlyThePartAroundTheObjectIsKept() {
    let whole = mask { x, y in (3..<6).contains(x) && y >= 7 }
    #expect((whole.left, whole.top, whole.width, whole.height) == (3, 7, 3, 2))
    #expect(whole.cells == [1, 1, 1, 1, 1, 1] && whole.area == 6)
    #expect(whole.box == BoundingBox(x: 3, y: 7, width: 3, height: 2))
    let part = ObjectMask(
      size: size, left: 2, top: 6, width: 4, cells: [0, 0, 0, 0, 0, 1, 1, 1, 0, 9, 9, 9])
    #expect(part == whole && part.hashValue == whole.hashValue)
    #expect(mask { _, _ in false } == ObjectMask(emptyOf: size))
  }

  /// As pycocotools drew them: `Scripts/golden/points.py`.
  @Test func polygonsCoverWhatPycocotoolsSays() throws {
    struct Golden: Decodable {
      struct Drawn: Decodable { let size: [Int], polygons: [[Double]], counts: String }
      let polygons: [Drawn]
    }
    let file = URL(filePath: fixtures + "/Detections/points.json")
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    #expect(golden.polygons.count == 30)
    for drawn in golden.polygons {
      let size = PixelSize(width: drawn.size[1], height: drawn.size[0])
      let mask = try #require(ObjectMask(polygons: drawn.polygons, size: size))
      #expect(mask.compressedRuns == drawn.counts)
    }
  }

  @Test(arguments: [
    [0, 0, 5, 0, .nan, 5], [0, 0, 5, 0, 5, 5, 5], [0, 0, 1e9, 0, 5, 5],
  ])
  func polygonsThatAreNoneAreRefused(_ corners: [Double]) {
    #expect(ObjectMask(polygons: [corners], size: size) == nil)
    #expect(ObjectMask(polygons: [[0, 0, 5, 5]], size: size)?.isEmpty == true)
  }

  @Test func overlapsAreThoseOfEveryPixel() {
    let one = mask { x, y in (x - 4) * (x - 4) + (y - 4) * (y - 4) < 12 }
    for shift in -8...8 {
      let other = mask { x, y in (x - 4 - shift) * (x - 4 - shift) + (y - 5) * (y - 5) < 9 }
      var (both, either) = (0, 0)
      for y in 0..<9 {
        for x in 0..<13 {
          both += one.covers(x, y) && other.covers(x, y) ? 1 : 0
          either += one.covers(x, y) || other.covers(x, y) ? 1 : 0
        }
      }
      #expect(one.intersection(with: other) == both)
      #expect(one.intersectionOverUnion(with: other) == Double(both) / Double(either))
    }
    #expect(!one.covers(-1, 4) && !one.covers(4, 9) && !one.covers(13, 0))
    let none = ObjectMask(emptyOf: size)
    #expect(none.intersectionOverUnion(with: none) == 0 && one.intersection(with: none) == 0)
  }

  @Test func anotherSizeHasTheNearestPixels() {
    let one = mask { x, y in x >= 5 && x < 9 && y > 2 && (x + y) % 3 != 0 }
    for other in [PixelSize(width: 26, height: 18), PixelSize(width: 7, height: 20), size] {
      let resized = one.resized(to: other)
      #expect(resized.size == other)
      for y in 0..<other.height {
        for x in 0..<other.width {
          let (column, row) = (
            Int((Double(x) + 0.5) * 13 / Double(other.width)),
            Int((Double(y) + 0.5) * 9 / Double(other.height))
          )
          #expect(resized.covers(x, y) == one.covers(column, row))
        }
      }
    }
  }

  @Test func aDetectionIsResizedWhole() {
    let other = PixelSize(width: 26, height: 27)
    let found = Detection(
      box: BoundingBox(x: 2, y: 3, width: 4, height: 2), category: 0, score: 1,
      mask: mask { x, y in (2..<6).contains(x) && (3..<5).contains(y) },
      points: [KeyPoint(x: 2.5, y: 3, confidence: 0.3)])
    let resized = found.resized(from: size, to: other)
    #expect(resized.box == BoundingBox(x: 4, y: 9, width: 8, height: 6))
    #expect(resized.mask?.box == resized.box && resized.mask?.size == other)
    #expect(resized.points == [KeyPoint(x: 5, y: 9, confidence: 0.3)])
  }

  @Test(arguments: ["", "0", "z", "o", "e3 ", "e3e3e3e3", "ooooooooooooooooooooo0", "\u{e9}"])
  func textThatIsNoMaskIsNone(text: String) {
    #expect(ObjectMask(compressedRuns: text, size: size) == nil)
  }

  @Test(arguments: [[], [116], [118], [-1, 118], [10, .max, 3], [117, 1]])
  func runsThatDoNotFillThePictureAreNone(runs: [Int]) {
    #expect(ObjectMask(runLengths: runs, size: size) == nil)
  }
}
