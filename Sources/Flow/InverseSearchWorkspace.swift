// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// The memory that one search needs beside its two pyramids, and the order of its stages.
// Not shared: it is out of the pool while a call uses it.
final class InverseSearchWorkspace {
  let layout: InverseSearchLayout
  private let settings: InverseSearchSettings
  private let bands: RowBands
  private let arena: FloatArena
  private var levels: [ck_dis_level]
  /// Scratch memory of each thread.
  private let scratch: [UnsafeMutablePointer<Float>]

  init(layout: InverseSearchLayout, settings: InverseSearchSettings, threads: Int) {
    (self.layout, self.settings) = (layout, settings)
    let bands = RowBands(threads: threads)
    self.bands = bands
    let scratchCount = layout.levels.map { $0.scratchCount(bands) }.max() ?? 0
    let planes = layout.levels.map { $0.workspaceCount(patchStep: settings.patchStep) }
    arena = FloatArena(
      count: planes.reduce(0, +) + threads * FloatArena.rounded(scratchCount))
    levels = []
    for size in layout.levels { levels.append(size.level(in: arena, settings.patchStep)) }
    scratch = (0..<threads).map { [arena] _ in arena.take(scratchCount) }
    for index in levels.indices.dropLast() {
      levels[index].coarser = result(of: levels[index + 1])
    }
  }

  /// Where each pixel of `current` reads in `reference`.
  func motion(
    from current: InverseSearchPyramid, to reference: InverseSearchPyramid
  ) -> EnlargedMotion {
    for index in levels.indices.reversed() {
      levels[index].current = current.levels[index]
      levels[index].reference = reference.levels[index]
      search(levels[index])
      refine(levels[index])
    }
    return EnlargedMotion(
      copying: result(of: levels[0]), shift: layout.finest, width: layout.width,
      height: layout.height, bands: bands)
  }

  private func search(_ level: ck_dis_level) {
    let (width, height) = (Int(level.current.width), level.current.height)
    withUnsafePointer(to: level) { level in
      bands.forEach(height, cost: width / 2) { _, begin, end in
        ck_dis_differentiate(level, begin, end)
      }
      let stripes = ck_dis_stripe_count(level.pointee.patch_rows)
      bands.forEach(stripes, cost: 20 * width * Int(height / stripes)) { _, begin, end in
        ck_dis_search(level, settings.search, begin, end)
      }
      bands.forEach(height, cost: 3 * width) { _, begin, end in
        ck_dis_densify(level, begin, end)
      }
    }
  }

  private func refine(_ level: ck_dis_level) {
    guard settings.refinements > 0 else { return }
    let (width, height) = (Int(level.current.width), level.current.height)
    withUnsafePointer(to: level) { level in
      bands.forEach(height, cost: refineCost * width) { band, begin, end in
        ck_dis_linearise(level, scratch[band], begin, end)
      }
      for iteration in 0..<settings.refinements {
        bands.forEach(height, cost: refineCost * width) { band, begin, end in
          ck_dis_refine(level, settings.refine, iteration % 2, scratch[band], begin, end)
        }
      }
    }
  }

  /// Where the last refinement leaves a level's motion.
  private func result(of level: ck_dis_level) -> ck_dis_flow {
    settings.refinements % 2 == 0 ? level.flow.0 : level.flow.1
  }
}

/// Nanoseconds a pixel of a stage that uses scratch memory.
private let refineCost = 3

extension InverseSearchLayout.Size {
  private func patches(_ step: Int32) -> (columns: Int32, rows: Int32) {
    (ck_dis_patch_count(width, step), ck_dis_patch_count(height, step))
  }

  private var termCount: Int { Int(ck_dis_terms) * flowCount }
  private var gradientCount: Int { FloatArena.rounded(pictureStride * (Int(height) + 1)) }

  /// Floats that `level` takes from an arena.
  fileprivate func workspaceCount(patchStep: Int32) -> Int {
    let grid = patches(patchStep)
    return 2 * FloatArena.rounded(Int(grid.columns) * Int(grid.rows)) + 2 * gradientCount
      + 4 * flowCount + termCount
  }

  /// Floats of scratch memory for the largest band.
  fileprivate func scratchCount(_ bands: RowBands) -> Int {
    ck_dis_scratch(bands.largest(height, cost: refineCost * Int(width)), flowStride)
      / MemoryLayout<Float>.stride
  }

  fileprivate func level(in arena: FloatArena, _ patchStep: Int32) -> ck_dis_level {
    let grid = patches(patchStep)
    let count = Int(grid.columns) * Int(grid.rows)
    var level = ck_dis_level()
    (level.gradient_x, level.gradient_y) = (arena.take(gradientCount), arena.take(gradientCount))
    level.patch_step = patchStep
    (level.patch_columns, level.patch_rows) = (grid.columns, grid.rows)
    (level.patch_dx, level.patch_dy) = (arena.take(count), arena.take(count))
    level.flow = (flow(in: arena), flow(in: arena))
    level.terms = arena.take(termCount)
    return level
  }
}
