// SPDX-License-Identifier: Apache-2.0

extension MotionField {
  /// The same field with its unknown cells filled from what is known around them.
  ///
  /// Each takes the mean of the smallest block of 2, 4, 8… cells' side that holds a known one, as in the
  /// pull-push scheme of Gortler et al. (SIGGRAPH 1996). A guess, but for the flat areas that codecs code
  /// without prediction a better one than no motion. Where nothing at all is known, nothing moves.
  public func filled() -> MotionField {
    guard known != nil else { return self }
    guard let coarse = halved() else { return .still(width: width, height: height) }
    let around = coarse.filled()
    return around.withReader { around in
      filled(width: width, height: height) { field, x, y in
        let here = field[y * width + x]
        return here.isKnown ? here : around[y / 2 * coarse.width + x / 2]
      }
    }
  }

  /// Means of what is known in blocks of 2×2 cells, values as they are; nil where nothing is known.
  private func halved() -> MotionField? {
    guard known?.contains(where: { $0 != 0 }) ?? true else { return nil }
    return filled(width: (width + 1) / 2, height: (height + 1) / 2) { field, x, y in
      var (sum, count) = ((dx: Float(0), dy: Float(0)), Float(0))
      for row in (2 * y)..<min(2 * y + 2, height) {
        for column in (2 * x)..<min(2 * x + 2, width) {
          let value = field[row * width + column]
          guard value.isKnown else { continue }
          (sum.dx, sum.dy, count) = (sum.dx + value.dx, sum.dy + value.dy, count + 1)
        }
      }
      guard count > 0 else { return .unknown }
      return Reader.Value(dx: sum.dx / count, dy: sum.dy / count, isKnown: true)
    }
  }
}
