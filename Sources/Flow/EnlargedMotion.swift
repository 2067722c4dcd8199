// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Synchronization

/// A motion that was found on a coarser grid: it is written down at the frames' size only where
/// somebody wants it whole.
///
/// A plane that is warped along it needs no more than one row at a time.
// Safe to share: the coarse motion is written before `init` returns and only read from then on; the
// whole field is made under its lock.
final class EnlargedMotion: @unchecked Sendable {
  let width: Int32, height: Int32
  private let shift: Int32
  private let bands: RowBands
  private let arena: FloatArena
  private let flow: ck_dis_flow
  private let whole = Mutex<[Float]?>(nil)

  /// A copy of `flow`, 2^shift times enlarged to `width` × `height` cells.
  init(copying flow: ck_dis_flow, shift: Int32, width: Int32, height: Int32, bands: RowBands) {
    let count = flow.stride * Int(flow.height)
    let arena = FloatArena(uninitialized: 2 * FloatArena.rounded(count))
    var copy = flow
    (copy.dx, copy.dy) = (arena.take(count), arena.take(count))
    copy.dx.update(from: flow.dx, count: count)
    copy.dy.update(from: flow.dy, count: count)
    (self.flow, self.shift, self.arena, self.bands) = (copy, shift, arena, bands)
    (self.width, self.height) = (width, height)
  }

  /// Height × width × (dx, dy), row by row.
  var displacements: [Float] {
    whole.withLock { whole in
      if let whole { return whole }
      let made = enlarged()
      whole = made
      return made
    }
  }

  private func enlarged() -> [Float] {
    let count = 2 * Int(width) * Int(height)
    return [Float](unsafeUninitializedCapacity: count) { values, initialized in
      // Safe to share: each band writes rows of its own.
      nonisolated(unsafe) let start = values.baseAddress
      bands.forEach(height, cost: Int(width) / 2) { _, begin, end in
        ck_dis_enlarge(flow, shift, width, height, start, begin, end)
      }
      initialized = count
    }
  }

  /// Writes what `plane` (height × width) is along the motion, places outside read at the border.
  func warp(_ plane: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    let capacity = ck_dis_warp_memory(flow.width, shift, width)
    // Safe to share: each band writes rows of its own, and has memory of its own.
    nonisolated(unsafe) let (plane, out) = (plane, out)
    bands.forEach(height, cost: 2 * Int(width)) { _, begin, end in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { memory in
        ck_dis_warp(flow, shift, plane, width, height, memory.baseAddress, out, begin, end)
      }
    }
  }
}
