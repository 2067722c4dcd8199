// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import Testing
import Video

/// Boxes, held against labels, depth and the motion field.
struct MovingStreetBoxesTests {
  private static let size = (width: 240, height: 180)
  /// The ids in `ClassList.camVid` of the three categories.
  private static let labels: [UInt8] = [8, 9, 10]
  /// 40 pixels at 480×360.
  private static let fewest = 10

  private func street(_ seed: UInt64) -> MovingStreet {
    MovingStreet(seed: seed, width: Self.size.width, height: Self.size.height)
  }

  @Test func categoriesAreTheClassesOfTheStreet() {
    let camVid = ClassList.camVid.names.map { $0.lowercased() }
    #expect(ClassList.streetObjects.names == Self.labels.map { camVid[Int($0)] })
    #expect(StreetClip(seed: 1, count: 3).objectClasses == ClassList.named("street3"))
  }

  @Test(arguments: [(1, 40), (2, 90), (3, 15), (4, 200), (5, -7)])
  func boxesHoldAllPixelsOfTheirClassAndTouchThemOnEverySide(seed: UInt64, frame: Int) {
    let truth = street(seed).truth(at: frame)
    #expect(!truth.boxes.isEmpty)
    for (category, label) in Self.labels.enumerated() {
      let boxes = truth.boxes.filter { $0.category == category }.map(\.box)
      for y in 0..<Self.size.height {
        for x in 0..<Self.size.width where truth.labels[x: x, y: y] == label {
          #expect(boxes.contains { holds($0, x, y) }, "(\(x), \(y)) is in no box")
        }
      }
      for box in boxes {
        let (columns, rows) = ranges(box)
        let isClass = { (x: Int, y: Int) in truth.labels[x: x, y: y] == label }
        for x in [columns.lowerBound, columns.upperBound - 1] {
          #expect(rows.contains { isClass(x, $0) }, "a side of \(box) is empty")
        }
        for y in [rows.lowerBound, rows.upperBound - 1] {
          #expect(columns.contains { isClass($0, y) }, "a side of \(box) is empty")
        }
      }
    }
  }

  @Test(arguments: [(1, 40), (2, 90), (3, 15), (6, 120)])
  func objectsThatAreAloneKeepTheirIdentityAlongTheMotion(seed: UInt64, frame: Int) {
    let street = street(seed)
    var followed = 0
    for index in frame..<frame + 4 {
      let (here, there) = (street.truth(at: index), street.truth(at: index + 1))
      let motion = street.motion(from: index, to: index + 1)
      let hidden = street.occlusion(from: index, to: index + 1)
      for object in here.boxes where !object.isIgnored && isAlone(object, here) {
        guard let next = there.boxes.first(where: { $0.identity == object.identity }) else {
          Issue.record("identity \(object.identity ?? -1) is lost in frame \(index + 1)")
          continue
        }
        #expect(next.category == object.category)
        let moved = pixels(of: object, here).filter { hidden[x: $0.x, y: $0.y] == 0 }.map {
          let (dx, dy) = motion[x: $0.x, y: $0.y]
          return (Double(Float($0.x) + dx) + 0.5, Double(Float($0.y) + dy) + 0.5)
        }
        // An outline's pixel may lie between the centres of two pixels of the next frame.
        let strays = moved.filter { !next.box.grown(by: 1).holds($0, $1) }.count
        #expect(
          strays <= moved.count / 10 + 2, "\(strays) of \(moved.count) left for \(next.box)")
        followed += moved.count
      }
    }
    #expect(followed > 300, "\(followed) pixels were followed")
  }

  // Each mask fills its box, lies on pixels of its class, and together they are those pixels.
  @Test(arguments: [(1, 40), (2, 90), (4, 200)])
  func masksAreThePixelsOfTheirObjects(seed: UInt64, frame: Int) throws {
    let street = street(seed)
    let truth = street.truth(at: frame), masks = street.masks(at: frame)
    #expect(masks.map(\.box) == truth.boxes.map(\.box) && !masks.isEmpty)
    #expect(masks.map(\.identity) == truth.boxes.map(\.identity))
    #expect(truth.boxes.allSatisfy { $0.mask == nil })
    var counts = [Int](repeating: 0, count: Self.size.width * Self.size.height)
    for object in masks {
      let mask = try #require(object.mask)
      #expect(mask.box == object.box)
      for y in 0..<Self.size.height {
        for x in 0..<Self.size.width where mask.covers(x, y) {
          counts[y * Self.size.width + x] += 1
          #expect(truth.labels[x: x, y: y, channel: 0] == Self.labels[object.category])
        }
      }
    }
    for y in 0..<Self.size.height {
      for x in 0..<Self.size.width {
        let isObject = Self.labels.contains(truth.labels[x: x, y: y, channel: 0])
        #expect(counts[y * Self.size.width + x] == (isObject ? 1 : 0))
      }
    }
  }

  @Test func noTwoObjectsHaveOneIdentityAndItsClassNeverChanges() {
    for seed in UInt64(0)..<3 {
      var categories: [Int: Int] = [:]
      for index in stride(from: -60, through: 600, by: 30) {
        let boxes = street(seed).boxes(at: index)
        let identities = boxes.compactMap(\.identity)
        #expect(identities.count == boxes.count && Set(identities).count == boxes.count)
        #expect(identities == identities.sorted())
        for (identity, box) in zip(identities, boxes) {
          #expect(categories[identity, default: box.category] == box.category)
          categories[identity] = box.category
        }
      }
      #expect(categories.count > 40, "\(categories.count) objects in 44 seconds")
    }
  }

  @Test func whatNothingHidesIsIgnoredOnlyWhereItIsTiny() {
    var (tiny, clear) = (0, 0)
    for index in stride(from: 0, to: 600, by: 30) {
      let truth = street(3).truth(at: index)
      for object in truth.boxes where isAlone(object, truth) {
        let depths = depths(of: object, truth)
        let far = depths.max() ?? 0
        let near = object.box.grown(by: max(object.box.width, object.box.height, 8))
        let isHidden = depthPixels(truth, near).contains { label, depth in
          label != Self.labels[object.category] && label != 3 && label != 4 && depth > 0
            && depth < far
        }
        if isHidden { continue }
        #expect(object.isIgnored == (depths.count < Self.fewest))
        if object.isIgnored { tiny += 1 } else { clear += 1 }
      }
    }
    #expect(tiny > 0 && clear > 10, "\(tiny) tiny and \(clear) clear objects")
  }

  @Test func whatIsIgnoredThoughItIsLargeHasThreeTimesAsMuchBeforeIt() {
    var count = 0
    for seed in UInt64(0)..<5 {
      for index in stride(from: 0, to: 300, by: 30) {
        let truth = street(seed).truth(at: index)
        for object in truth.boxes where object.isIgnored && isAlone(object, truth) {
          let depths = depths(of: object, truth)
          guard depths.count > Self.fewest else { continue }
          let far = depths.max() ?? 0
          let before = truth.depth.metres.filter { $0 > 0 && $0 < far }.count - depths.count
          #expect(before >= 3 * depths.count - 1)
          count += 1
        }
      }
    }
    #expect(count > 1, "\(count) large objects were ignored")
  }

  // MARK: Slow references

  /// Whether no other object of its class reaches into its box.
  private func isAlone(_ object: GroundTruthBox, _ truth: StreetTruth) -> Bool {
    !truth.boxes.contains {
      $0.identity != object.identity && $0.category == object.category
        && $0.box.intersection(with: object.box) > 0
    }
  }

  /// The pixels of an object that is alone.
  private func pixels(
    of object: GroundTruthBox, _ truth: StreetTruth
  ) -> [(x: Int, y: Int)] {
    let (columns, rows) = ranges(object.box)
    return rows.flatMap { y in
      columns.filter { truth.labels[x: $0, y: y] == Self.labels[object.category] }.map { ($0, y) }
    }
  }

  private func depths(of object: GroundTruthBox, _ truth: StreetTruth) -> [Float] {
    pixels(of: object, truth).map { truth.depth.metres[$0.y * Self.size.width + $0.x] }
  }

  private func depthPixels(
    _ truth: StreetTruth, _ box: BoundingBox
  ) -> [(label: UInt8, depth: Float)] {
    let (columns, rows) = ranges(box)
    return rows.flatMap { y in
      columns.map { x in
        (truth.labels[x: x, y: y], truth.depth.metres[y * Self.size.width + x])
      }
    }
  }

  /// The columns and rows of a box, inside the picture.
  private func ranges(_ box: BoundingBox) -> (Range<Int>, Range<Int>) {
    let columns = max(0, Int(box.x))..<min(Self.size.width, Int(box.x + box.width))
    return (columns, max(0, Int(box.y))..<min(Self.size.height, Int(box.y + box.height)))
  }

  private func holds(_ box: BoundingBox, _ x: Int, _ y: Int) -> Bool {
    let (columns, rows) = ranges(box)
    return columns.contains(x) && rows.contains(y)
  }
}

extension BoundingBox {
  fileprivate func holds(_ u: Double, _ v: Double) -> Bool {
    u >= x && v >= y && u <= x + width && v <= y + height
  }

  fileprivate func grown(by margin: Double) -> BoundingBox {
    BoundingBox(
      x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin)
  }
}
