// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// How 8-bit blue, green, red samples become the numbers a network was trained on.
///
/// Each is `(sample - mean) / deviation * scale`, by channel in the order of the result, samples
/// counted from 0 to 255.
public struct PixelScaling: Sendable, Hashable {
  /// The order of the result's channels.
  public enum Order: String, Sendable, Hashable, CaseIterable { case bgr, rgb }

  /// What is taken from the samples, by channel of the result; in steps of 0 to 255.
  public let mean: SIMD3<Float>
  /// What the difference is divided by, by channel of the result; never 0.
  public let deviation: SIMD3<Float>
  /// What the quotient is multiplied by, by channel of the result.
  public let scale: SIMD3<Float>
  /// The order of the result's channels, and of the numbers above.
  public let order: Order

  /// Samples as they are, from 0 to 255 in blue, green, red, but for what is given.
  ///
  /// - Precondition: no deviation is 0.
  public init(
    mean: SIMD3<Float> = .zero, deviation: SIMD3<Float> = .one, scale: SIMD3<Float> = .one,
    order: Order = .bgr
  ) {
    precondition(all(deviation .!= 0), "a deviation of 0 scales nothing: \(deviation)")
    (self.mean, self.deviation, self.scale, self.order) = (mean, deviation, scale, order)
  }
}

extension Tensor {
  /// A picture, height × width × 3 bytes in blue, green, red, as a 1 × 3 × height × width tensor.
  ///
  /// - Throws: `.badShape` where the bytes do not fill the picture.
  public static func pixels(
    _ bytes: UnsafeRawBufferPointer, height: Int, width: Int, scaling: PixelScaling,
    channelsLast: Bool = false
  ) throws(TensorError) -> Tensor {
    let count = try Shape([height, width, 3]).count(of: .float32, for: #function)
    guard count == bytes.count, let samples = bytes.bindMemory(to: UInt8.self).baseAddress else {
      throw TensorError(
        .badShape, in: #function as StaticString,
        "\(bytes.count) bytes are no picture of \(height) × \(width) × 3")
    }
    var options = ct_pixel_options(scaling, channelsLast: channelsLast)
    return try shim {
      ct_pixels(samples, Int64(3 * width), Int64(height), Int64(width), &options, &$0, &$1)
    }
  }
}

extension Tensor {
  /// N × 3 × H × W samples in blue, green, red, counted from 0 to 255, as `pixels` scales bytes.
  ///
  /// Gradients flow through.
  public func scaled(by scaling: PixelScaling) throws(TensorError) -> Tensor {
    // As the sample in the order of the result, times a factor, plus an offset.
    let factor = scaling.scale / scaling.deviation
    let offset = -scaling.mean * factor
    func planes(_ numbers: SIMD3<Float>) throws(TensorError) -> Tensor {
      try Tensor([numbers.x, numbers.y, numbers.z], shape: [1, 3, 1, 1]).to(device)
    }
    var ordered = self
    if scaling.order == .rgb {
      ordered = try .concatenate(
        [2, 1, 0].map { (channel) throws(TensorError) in
          try slice(axis: 1, channel..<channel + 1)
        }, axis: 1)
    }
    return try ordered * planes(factor) + planes(offset)
  }
}

extension ct_pixel_options {
  fileprivate init(_ scaling: PixelScaling, channelsLast: Bool) {
    self.init(
      mean: scaling.mean.samples, deviation: scaling.deviation.samples,
      scale: scaling.scale.samples, reversed: scaling.order == .rgb ? 1 : 0,
      channels_last: channelsLast ? 1 : 0)
  }
}

extension SIMD3<Float> {
  fileprivate var samples: (Float, Float, Float) { (x, y, z) }
}
