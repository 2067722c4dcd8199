// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Video

/// A grey image at every level that is searched.
// Safe to share: written by whoever holds the only reference to it, and only read from then on.
final class InverseSearchPyramid: @unchecked Sendable {
  let layout: InverseSearchLayout
  let levels: [ck_dis_picture]
  private let arena: FloatArena

  init(layout: InverseSearchLayout) {
    self.layout = layout
    let arena = FloatArena(count: layout.levels.reduce(0) { $0 + $1.pictureCount })
    levels = layout.levels.map { $0.picture(in: arena) }
    self.arena = arena
  }

  /// Fills all levels from a grey image of the layout's size.
  func fill(from grey: Image, bands: RowBands) {
    grey.withUnsafeBytes { bytes in
      guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
      let picture = levels[0]
      bands.forEach(picture.height, cost: Int(picture.width) / 2) { _, begin, end in
        ck_dis_shrink_bytes(start, layout.width, layout.height, layout.finest, picture, begin, end)
      }
    }
    for (finer, coarser) in zip(levels, levels.dropFirst()) {
      bands.forEach(coarser.height, cost: Int(coarser.width) / 2) { _, begin, end in
        ck_dis_halve(finer, coarser, begin, end)
      }
    }
  }
}
