// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension DepthMap {
  /// The depths that a network's numbers stand for, row by row; nil where one is not finite.
  ///
  /// Metres are `scale · x + shift`, or one over that, clamped to `range`; what is said to be
  /// behind the camera is as far as can be.
  ///
  /// - Precondition: there is one number a pixel; the range begins above 0.
  package init?(
    _ size: PixelSize, reading numbers: UnsafeBufferPointer<Float>, isInverse: Bool, scale: Float,
    shift: Float, range: ClosedRange<Float>
  ) {
    precondition(
      numbers.count == size.width * size.height && range.lowerBound > 0,
      "\(numbers.count) numbers for depths of \(size) in \(range) m")
    var reading = ck_depth_reading(
      scale: scale, shift: shift, least: range.lowerBound, most: range.upperBound,
      inverse: isInverse ? 1 : 0)
    var isFinite = false
    let metres = [Float](unsafeUninitializedCapacity: numbers.count) { metres, count in
      isFinite =
        ck_read_depths(numbers.baseAddress, numbers.count, &reading, metres.baseAddress) != 0
      count = numbers.count
    }
    guard isFinite else { return nil }
    self.init(width: size.width, height: size.height, metres: metres)
  }
}
