// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension MotionField {
  /// The same field with its unknown cells filled from what is known around them.
  ///
  /// Each takes the mean of the smallest block of 2, 4, 8… cells' side that holds a known one, as
  /// in the pull-push scheme of Gortler et al. (SIGGRAPH 1996). A guess, but for the flat areas
  /// that codecs code without prediction a better one than no motion. Where nothing at all is
  /// known, nothing moves.
  public func filled(threads: Int = 1) -> MotionField {
    guard known != nil else { return self }
    guard let coarse = halved(threads: threads) else { return .zero(width: width, height: height) }
    return withField { field in
      coarse.filled(threads: threads).withField { coarse in
        Self.made(width: width, height: height, threads: threads) {
          ck_fill_field(field, coarse, $0)
        }
      }
    }
  }

  /// Means of what is known in blocks of 2×2 cells, values as they are; nil where nothing is known.
  private func halved(threads: Int) -> MotionField? {
    guard known?.contains(where: { $0 != 0 }) ?? true else { return nil }
    return withField { field in
      Self.made(width: (width + 1) / 2, height: (height + 1) / 2, threads: threads) {
        ck_halve_field(field, $0)
      }
    }
  }
}
