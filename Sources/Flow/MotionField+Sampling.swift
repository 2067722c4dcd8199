// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension MotionField {
  /// The field of the same motion on another grid that covers the same frame.
  ///
  /// Read bilinearly between cell centres, which lie at half coordinates; the values are scaled by
  /// the ratio of the sizes, dx by the widths' and dy by the heights'. A cell is known where all it
  /// is read from is.
  public func resized(width: Int, height: Int) -> MotionField {
    if (width, height) == (self.width, self.height) { return self }
    return withField { field in
      Self.made(width: width, height: height) {
        ck_resize_field(field, Int32(width), Int32(height), $0)
      }
    }
  }

  /// This motion and then `next`: `result(p) = self(p) + next(p + self(p))`.
  ///
  /// `next` is read bilinearly or, with rounded sampling, at the nearest cell. A cell is known
  /// where this field and all it reads from `next` are. What leads off the grid reads `next` at the
  /// nearest cell of the border, as a warp that clamps does, so that it goes on leading off.
  ///
  /// - Throws: `FlowError.Code.sizesDiffer` where the two do not lie on one grid.
  public func composed(
    with next: MotionField, sampling: FlowSampling = .exact, threads: Int = 1
  ) throws(FlowError) -> MotionField {
    try requireSameGrid(as: next)
    return withField { first in
      next.withField { next in
        Self.made(width: width, height: height, threads: threads) {
          ck_follow_field(first, next, sampling == .rounded ? 1 : 0, $0)
        }
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
  /// Calls `body` with what the kernels read; it must not leave it.
  func withField<Result>(_ body: (UnsafePointer<ck_field>) -> Result) -> Result {
    displacements.withUnsafeBufferPointer { values in
      func call(_ marks: UnsafePointer<UInt8>?) -> Result {
        var field = ck_field(
          displacements: values.baseAddress, known: marks, width: Int32(width),
          height: Int32(height))
        return body(&field)
      }
      return known.map { $0.withUnsafeBufferPointer { call($0.baseAddress) } } ?? call(nil)
    }
  }

  /// A field that a kernel writes, some rows in each thread.
  ///
  /// The kernel gives how many of their cells are unknown.
  static func made(
    width: Int, height: Int, threads: Int = 1, by write: (ck_field_rows) -> Int32
  ) -> MotionField {
    precondition(width > 0 && height > 0, "no motion on a grid of \(width)×\(height)")
    let cells = width * height
    let bands = RowBands(threads: threads)
    var unknown = [Int32](repeating: 0, count: threads)
    var displacements: [Float] = []
    let marks = [UInt8](unsafeUninitializedCapacity: cells) { marks, count in
      displacements = [Float](unsafeUninitializedCapacity: 2 * cells) { values, count in
        // Safe to share: each band writes rows of its own, and a count of its own.
        nonisolated(unsafe) let (values, marks) = (values.baseAddress, marks.baseAddress)
        unknown.withUnsafeMutableBufferPointer { unknown in
          nonisolated(unsafe) let unknown = unknown
          bands.forEach(Int32(height), cost: 3 * width) { band, begin, end in
            unknown[band] = write(
              ck_field_rows(displacements: values, known: marks, begin: begin, end: end))
          }
        }
        count = 2 * cells
      }
      count = cells
    }
    return MotionField(
      width: width, height: height, displacements: displacements,
      known: unknown.contains { $0 > 0 } ? marks : nil)
  }
}

extension MotionField {
  /// A field's values in the open.
  struct Reader {
    struct Value {
      var dx: Float, dy: Float
      var isKnown: Bool
    }

    let displacements: UnsafeBufferPointer<Float>
    let known: UnsafeBufferPointer<UInt8>?

    @inline(__always)
    subscript(cell: Int) -> Value {
      Value(
        dx: displacements[2 * cell], dy: displacements[2 * cell + 1],
        isKnown: known.map { $0[cell] != 0 } ?? true)
    }
  }

  /// Calls `body` with the field's values; they must not leave it.
  @inline(__always)
  func withReader<Result>(_ body: (Reader) -> Result) -> Result {
    displacements.withUnsafeBufferPointer { values in
      func call(_ known: UnsafeBufferPointer<UInt8>?) -> Result {
        body(Reader(displacements: values, known: known))
      }
      return known.map { $0.withUnsafeBufferPointer(call) } ?? call(nil)
    }
  }
}
