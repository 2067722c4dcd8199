// SPDX-License-Identifier: Apache-2.0
import Flow
import Testing

/// What fields are made of, cell by cell in double precision: sizes below, at and above what the
/// kernels take at a time, with holes and with values that are no numbers.
struct MotionFieldLoopTests {
  static let sizes: [(Int, Int)] = [(1, 1), (1, 6), (7, 1), (2, 2), (13, 11), (512, 2), (701, 3)]

  @Test(arguments: sizes, FlowSampling.allCases)
  func stepsAreFollowed(size: (width: Int, height: Int), sampling: FlowSampling) throws {
    let first = rough(size, seed: 1), next = rough(size, seed: 2)
    expect(try first.composed(with: next, sampling: sampling), within: 1e-4) { x, y in
      guard let step = first.cell(x, y) else { return nil }
      var (toX, toY) = (Float(x) + Float(step.dx), Float(y) + Float(step.dy))
      if sampling == .rounded { (toX, toY) = (toX.rounded(), toY.rounded()) }
      return next.read(Double(toX), Double(toY)).map { (step.dx + $0.dx, step.dy + $0.dy) }
    }
  }

  @Test(arguments: [
    (13, 11, 26, 33), (14, 10, 7, 5), (13, 11, 5, 9), (4, 3, 1301, 2), (1, 1, 3, 2),
  ])
  func fieldsAreResized(width: Int, height: Int, toWidth: Int, toHeight: Int) throws {
    let field = rough((width, height), seed: 3)
    let (across, down) = (Float(toWidth) / Float(width), Float(toHeight) / Float(height))
    expect(field.resized(width: toWidth, height: toHeight), within: 1e-4) { x, y in
      let (fromX, fromY) = ((Float(x) + 0.5) / across - 0.5, (Float(y) + 0.5) / down - 0.5)
      return field.read(Double(fromX), Double(fromY)).map {
        ($0.dx * Double(across), $0.dy * Double(down))
      }
    }
  }

  @Test(arguments: sizes) func waysAndWaysBackAreCompared(size: (width: Int, height: Int)) throws {
    let field = rough(size, seed: 4), back = rough(size, seed: 5)
    expect(try field.consistent(with: back, relative: 0.2, absolute: 2), within: 0) { x, y in
      guard let there = field.cell(x, y) else { return nil }
      let (toX, toY) = (Float(x) + Float(there.dx), Float(y) + Float(there.dy))
      guard toX >= 0 && toY >= 0 && toX <= Float(size.width - 1) && toY <= Float(size.height - 1),
        let here = back.read(Double(toX), Double(toY))
      else { return nil }
      let (x, y) = (there.dx + here.dx, there.dy + here.dy)
      let squares =
        there.dx * there.dx + there.dy * there.dy + here.dx * here.dx + here.dy * here.dy
      return x * x + y * y <= 0.2 * squares + 2 ? there : nil
    }
  }

  @Test(arguments: sizes) func holesAreFilled(size: (width: Int, height: Int)) throws {
    let field = random(width: size.width, height: size.height, seed: 6)
    let filled = field.filled()
    #expect(filled.validFraction == 1)
    expect(filled, within: 1e-4) { x, y in
      for level in 0... {
        if let mean = field.mean(ofBlock: x >> level, y >> level, level: level) { return mean }
        if 1 << level > 2 * max(size.width, size.height) { return (0, 0) }
      }
      return nil
    }
  }

  @Test func theNumberOfThreadsChangesNoBit() throws {
    let (first, next) = (rough((701, 203), seed: 7), rough((701, 203), seed: 8))
    let (alone, filled) = (try first.composed(with: next), first.filled())
    for threads in [2, 3, 64] {
      let shared = try first.composed(with: next, threads: threads)
      #expect(shared.known == alone.known)
      #expect(shared.displacements.map(\.bitPattern) == alone.displacements.map(\.bitPattern))
      // Holes are filled with means of what may be no number.
      #expect(
        first.filled(threads: threads).displacements.map(\.bitPattern)
          == filled.displacements.map(\.bitPattern))
    }
  }

  /// A cell without a weight is not looked at, be it unknown or no number, beyond the last cell
  /// too.
  @Test func whatHasNoWeightDoesNoHarm() throws {
    let broken = field(width: 4, height: 3) { x, y in
      x == 2 ? (.nan, .infinity) : y == 2 ? nil : (Float(x), Float(y))
    }
    let step = field(width: 4, height: 3) { x, y in (Float(1 - x), Float(1 - y)) }
    let composed = try step.composed(with: broken)
    #expect(composed.validFraction == 1)
    #expect(composed[x: 3, y: 2] == (-1, 0))
    let corner = field(width: 4, height: 3) { x, y in (Float(3 - x), Float(2 - y)) }
    let last = field(width: 4, height: 3) { x, y in (x, y) == (3, 2) ? (7, 9) : nil }
    let ends = try corner.composed(with: last)
    #expect(ends[x: 0, y: 0] == (10, 11) && ends.validFraction == 1)
  }

  private func expect(
    _ made: MotionField, within tolerance: Double,
    is wanted: (_ x: Int, _ y: Int) -> (dx: Double, dy: Double)?
  ) {
    for y in 0..<made.height {
      for x in 0..<made.width {
        let value = wanted(x, y)
        #expect(made.isKnown(x: x, y: y) == (value != nil), "(\(x), \(y))")
        let found = made[x: x, y: y]
        let (dx, dy) = value ?? (0, 0)
        #expect(
          abs(Double(found.dx) - dx) <= tolerance && abs(Double(found.dy) - dy) <= tolerance,
          "(\(x), \(y))")
      }
    }
  }

  /// Holes, whole and half steps, and here and there a cell that is no number.
  private func rough(_ size: (width: Int, height: Int), seed: UInt64) -> MotionField {
    let smooth = random(width: size.width, height: size.height, seed: seed)
    return field(width: size.width, height: size.height) { x, y in
      guard smooth.isKnown(x: x, y: y) else { return nil }
      let (dx, dy) = smooth[x: x, y: y]
      switch (x + 3 * y) % 23 {
      case 4: return (.nan, dy)
      case 9: return (dx, .infinity)
      case 11, 12, 13: return (dx.rounded(), dy)
      case 14, 15: return (dx.rounded() + 0.5, dy.rounded() - 0.5)
      case 16, 17: return (dx.rounded(), dy.rounded())
      default: return (dx, dy)
      }
    }
  }
}

extension MotionField {
  fileprivate func cell(_ x: Int, _ y: Int) -> (dx: Double, dy: Double)? {
    guard isKnown(x: x, y: y) else { return nil }
    return (Double(self[x: x, y: y].dx), Double(self[x: x, y: y].dy))
  }

  /// Bilinear, clamped to the grid; nil where the place is none or what has a weight is unknown or
  /// none.
  fileprivate func read(_ x: Double, _ y: Double) -> (dx: Double, dy: Double)? {
    guard x.isFinite && y.isFinite else { return nil }
    let atX = min(max(x, 0), Double(width - 1)), atY = min(max(y, 0), Double(height - 1))
    var sum = (dx: 0.0, dy: 0.0)
    for row in [Int(atY), Int(atY) + 1] {
      for column in [Int(atX), Int(atX) + 1] {
        let weight = max(0, 1 - abs(atX - Double(column))) * max(0, 1 - abs(atY - Double(row)))
        guard weight > 0 else { continue }
        guard let value = cell(column, row), (value.dx + value.dy).isFinite else { return nil }
        sum = (sum.dx + weight * value.dx, sum.dy + weight * value.dy)
      }
    }
    return sum
  }

  /// The mean of the means of the four blocks of half the side, of those that hold something known.
  fileprivate func mean(ofBlock x: Int, _ y: Int, level: Int) -> (dx: Double, dy: Double)? {
    guard level > 0 else {
      return x < width && y < height ? cell(x, y) : nil
    }
    guard x << level < width && y << level < height else { return nil }
    let parts = [(0, 0), (1, 0), (0, 1), (1, 1)].compactMap {
      mean(ofBlock: 2 * x + $0.0, 2 * y + $0.1, level: level - 1)
    }
    guard !parts.isEmpty else { return nil }
    let count = Double(parts.count)
    return (
      parts.reduce(0) { $0 + $1.dx } / count, parts.reduce(0) { $0 + $1.dy } / count
    )
  }
}
