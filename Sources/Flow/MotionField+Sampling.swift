// SPDX-License-Identifier: Apache-2.0

extension MotionField {
  /// Marks are kept only where one of them says unknown.
  init(width: Int, height: Int, displacements: [Float], marks: [UInt8]?) {
    self.init(
      width: width, height: height, displacements: displacements,
      known: marks.flatMap { $0.contains(0) ? $0 : nil })
  }

  /// The field of the same motion on another grid that covers the same frame.
  ///
  /// Read bilinearly between cell centres, which lie at half coordinates; the values are scaled by the
  /// ratio of the sizes, dx by the widths' and dy by the heights'. A cell is known where all it is read
  /// from is.
  public func resized(width: Int, height: Int) -> MotionField {
    if (width, height) == (self.width, self.height) { return self }
    let (across, down) = (Float(width) / Float(self.width), Float(height) / Float(self.height))
    return filled(width: width, height: height) { source, x, y in
      var value = source.value(
        x: (Float(x) + 0.5) / across - 0.5, y: (Float(y) + 0.5) / down - 0.5)
      (value.dx, value.dy) = (value.dx * across, value.dy * down)
      return value
    }
  }

  /// This motion and then `next`: `result(p) = self(p) + next(p + self(p))`.
  ///
  /// `next` is read bilinearly or, with rounded hops, at the nearest cell. A cell is known where this
  /// field and all it reads from `next` are. What
  /// leads off the grid reads `next` at the nearest cell of the border, as a warp that clamps does, so
  /// that it goes on leading off.
  ///
  /// - Throws: `FlowError.Code.sizesDiffer` where the two do not lie on one grid.
  public func following(
    _ next: MotionField, hops: Hops = .exact
  ) throws(FlowError) -> MotionField {
    try requireSameGrid(as: next)
    return next.composed(after: self, hops: hops)
  }

  private func composed(after first: MotionField, hops: Hops) -> MotionField {
    first.withReader { first in
      filled(width: width, height: height) { next, x, y in
        let step = first[y * width + x]
        guard step.isKnown else { return .unknown }
        var (toX, toY) = (Float(x) + step.dx, Float(y) + step.dy)
        if hops == .rounded { (toX, toY) = (toX.rounded(), toY.rounded()) }
        let rest = next.value(x: toX, y: toY)
        return Reader.Value(
          dx: step.dx + rest.dx, dy: step.dy + rest.dy, isKnown: rest.isKnown)
      }
    }
  }

  func requireSameGrid(as other: MotionField) throws(FlowError) {
    guard (width, height) == (other.width, other.height) else {
      throw .sizesDiffer("one field", (width, height), "the other", (other.width, other.height))
    }
  }
}

extension MotionField {
  /// A field's values in the open, to be read at any place.
  struct Reader {
    struct Value {
      var dx: Float, dy: Float
      var isKnown: Bool

      static let unknown = Value(dx: 0, dy: 0, isKnown: false)
    }

    let displacements: UnsafeBufferPointer<Float>
    let known: UnsafeBufferPointer<UInt8>?
    let width: Int, height: Int

    @inline(__always)
    subscript(cell: Int) -> Value {
      Value(
        dx: displacements[2 * cell], dy: displacements[2 * cell + 1],
        isKnown: known.map { $0[cell] != 0 } ?? true)
    }

    /// Bilinear between the four cells around (x, y), clamped to the grid.
    ///
    /// A cell without weight is not looked at. What is not finite has no place and is unknown.
    @inline(__always)
    func value(x: Float, y: Float) -> Value {
      guard (x + y).isFinite else { return .unknown }
      let (column, toRight) = Self.split(x, limit: width)
      let (row, down) = Self.split(y, limit: height)
      let across = toRight > 0 ? 1 : 0
      let top = row * width + column
      let bottom = down > 0 ? top + width : top
      let (a, b) = (self[top], self[top + across])
      let (c, d) = (self[bottom], self[bottom + across])
      guard a.isKnown && b.isKnown && c.isKnown && d.isKnown else { return .unknown }
      let upper = (a.dx + toRight * (b.dx - a.dx), a.dy + toRight * (b.dy - a.dy))
      let lower = (c.dx + toRight * (d.dx - c.dx), c.dy + toRight * (d.dy - c.dy))
      return Value(
        dx: upper.0 + down * (lower.0 - upper.0), dy: upper.1 + down * (lower.1 - upper.1),
        isKnown: true)
    }

    /// The cell at or before `position`, and how far it is to the next one, from 0 to 1.
    @inline(__always)
    private static func split(_ position: Float, limit: Int) -> (cell: Int, rest: Float) {
      let clamped = max(0, min(position, Float(limit - 1)))
      let cell = Int(clamped)
      return (cell, clamped - Float(cell))
    }
  }

  /// Calls `body` with the field's values; they must not leave it.
  @inline(__always)
  func withReader<Result>(_ body: (Reader) -> Result) -> Result {
    displacements.withUnsafeBufferPointer { values in
      func call(_ known: UnsafeBufferPointer<UInt8>?) -> Result {
        body(Reader(displacements: values, known: known, width: width, height: height))
      }
      return known.map { $0.withUnsafeBufferPointer(call) } ?? call(nil)
    }
  }

  /// A field of another grid, each cell made from this one's values.
  @inline(__always)
  func filled(
    width: Int, height: Int,
    by value: (_ source: Reader, _ x: Int, _ y: Int) -> Reader.Value
  ) -> MotionField {
    precondition(width > 0 && height > 0, "no motion on a grid of \(width)×\(height)")
    var marks = [UInt8](repeating: 1, count: width * height)
    let count = 2 * width * height
    let displacements = withReader { reader in
      [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        for y in 0..<height {
          for x in 0..<width {
            let cell = y * width + x
            let made = value(reader, x, y)
            (buffer[2 * cell], buffer[2 * cell + 1]) = (made.dx, made.dy)
            if !made.isKnown { marks[cell] = 0 }
          }
        }
        initialized = count
      }
    }
    return MotionField(
      width: width, height: height, displacements: displacements, marks: marks)
  }
}
