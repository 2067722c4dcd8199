// SPDX-License-Identifier: Apache-2.0

import Flow
import Testing
import Tracking
import Video

struct CarriedMaskTests {
  private let size = PixelSize(width: 80, height: 60)

  /// The pixels of the picture in whose middle `isInside` holds.
  private func mask(_ isInside: (SIMD2<Double>) -> Bool) -> ObjectMask {
    let cells = (0..<60).flatMap { y in
      (0..<80).map { x -> UInt8 in isInside(SIMD2(Double(x) + 0.5, Double(y) + 0.5)) ? 1 : 0 }
    }
    return ObjectMask(size: size, left: 0, top: 0, width: 80, cells: cells)
  }

  /// A step whose flow to the frame before `back` gives at the middle of each pixel.
  private func step(_ back: (SIMD2<Double>) -> SIMD2<Double>) -> MotionStep {
    let values = (0..<60).flatMap { y in
      (0..<80).flatMap { x -> [Float] in
        let motion = back(SIMD2(Double(x) + 0.5, Double(y) + 0.5))
        return [Float(motion.x), Float(motion.y)]
      }
    }
    return MotionStep(
      size: size, backward: MotionField(width: 80, height: 60, displacements: values))
  }

  /// A box that moves by (`dx`, `dy`), as an object's.
  private func advance(
    _ carried: inout CarriedMask, along step: MotionStep, _ dx: Double, _ dy: Double,
    growing scale: Double = 1
  ) {
    let last = carried.mask.box
    let (width, height) = (scale * last.width, scale * last.height)
    let now = BoundingBox(
      x: last.x + dx - (width - last.width) / 2, y: last.y + dy - (height - last.height) / 2,
      width: width, height: height)
    carried.advance(along: step, from: last, to: now)
  }

  private func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
    (((a - b) * (a - b)).sum()).squareRoot()
  }

  @Test func wholePixelsOfMotionMoveTheMaskExactly() {
    let start = mask { distance($0, SIMD2(30, 25)) < 9 && $0.x < 34 }
    var carried = CarriedMask(start)
    for _ in 0..<5 { advance(&carried, along: step { _ in SIMD2(-3, -2) }, 3, 2) }
    #expect(carried.mask == mask { distance($0, SIMD2(45, 35)) < 9 && $0.x < 49 })
    #expect(carried.key == start)
  }

  /// Half pixels in each of many steps: a mask that were resampled each time would be blurred.
  @Test func manyStepsResampleOnce() {
    let start = mask { $0.x > 10 && $0.x < 13 && $0.y > 5 && $0.y < 50 }
    var carried = CarriedMask(start)
    for _ in 0..<40 { advance(&carried, along: step { _ in SIMD2(-0.5, 0) }, 0.5, 0) }
    #expect(carried.mask == mask { $0.x > 30 && $0.x < 33 && $0.y > 5 && $0.y < 50 })
  }

  /// Growing about a point by a fiftieth a frame.
  @Test func growthIsFollowed() {
    let centre = SIMD2(40.0, 30.0)
    var carried = CarriedMask(mask { distance($0, centre) < 14 })
    for _ in 0..<8 {
      advance(&carried, along: step { (centre - $0) * (1 - 1 / 1.02) }, 0, 0, growing: 1.02)
    }
    var radius = 14.0
    for _ in 0..<8 { radius *= 1.02 }
    let expected = mask { distance($0, centre) < radius }
    #expect(carried.mask.intersectionOverUnion(with: expected) > 0.95)
  }

  /// An object moves before a background that stands, and the flow is smeared over the border, as
  /// estimated flow is: along it the mask would be torn.
  @Test func theMotionOfTheInsideGoesOnOverTheBorder() {
    func centre(_ index: Int) -> SIMD2<Double> { SIMD2(20 + 3 * Double(index), 30) }
    /// How much of the object's motion the flow has: it falls to nothing over the border.
    func share(of place: SIMD2<Double>, _ index: Int) -> Double {
      min(max((12 - distance(place, centre(index))) / 4 + 0.5, 0), 1)
    }
    var carried = CarriedMask(mask { distance($0, centre(0)) < 12 })
    var torn = carried.mask
    for index in 1...10 {
      let flow = step { place in
        SIMD2(-3 * share(of: place, index), 0)
      }
      advance(&carried, along: flow, 3, 0)
      // The common field, from frame to frame.
      let before = torn
      torn = mask { place in
        before.covers(Int((place.x - 3 * share(of: place, index)).rounded(.down)), Int(place.y))
      }
    }
    let expected = mask { distance($0, centre(10)) < 12 }
    #expect(carried.mask.intersectionOverUnion(with: expected) > 0.9)
    #expect(torn.intersectionOverUnion(with: expected) < 0.8)
  }

  @Test func aMaskLeavesThePicture() {
    var carried = CarriedMask(mask { distance($0, SIMD2(70, 30)) < 6 })
    var areas: [Int] = []
    for _ in 0..<6 {
      advance(&carried, along: step { _ in SIMD2(-4, 0) }, 4, 0)
      areas.append(carried.mask.area)
    }
    #expect(areas == areas.sorted(by: >) && areas.last == 0)
    advance(&carried, along: step { _ in SIMD2(-4, 0) }, 4, 0)
    #expect(carried.mask.isEmpty && carried.mask.size == size)
  }

  /// Where no flow is known the mask goes on as its object does.
  @Test func withoutFlowTheObjectsMotionIsTaken() {
    var carried = CarriedMask(mask { distance($0, SIMD2(30, 25)) < 9 })
    let nothing = MotionStep(
      size: size,
      backward: MotionField(
        width: 80, height: 60, displacements: [Float](repeating: 50, count: 9600),
        known: [UInt8](repeating: 0, count: 4800)))
    advance(&carried, along: nothing, 2, 1)
    #expect(carried.mask == mask { distance($0, SIMD2(32, 26)) < 9 })
    // Flow that leads from the frame before only says nothing of the later frame's pixels.
    advance(&carried, along: MotionStep(size: size), -2, -1)
    #expect(carried.mask == carried.key)
  }

  /// A coarser field covers the frame: the motion is read between its cells, in pixels.
  @Test func aCoarserFieldIsRead() {
    var carried = CarriedMask(mask { distance($0, SIMD2(30, 25)) < 9 })
    let values = (0..<600).map { $0.isMultiple(of: 2) ? Float(-0.75) : Float(-0.5) }
    let coarse = MotionField(width: 20, height: 15, displacements: values)
    advance(&carried, along: MotionStep(size: size, backward: coarse), 3, 2)
    #expect(carried.mask == mask { distance($0, SIMD2(33, 27)) < 9 })
  }

  // MARK: With boxes

  private func found(_ x: Double, _ mask: ObjectMask, points: [KeyPoint] = []) -> Detection {
    Detection(box: mask.box, category: 0, score: 0.9, mask: mask, points: points)
  }

  @Test(arguments: BoxMotion.Settings.Way.allCases)
  func masksAndPointsGoWithTheirBoxes(way: BoxMotion.Settings.Way) throws {
    func disc(_ x: Double) -> ObjectMask { mask { distance($0, SIMD2(x, 30)) < 9 } }
    let motion = BoxMotion.Settings(way: way)
    var tracks = BoxTracks(settings: BoxTracks.Settings(motion: motion))
    let flow = step { _ in SIMD2(-2, 0) }
    for index in 0..<6 {
      // Key frames every other frame, so that a velocity is known.
      let x = 20 + 2 * Double(index)
      if index > 0 { tracks.advance(along: flow) }
      if index < 5 {
        tracks.take([found(x, disc(x), points: [KeyPoint(x: x, y: 24), KeyPoint(x: x + 3, y: 30)])])
      }
    }
    let object = try #require(tracks.boxes.first?.detection)
    let expected = disc(way == .rest ? 28 : 30)
    #expect(try #require(object.mask).intersectionOverUnion(with: expected) > 0.9)
    #expect(object.points.count == 2)
    let x = way == .rest ? 28.0 : 30
    #expect(abs(object.points[0].x - x) < 0.7 && abs(object.points[1].x - x - 3) < 0.7)
    #expect(abs(object.points[0].y - 24) < 0.7)
  }

  @Test func aBoxFarOutsideHasNoMask() {
    let disc = mask { distance($0, SIMD2(70, 30)) < 6 }
    var tracks = BoxTracks(
      settings: BoxTracks.Settings(motion: BoxMotion.Settings(way: .velocity), leastVisible: 0))
    for x in [60.0, 65, 70] {
      tracks.advance(along: MotionStep(size: size))
      let there = mask { distance($0, SIMD2(x, 30)) < 6 }
      tracks.take([found(x, there)])
    }
    for _ in 0..<20 { tracks.advance(along: MotionStep(size: size)) }
    #expect(tracks.boxes.allSatisfy { $0.detection.mask?.isEmpty == true })
    #expect(!disc.isEmpty)
  }
}
