// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import Tensors

extension MotionField {
  /// A map of one plane, 1 × 1 × height × width on this very grid, where the motion says, places
  /// outside read at the border; nil where there is no short way to it.
  ///
  /// It is `map.warped(along:known:)` of `tensors()`, to the last bit, without these. The short way
  /// is there for motion that was found on a coarser grid, in main memory and without gradients.
  package func warping(_ map: Tensor) throws -> Tensor? {
    guard case .enlarged(let motion) = values, !leavesWarpsToLibrary,
      map.shape == [1, 1, height, width], map.type == .float32, map.device == .cpu,
      !map.requiresGradient
    else { return nil }
    let plane = Plane(count: width * height)
    try map.withUnsafeBytes { bytes in
      guard let start = bytes.bindMemory(to: Float.self).baseAddress else { return }
      motion.warp(start, into: plane.values)
    }
    return try Tensor(viewing: plane.values, owner: plane, shape: map.shape, type: .float32)
  }
}

/// Numbers that a tensor reads.
// Safe to share: written by whoever made it, before anybody else knows of it.
private final class Plane: @unchecked Sendable {
  let values: UnsafeMutablePointer<Float>
  init(count: Int) { values = .allocate(capacity: count) }
  deinit { values.deallocate() }
}

/// As in the library's own warp: the environment asks for LibTorch's, for comparison.
private let leavesWarpsToLibrary = getenv("INBETWEEN_WARP").map { String(cString: $0) } == "library"
