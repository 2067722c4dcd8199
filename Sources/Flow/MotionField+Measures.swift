// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension MotionField {
  /// The same motion, unknown where it reads outside the grid.
  public func keptInside() -> MotionField {
    var known = known ?? [UInt8](repeating: 1, count: width * height)
    let displacements = displacements
    for y in 0..<height {
      for x in 0..<width {
        let at = y * width + x
        let (column, row) = (
          Float(x) + displacements[2 * at], Float(y) + displacements[2 * at + 1]
        )
        let isInside =
          column >= 0 && row >= 0 && column <= Float(width - 1) && row <= Float(height - 1)
        if !isInside { known[at] = 0 }
      }
    }
    return MotionField(
      width: width, height: height, displacements: displacements, known: known)
  }

  /// How far things moved, in cells, averaged over what is known; nil where nothing is.
  public var meanLength: Float? {
    var (sum, count) = (0.0, 0)
    withReader { field in
      for cell in 0..<(width * height) where field[cell].isKnown {
        sum += Double(field[cell].length)
        count += 1
      }
    }
    return count == 0 ? nil : Float(sum / Double(count))
  }

  /// The root of the mean square difference of what is known from its mean, in cells; nil where
  /// nothing is.
  public var standardDeviation: Float? {
    var (x, y, squares, count) = (0.0, 0.0, 0.0, 0.0)
    withReader { field in
      for cell in 0..<(width * height) where field[cell].isKnown {
        let (dx, dy) = (Double(field[cell].dx), Double(field[cell].dy))
        (x, y, squares, count) = (x + dx, y + dy, squares + dx * dx + dy * dy, count + 1)
      }
    }
    guard count > 0 else { return nil }
    let variance = squares / count - (x * x + y * y) / (count * count)
    return Float(max(0, variance).squareRoot())
  }

  /// The share of cells whose motion is known, from 0 to 1.
  public var validFraction: Float {
    guard let known else { return 1 }
    return Float(known.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }) / Float(width * height)
  }

  /// This motion, unknown where `back`, the motion from the reference to here, does not lead back.
  ///
  /// Such a cell is hidden in the reference, or one of the fields is wrong there (Sundaram et al.,
  /// ECCV 2010, eq. 5): `|f + b|² > relative · (|f|² + |b|²) + absolute`, where b is read
  /// bilinearly at p + f. What leads off the frame has nothing to be checked against and is unknown
  /// too.
  ///
  /// - Throws: `FlowError.Code.sizesDiffer` where the two do not lie on one grid.
  public func consistent(
    with back: MotionField, relative: Float = 0.01, absolute: Float = 0.5
  ) throws(FlowError) -> MotionField {
    try requireSameGrid(as: back)
    return withField { field in
      back.withField { back in
        Self.made(width: width, height: height) {
          ck_check_field(field, back, relative, absolute, $0)
        }
      }
    }
  }

  /// The motion from the reference to here: each known cell hands its motion, negated, to the cell
  /// nearest to where it leads.
  ///
  /// Of several that lead to one cell the one that moves furthest counts, as near things move
  /// faster than what they hide. Cells that none leads to are unknown.
  public func reversed() -> MotionField {
    var displacements = [Float](repeating: 0, count: 2 * width * height)
    var marks = [UInt8](repeating: 0, count: width * height)
    withReader { field in
      for y in 0..<height {
        for x in 0..<width {
          let there = field[y * width + x]
          guard there.isKnown, let cell = cell(atX: Float(x) + there.dx, y: Float(y) + there.dy)
          else {
            continue
          }
          let held = Reader.Value(
            dx: displacements[2 * cell], dy: displacements[2 * cell + 1], isKnown: true)
          guard marks[cell] == 0 || held.squaredLength < there.squaredLength else { continue }
          (displacements[2 * cell], displacements[2 * cell + 1]) = (-there.dx, -there.dy)
          marks[cell] = 1
        }
      }
    }
    return MotionField(width: width, height: height, displacements: displacements, marks: marks)
  }

  /// The cell nearest to a place; nil off the grid.
  private func cell(atX x: Float, y: Float) -> Int? {
    guard x >= -0.5 && x < Float(width) - 0.5 && y >= -0.5 && y < Float(height) - 0.5 else {
      return nil
    }
    return Int((y + 0.5).rounded(.down)) * width + Int((x + 0.5).rounded(.down))
  }
}

extension MotionField.Reader.Value {
  var squaredLength: Float { dx * dx + dy * dy }
  var length: Float { squaredLength.squareRoot() }
}
