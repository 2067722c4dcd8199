// SPDX-License-Identifier: Apache-2.0
import Flow
import Testing
import Tracking
import Video

private let picture = PixelSize(width: 60, height: 40)

private func field(_ motion: (_ x: Double, _ y: Double) -> (Double, Double)) -> MotionField {
  MotionField(
    width: 60, height: 40,
    displacements: (0..<60 * 40).flatMap { at -> [Float] in
      let (dx, dy) = motion(Double(at % 60) + 0.5, Double(at / 60) + 0.5)
      return [Float(dx), Float(dy)]
    })
}

@Suite struct CarriedPointsTests {
  @Test func pointsFollowALinearMotionBetweenPixelsToo() throws {
    var carried = CarriedPoints([KeyPoint(x: 20.3, y: 11.8), KeyPoint(x: 40, y: 30)])
    var (x, y) = (20.3, 11.8)
    for _ in 0..<5 {
      carried.advance(
        along: MotionStep(size: picture, forward: field { x, y in (0.05 * y, -0.02 * x) }))
      (x, y) = (x + 0.05 * y, y - 0.02 * x)
    }
    #expect(abs(carried.points[0].x - x) < 1e-4 && abs(carried.points[0].y - y) < 1e-4)
    #expect(carried.age == 5)
    #expect(abs(carried.points[0].confidence - 0.9039) < 1e-4, "0.98 to the fifth")
  }

  @Test func aFieldThatLeadsBackMeansTheSame() {
    var (one, other) = (
      CarriedPoints([KeyPoint(x: 30, y: 20)]), CarriedPoints([KeyPoint(x: 30, y: 20)])
    )
    for _ in 0..<3 {
      one.advance(along: MotionStep(size: picture, forward: field { x, _ in (0.1 * x - 2, 1) }))
      other.advance(
        along: MotionStep(size: picture, backward: field { x, _ in ((x + 2) / 1.1 - x, -1) }))
    }
    #expect(abs(one.points[0].x - other.points[0].x) < 0.05)
    #expect(abs(one.points[0].y - other.points[0].y) < 0.05)
  }

  @Test func whatFailsACheckLosesItsConfidence() {
    let start = [KeyPoint(x: 10, y: 20), KeyPoint(x: 50, y: 20), KeyPoint(x: 57, y: 5)]
    // The backward field disagrees on the left; the last point leaves the picture.
    var carried = CarriedPoints(start)
    carried.advance(
      along: MotionStep(
        size: picture, forward: field { _, _ in (4, 0) },
        backward: field { x, _ in x < 30 ? (3, 3) : (-4, 0) }))
    #expect(carried.points[0].confidence < 0.1)
    #expect(carried.points[1].confidence > 0.9)
    #expect(carried.points[2].confidence < 0.1)
    // What the picture contradicts.
    let dark = Image(width: 60, height: 40, channels: 1, repeating: 10)
    let bright = Image(width: 60, height: 40, channels: 1, repeating: 200)
    var seen = CarriedPoints(start)
    seen.advance(
      along: MotionStep(
        size: picture, forward: field { _, _ in (0, 0) }, pictures: (dark, bright)))
    #expect(seen.points.allSatisfy { $0.confidence < 0.1 })
  }

  @Test func whereNothingIsKnownPointsGoOn() {
    var carried = CarriedPoints([KeyPoint(x: 10, y: 20), KeyPoint(x: .nan, y: 1)])
    carried.advance(along: MotionStep(size: picture, forward: field { _, _ in (2, 1) }))
    carried.advance(along: MotionStep(size: picture))
    #expect(carried.points[0].x == 14 && carried.points[0].y == 22)
    #expect(carried.points[0].confidence < 0.1)
    #expect(carried.points[1].x.isNaN)
  }
}
