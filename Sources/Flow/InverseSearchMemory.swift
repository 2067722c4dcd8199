// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// Floats that several planes are cut from, zero at first and aligned to a vector.
// Not shared: whoever owns it sees to that only one thread at a time writes to a plane's row.
final class FloatArena {
  private let bytes: UnsafeMutableRawBufferPointer
  private var used = 0

  init(count: Int) {
    bytes = .allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// The same with whatever stands there, for who writes all of it.
  init(uninitialized count: Int) {
    bytes = .allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
  }

  deinit { bytes.deallocate() }

  /// The next `count` floats, which live as long as the arena.
  func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let start = used
    used += FloatArena.rounded(count) * MemoryLayout<Float>.stride
    precondition(used <= bytes.count, "an arena of \(bytes.count) bytes is too small")
    return UnsafeMutableRawBufferPointer(rebasing: bytes[start..<used])
      .bindMemory(to: Float.self).baseAddress.unsafelyUnwrapped
  }

  /// Whole vectors that hold `count` floats.
  static func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}

extension InverseSearchLayout.Size {
  /// Floats from row to row of a picture with its margins; a vector may be read from the last pixel
  /// on.
  var pictureStride: Int { FloatArena.rounded(Int(width) + 2 * margin) + 16 }
  /// Floats of a picture with its margins.
  var pictureCount: Int { pictureStride * (Int(height) + 2 * margin + 1) }
  /// Floats from row to row of a plane of motion.
  var flowStride: Int { (Int(width) + 31) / 32 * 32 }
  var flowCount: Int { flowStride * Int(height) }

  private var margin: Int { Int(ck_dis_margin) }

  func picture(in arena: FloatArena) -> ck_dis_picture {
    let start = arena.take(pictureCount) + margin * pictureStride + margin
    return ck_dis_picture(pixels: start, width: width, height: height, stride: pictureStride)
  }

  func flow(in arena: FloatArena) -> ck_dis_flow {
    ck_dis_flow(
      dx: arena.take(flowCount), dy: arena.take(flowCount), width: width, height: height,
      stride: flowStride)
  }
}
