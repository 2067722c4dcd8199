// SPDX-License-Identifier: Apache-2.0
import Flow
import Testing

struct MotionFieldTests {
  @Test(arguments: [(1, 1), (1, 7), (8, 1), (12, 9), (33, 17)])
  func zeroMotionIsTheIdentityOfComposition(width: Int, height: Int) throws {
    let motion = random(width: width, height: height, seed: 1)
    let still = MotionField.zero(width: width, height: height)
    #expect(try still.composed(with: motion) == motion)
    #expect(try motion.composed(with: still) == motion)
  }

  @Test func constantMotionsAdd() throws {
    #expect(try uniform(3, -1).composed(with: uniform(-7.5, 2)) == uniform(-4.5, 1))
  }

  @Test func compositionReadsWhereTheFirstMotionLeads() throws {
    // The first leads two cells right and one down; the second tells its own place.
    let first = uniform(2, 1)
    let second = field(width: 12, height: 9) { x, y in (Float(10 * x), Float(100 * y)) }
    let both = try first.composed(with: second)
    #expect(both[x: 3, y: 4] == (2 + 50, 1 + 500))
    // Off the grid the border cell is read.
    #expect(both[x: 11, y: 8] == (2 + 110, 1 + 800))
  }

  @Test func compositionIsBilinearBetweenCells() throws {
    let second = field(width: 12, height: 9) { x, y in (Float(4 * x), Float(8 * y)) }
    let both = try uniform(0.25, 0.5).composed(with: second)
    #expect(both[x: 3, y: 4] == (0.25 + 13, 0.5 + 36))
  }

  @Test func compositionMatchesASlowLoop() throws {
    let (first, second) = (
      random(width: 13, height: 11, seed: 2), random(width: 13, height: 11, seed: 3)
    )
    let both = try first.composed(with: second)
    for y in 0..<11 {
      for x in 0..<13 {
        let wanted = slowlyComposed(first, second, x, y)
        #expect(both.isKnown(x: x, y: y) == (wanted != nil))
        guard let wanted else { continue }
        let found = both[x: x, y: y]
        #expect(abs(found.dx - wanted.dx) < 1e-4 && abs(found.dy - wanted.dy) < 1e-4)
      }
    }
  }

  @Test func whatIsUnknownOnEitherWayStaysUnknown() throws {
    let hole = field(width: 12, height: 9) { x, y in (x, y) == (5, 4) ? nil : (1, 0) }
    let known = try hole.composed(with: hole)
    #expect(!known.isKnown(x: 5, y: 4) && !known.isKnown(x: 4, y: 4) && known.isKnown(x: 6, y: 4))
    #expect(known.validFraction == 106.0 / 108)
  }

  @Test func motionThatIsNoNumberLeadsNowhere() throws {
    let broken = field(width: 4, height: 4) { x, y in
      (x, y) == (1, 1) ? (.nan, 0) : (x, y) == (2, 1) ? (0, -.infinity) : (0, 0)
    }
    let composed = try broken.composed(with: uniform(1, 1, width: 4, height: 4))
    #expect(!composed.isKnown(x: 1, y: 1) && !composed.isKnown(x: 2, y: 1))
    #expect(composed.validFraction == 14.0 / 16)
  }

  @Test func fieldsOnDifferentGridsAreNotComposed() throws {
    let error = try #require(throws: FlowError.self) {
      try uniform(0, 0, width: 4).composed(with: uniform(0, 0, width: 5))
    }
    #expect(error.code == .sizesDiffer)
    #expect(error.message.contains("4×9") && error.message.contains("5×9"))
  }

  @Test func resizingScalesTheTwoAxesApart() {
    #expect(
      uniform(6, -4, width: 12, height: 8).resized(width: 6, height: 2)
        == uniform(3, -1, width: 6, height: 2))
    #expect(
      uniform(3, -1, width: 6, height: 2).resized(width: 12, height: 8)
        == uniform(6, -4, width: 12, height: 8))
  }

  @Test func resizingToTheSameSizeChangesNothing() {
    let motion = random(width: 33, height: 17, seed: 4)
    #expect(motion.resized(width: 33, height: 17) == motion)
  }

  @Test func resizingKeepsARampInItsPlace() {
    // A zoom about the frame's outline, sampled at cell centres, is linear: halving reads it
    // exactly.
    let zoom = field(width: 16, height: 12) { x, y in (Float(x) + 0.5, Float(y) + 0.5) }
    let half = zoom.resized(width: 8, height: 6)
    #expect(half == field(width: 8, height: 6) { x, y in (Float(x) + 0.5, Float(y) + 0.5) })
    let back = half.resized(width: 16, height: 12)
    for y in 1..<11 {
      for x in 1..<15 { #expect(back[x: x, y: y] == zoom[x: x, y: y]) }
    }
  }

  @Test func resizingSpreadsWhatIsUnknown() {
    let hole = field(width: 8, height: 8) { x, y in (x, y) == (3, 3) ? nil : (2, 2) }
    let half = hole.resized(width: 4, height: 4)
    #expect(!half.isKnown(x: 1, y: 1) && half.validFraction == 15.0 / 16)
  }

  @Test func meanLengthIsOverWhatIsKnown() {
    let half = field(width: 4, height: 2) { x, _ in x < 2 ? (3, 4) : nil }
    #expect(half.meanLength == 5)
    #expect(MotionField.unknown(width: 4, height: 2).meanLength == nil)
  }

  @Test func motionThatComesBackIsConsistent() throws {
    let checked = try uniform(2, 0).consistent(with: uniform(-2, 0))
    for y in 0..<9 {
      for x in 0..<12 { #expect(checked.isKnown(x: x, y: y) == (x < 10)) }
    }
    #expect(try uniform(2, 0).consistent(with: uniform(0, 0)).validFraction == 0)
  }

  @Test func reversedMotionLeadsBack() throws {
    let back = uniform(2, -1).reversed()
    for y in 0..<9 {
      for x in 0..<12 {
        #expect(back.isKnown(x: x, y: y) == (x >= 2 && y < 8))
        if back.isKnown(x: x, y: y) { #expect(back[x: x, y: y] == (-2, 1)) }
      }
    }
  }

  @Test func theFasterOfTwoThatMeetIsTheNearerOne() {
    let meeting = field(width: 6, height: 1) { x, _ in
      x == 0 ? (3, 0) : x == 2 ? (1, 0) : nil
    }
    #expect(meeting.reversed()[x: 3, y: 0] == (-3, 0))
  }

  @Test func holesAreFilledFromTheNearestBlockThatKnows() {
    let holed = field(width: 5, height: 3) { x, y in
      (x, y) == (0, 0) ? (2, 4) : (x, y) == (4, 2) ? (6, 0) : nil
    }
    let filled = holed.filled()
    #expect(filled.known == nil)
    #expect(filled[x: 1, y: 1] == (2, 4))  // its own block of 2×2
    #expect(filled[x: 3, y: 0] == (2, 4))  // its block of 4×4
    #expect(filled[x: 4, y: 2] == (6, 0))
    #expect(filled[x: 4, y: 0] == (6, 0))
    #expect(MotionField.unknown(width: 5, height: 3).filled() == .zero(width: 5, height: 3))
    let whole = random(width: 9, height: 7, seed: 9, holes: false)
    #expect(whole.filled() == whole)
  }

  @Test func fillingChangesNothingThatIsKnown() {
    let holed = random(width: 33, height: 17, seed: 10)
    let filled = holed.filled()
    for y in 0..<17 {
      for x in 0..<33 where holed.isKnown(x: x, y: y) {
        #expect(filled[x: x, y: y] == holed[x: x, y: y])
      }
    }
    #expect(filled.displacements.allSatisfy { abs($0) <= 4 } && filled.validFraction == 1)
  }

  @Test func endPointErrorCountsWhatBothKnow() throws {
    let truth = field(width: 4, height: 1) { x, _ in x == 0 ? nil : (100, 0) }
    let estimate = field(width: 4, height: 1) { x, _ in
      [(0, 0), (100, 4), (90, 0), nil][x]
    }
    let error = try #require(try estimate.endPointError(against: truth))
    // 4 px off is within 5 % of 100 px; 10 px off is not.
    #expect(error.mean == 7 && error.outliers == 0.5 && error.cells == 2)
    #expect(error.coverage == 2.0 / 3)
    #expect(try estimate.endPointError(against: .unknown(width: 4, height: 1)) == nil)
  }
}

/// Composition cell by cell, all four neighbours weighted in double precision.
private func slowlyComposed(
  _ first: MotionField, _ second: MotionField, _ x: Int, _ y: Int
) -> (dx: Float, dy: Float)? {
  guard first.isKnown(x: x, y: y) else { return nil }
  let step = first[x: x, y: y]
  let atX = min(max(Double(Float(x) + step.dx), 0), Double(second.width - 1))
  let atY = min(max(Double(Float(y) + step.dy), 0), Double(second.height - 1))
  var (dx, dy) = (Double(step.dx), Double(step.dy))
  for row in 0..<second.height {
    for column in 0..<second.width {
      let weight = max(0, 1 - abs(atX - Double(column))) * max(0, 1 - abs(atY - Double(row)))
      guard weight > 0 else { continue }
      guard second.isKnown(x: column, y: row) else { return nil }
      dx += weight * Double(second[x: column, y: row].dx)
      dy += weight * Double(second[x: column, y: row].dy)
    }
  }
  return (Float(dx), Float(dy))
}
