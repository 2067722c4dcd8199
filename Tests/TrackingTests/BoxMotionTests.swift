// SPDX-License-Identifier: Apache-2.0
import Flow
import Testing
import Tracking
import Video

private let picture = PixelSize(width: 160, height: 120)

/// A field whose cell at a place moves as `motion` says, in pixels of the picture.
private func field(
  _ size: PixelSize = picture, known: ((Double, Double) -> Bool)? = nil,
  _ motion: (_ x: Double, _ y: Double) -> (Double, Double)
) -> MotionField {
  let (sx, sy) = (
    Double(picture.width) / Double(size.width), Double(picture.height) / Double(size.height)
  )
  var values: [Float] = []
  var marks: [UInt8] = []
  for row in 0..<size.height {
    for column in 0..<size.width {
      let (x, y) = ((Double(column) + 0.5) * sx, (Double(row) + 0.5) * sy)
      let (dx, dy) = motion(x, y)
      values += [Float(dx / sx), Float(dy / sy)]
      marks.append(known?(x, y) ?? true ? 1 : 0)
    }
  }
  return MotionField(width: size.width, height: size.height, displacements: values, known: marks)
}

private func step(_ forward: MotionField) -> MotionStep {
  MotionStep(size: picture, forward: forward)
}

private func expectNear(
  _ box: BoundingBox, _ other: BoundingBox, within error: Double,
  _ location: SourceLocation = #_sourceLocation
) {
  let differences = [
    box.x - other.x, box.y - other.y, box.x + box.width - other.x - other.width,
    box.y + box.height - other.y - other.height,
  ]
  #expect(
    differences.allSatisfy { abs($0) <= error }, "\(box) is not \(other)", sourceLocation: location)
}

@Suite struct BoxMotionTests {
  private let start = BoundingBox(x: 50, y: 40, width: 40, height: 30)

  @Test func equalFramesLeaveABoxAsItIs() {
    var motion = BoxMotion(box: start)
    for _ in 0..<5 { motion.advance(along: step(field { _, _ in (0, 0) })) }
    expectNear(motion.box, start, within: 1e-9)
    #expect(motion.age == 5)
    #expect(motion.support > 0.9)
  }

  @Test(arguments: [false, true])
  func anAffineMotionIsFollowedExactly(isBackward: Bool) {
    // x' = 1.03 x - 2 and y' = 0.98 y + 1.5 in each step; their powers are known.
    var motion = BoxMotion(box: start)
    var (left, right, top, bottom) = (50.0, 90.0, 40.0, 70.0)
    for _ in 0..<6 {
      let moved =
        isBackward
        ? MotionStep(
          size: picture,
          backward: field { x, y in ((x + 2) / 1.03 - x, (y - 1.5) / 0.98 - y) })
        : step(field { x, y in (0.03 * x - 2, -0.02 * y + 1.5) })
      motion.advance(along: moved)
      (left, right) = (1.03 * left - 2, 1.03 * right - 2)
      (top, bottom) = (0.98 * top + 1.5, 0.98 * bottom + 1.5)
    }
    expectNear(
      motion.box, BoundingBox(x: left, y: top, width: right - left, height: bottom - top),
      within: isBackward ? 0.8 : 0.5)
  }

  @Test func aFieldOnACoarserGridMeansTheSame() {
    let coarse = PixelSize(width: 40, height: 60)
    var (one, other) = (BoxMotion(box: start), BoxMotion(box: start))
    for _ in 0..<4 {
      one.advance(along: step(field { x, _ in (0.02 * x, -1) }))
      other.advance(along: step(field(coarse) { x, _ in (0.02 * x, -1) }))
    }
    expectNear(one.box, other.box, within: 0.05)
  }

  @Test func theBackgroundInsideTheBoxDoesNotDragIt() {
    // A disc goes to the right; around it, in the box's corners too, all goes to the left.
    var motion = BoxMotion(box: start)
    for frame in 0..<8 {
      let centre = (70 + 3 * Double(frame), 55.0)
      motion.advance(
        along: step(
          field { x, y in
            let (across, down) = ((x - centre.0) / 20, (y - centre.1) / 15)
            return across * across + down * down <= 1 ? (3, 0) : (-6, 1)
          }))
    }
    expectNear(motion.box, BoundingBox(x: 74, y: 40, width: 40, height: 30), within: 1.5)
  }

  @Test func whatPassesInFrontDoesNotTakeTheBoxAlong() {
    // A bar of a quarter of the box's width crosses the object and the background.
    var motion = BoxMotion(box: start)
    for frame in 0..<12 {
      let (bar, left) = (20 + 8 * Double(frame), 50 + Double(frame))
      motion.advance(
        along: step(
          field { x, y in
            if x >= bar && x < bar + 10 { return (8, 0) }
            let isInside = x >= left && x <= left + 40 && y >= 40 && y <= 70
            return isInside ? (1, 0) : (0, 0)
          }))
    }
    expectNear(motion.box, BoundingBox(x: 62, y: 40, width: 40, height: 30), within: 2)
  }

  @Test func anEllipseThatIsShearedGetsTheBoxAroundIt() {
    var motion = BoxMotion(box: start)
    for _ in 0..<5 { motion.advance(along: step(field { _, y in (0.08 * (y - 55), 0) })) }
    // The ellipse x = 20 cos t + 0.4 · 15 sin t reaches √(20² + 6²).
    let reach = (400.0 + 36).squareRoot()
    expectNear(
      motion.box, BoundingBox(x: 70 - reach, y: 40, width: 2 * reach, height: 30), within: 0.6)
  }

  @Test func aBoxIsCutOffWhereItLeavesThePicture() {
    var motion = BoxMotion(box: start)
    for _ in 0..<10 { motion.advance(along: step(field { _, _ in (-6, 0) })) }
    expectNear(motion.uncutBox, BoundingBox(x: -10, y: 40, width: 40, height: 30), within: 0.5)
    expectNear(motion.box, BoundingBox(x: 0, y: 40, width: 30, height: 30), within: 0.5)
    for _ in 0..<8 { motion.advance(along: step(field { _, _ in (-6, 0) })) }
    #expect(motion.box.area == 0)
  }

  @Test func whereNothingIsKnownABoxGoesOnAsItMoved() {
    let unknown = step(field(known: { _, _ in false }) { _, _ in (40, 40) })
    var motion = BoxMotion(box: start)
    motion.advance(along: unknown)
    expectNear(motion.box, start, within: 1e-9)
    #expect(motion.support == 0)
    motion.advance(along: step(field { _, _ in (2, 1) }))
    for _ in 0..<3 { motion.advance(along: unknown) }
    expectNear(motion.box, BoundingBox(x: 58, y: 44, width: 40, height: 30), within: 0.2)
    motion.advance(along: MotionStep(size: picture))
    expectNear(motion.box, BoundingBox(x: 60, y: 45, width: 40, height: 30), within: 0.2)
  }

  @Test func fieldsThatDisagreeAreNotTrusted() {
    // The left half of the forward field is wrong, as the backward field tells.
    let forward = field { x, _ in x < 74 ? (9, 7) : (2, 0) }
    let backward = field { _, _ in (-2, 0) }
    var motion = BoxMotion(box: start)
    for _ in 0..<3 {
      motion.advance(along: MotionStep(size: picture, forward: forward, backward: backward))
    }
    expectNear(motion.box, BoundingBox(x: 56, y: 40, width: 40, height: 30), within: 1)
  }

  @Test func flowThatThePictureContradictsDoesNotCount() {
    // All moves by a pixel, as the flow says, but something else appears in the upper third.
    func image(_ shift: Int) -> Image {
      Image(
        width: 160, height: 120, channels: 1,
        bytes: (0..<160 * 120).map { at -> UInt8 in
          let (x, y) = (at % 160, at / 160)
          return y < 50 && shift > 0 ? texture(x + 777, y) : texture(x - shift, y)
        })
    }
    let flow = field { _, _ in (1, 0) }
    var (checked, blind) = (BoxMotion(box: start), BoxMotion(box: start))
    blind.advance(along: step(flow))
    checked.advance(
      along: MotionStep(size: picture, forward: flow, pictures: (image(0), image(1))))
    #expect(blind.support > 0.95)
    #expect((0.6...0.85).contains(checked.support), "\(checked.support)")
    expectNear(checked.box, blind.box, within: 0.3)
  }

  @Test func driftThatKeysShowIsCarriedOn() {
    // The object grows by a tenth every five frames and the flow does not see it.
    func error(gain: Double) -> Double {
      var motion = BoxMotion(box: start, settings: .init(driftGain: gain))
      var size = SIMD2(40.0, 30.0)
      for _ in 0..<4 {
        for _ in 0..<5 { motion.advance(along: step(field { _, _ in (0, 0) })) }
        size *= 1.1
        motion.restart(
          at: BoundingBox(
            x: 70 - size.x / 2, y: 55 - size.y / 2, width: size.x, height: size.y))
      }
      for _ in 0..<4 { motion.advance(along: step(field { _, _ in (0, 0) })) }
      return abs(motion.box.width - size.x * 1.08)
    }
    #expect(error(gain: 0.5) < 0.6 * error(gain: 0))
  }

  @Test func aCopyGoesItsOwnWay() {
    var one = BoxMotion(box: start)
    one.advance(along: step(field { _, _ in (2, 0) }))
    var other = one
    other.advance(along: step(field { _, _ in (0, 5) }))
    one.advance(along: step(field { _, _ in (2, 0) }))
    #expect(one.box.y < 41)
    #expect(other.box.y > 42)
  }

  @Test func texturesThatMoveAreFollowedByTheFlowThatIsFound() throws {
    func image(_ frame: Int) -> Frame {
      let object = SIMD2(50 + 4 * frame, 40 + frame)
      let bytes = (0..<120 * 160).flatMap { at -> [UInt8] in
        let (x, y) = (at % 160, at / 160)
        let isObject = (0..<40).contains(x - object.x) && (0..<30).contains(y - object.y)
        let (u, v) = isObject ? (x - object.x + 500, y - object.y) : (x + 3 * frame, y)
        return [UInt8](repeating: texture(u, v), count: 3)
      }
      return Frame(
        index: frame, time: Double(frame),
        pixels: Image(width: 160, height: 120, channels: 3, bytes: bytes))
    }
    let flow = DISFlow(preset: .medium, threads: 1)
    var motion = BoxMotion(box: start)
    for frame in 1...8 {
      motion.advance(along: try MotionStep(from: image(frame - 1), to: image(frame), by: flow))
    }
    let truth = BoundingBox(x: 82, y: 48, width: 40, height: 30)
    #expect(motion.box.intersectionOverUnion(with: truth) > 0.85, "\(motion.box)")
  }

  /// Smooth noise without a period.
  private func texture(_ x: Int, _ y: Int) -> UInt8 {
    func noise(_ x: Int, _ y: Int) -> Double {
      var value = UInt64(truncatingIfNeeded: x &* 73_856_093 ^ y &* 19_349_663)
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      return Double((value ^ (value >> 27)) % 1000) / 1000
    }
    let (column, row) = (x / 4, y / 4)
    let (a, b) = (Double(x % 4) / 4, Double(y % 4) / 4)
    let upper = noise(column, row) * (1 - a) + noise(column + 1, row) * a
    let lower = noise(column, row + 1) * (1 - a) + noise(column + 1, row + 1) * a
    return UInt8(20 + 200 * (upper * (1 - b) + lower * b))
  }
}

struct VelocityTests {
  // SORT's filter, by filterpy 1.4.5 with the matrices of SORT's own program: a box that goes
  // right, down and grows, found on every fifth frame.
  private static let golden: [Int: [Double]] = [
    3: [20, 30, 60, 50], 6: [43.8691, 39.083, 87.7301, 61.3167],
    9: [55.8046, 43.6942, 101.593, 66.9049], 11: [63.8413, 46.6288, 110.7584, 70.7711],
    12: [67.8286, 48.1679, 115.3711, 72.6319],
  ]

  private func truth(_ frame: Double) -> BoundingBox {
    let (left, top) = (20 + 4 * frame, 30 + 1.5 * frame)
    return BoundingBox(
      x: left, y: top, width: 60 + 4.6 * frame - left, height: 50 + 1.9 * frame - top)
  }

  @Test func theFilterIsSORTs() throws {
    var motion = BoxMotion(box: truth(0), settings: BoxMotion.Settings(way: .velocity))
    let step = MotionStep(size: PixelSize(width: 400, height: 300))
    for frame in 1...12 {
      motion.advance(along: step)
      let box = motion.uncutBox
      if let theirs = Self.golden[frame] {
        let mine = [box.x, box.y, box.x + box.width, box.y + box.height]
        #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) < 1e-3 }, "\(frame): \(mine)")
      }
      if frame % 5 == 0 { motion.restart(at: truth(Double(frame))) }
    }
  }

  @Test func aBoxAtRestStays() {
    var motion = BoxMotion(box: truth(0), settings: BoxMotion.Settings(way: .rest))
    motion.advance(along: MotionStep(size: picture))
    #expect(motion.box == truth(0) && motion.age == 1)
  }
}
