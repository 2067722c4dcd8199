// SPDX-License-Identifier: Apache-2.0

/// Middlebury's fields of motion.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  withFile(data, count) { path in
    guard let field = try? MotionField(floFile: path) else { return }
    for (cell, mark) in (field.known ?? []).enumerated() {
      let (dx, dy) = (field.displacements[2 * cell], field.displacements[2 * cell + 1])
      precondition(dx.isFinite && dy.isFinite && (mark == 1 || (dx == 0 && dy == 0)))
    }
  }
  return 0
}
