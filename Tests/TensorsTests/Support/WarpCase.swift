// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport

extension [Float] {
  /// The same bits, so that -0 is not 0 and a NaN is itself.
  var bits: [UInt32] { map(\.bitPattern) }

  func furthest(from other: [Float]) -> Float {
    zip(self, other).map { abs($0 - $1) }.max() ?? 0
  }
}

/// One warp to try: features of one image, and motion, height × width × 2.
struct WarpCase: CustomStringConvertible {
  let channels: Int, height: Int, width: Int
  var features: [Float]
  var motion: [Float]
  var known: [UInt8]?

  /// Random features and motion of up to `reach` cells.
  init(channels: Int, height: Int, width: Int, reach: Float, seed: UInt64) {
    var draws = Draws(seed: seed)
    (self.channels, self.height, self.width) = (channels, height, width)
    features = draws.floats(channels * height * width, in: -1...1)
    motion = draws.floats(height * width * 2, in: -reach...reach)
  }

  var description: String { "\(channels)×\(height)×\(width)" }

  func featureTensor(channelsLast: Bool) throws -> Tensor {
    let tensor = try Tensor(features, shape: [1, channels, height, width])
    return try channelsLast ? tensor.channelsLast() : tensor
  }

  /// 1 × 2 × H × W, with planes or, as flow libraries give it, with dx and dy side by side.
  func motionTensor(interleaved: Bool = false) throws -> Tensor {
    let planes = [0, 1].flatMap { axis in (0..<height * width).map { motion[2 * $0 + axis] } }
    let tensor = try Tensor(planes, shape: [1, 2, height, width])
    return try interleaved ? tensor.channelsLast() : tensor
  }

  func knownTensor() throws -> Tensor? {
    try known.map { try Tensor($0, shape: [1, height, width]) }
  }

  func warped(
    _ border: Border, channelsLast: Bool = false, interleaved: Bool = false
  ) throws -> [Float] {
    try featureTensor(channelsLast: channelsLast).warped(
      along: motionTensor(interleaved: interleaved), border: border, known: knownTensor()
    ).floats()
  }
}
