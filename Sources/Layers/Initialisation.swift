// SPDX-License-Identifier: Apache-2.0

internal import Tensors

/// What a parameter is before training.
///
/// A convolution's weight is outputs × inputs/groups × height × width, a transposed one's inputs ×
/// outputs/groups × height × width; formulae name the axes, as other frameworks count them.
public enum Initialisation: Sendable, Hashable {
  /// The same number everywhere.
  case constant(Double)
  /// Normal with deviation √(2 / (first axis × kernel area)) (He et al., ICCV 2015, "fan out"):
  /// keeps the size of gradients through rectified layers; how residual networks start.
  case heNormal
  /// Normal with deviation √(2 / (1 + slope²) / (second axis × kernel area)): keeps the size of
  /// what comes forward through leaky rectifiers.
  case heNormalFanIn(slope: Double)
  /// Uniform within √(6 / (first + second axis) / kernel area) (Glorot and Bengio, AISTATS 2010).
  case glorotUniform
  /// Normal with this deviation.
  case normal(deviation: Double)
  /// The weights of bilinear interpolation by the stride of a transposed convolution of kernel
  /// 2 · stride (Long et al., CVPR 2015); each channel on its own, as many out as in.
  case bilinear
  /// Normal with this deviation, but that the last inputs, as many as there are outputs, come
  /// through as they are: what a prediction begins with that is to correct another.
  case passingLast(deviation: Double)
  /// Normal with this deviation, but that each channel comes through to itself, so many times: what
  /// a recurrence begins with. Channels may be in groups.
  case identity(times: Double, deviation: Double)

  func draw(_ shape: Shape, seed: UInt64) throws(TensorError) -> Tensor {
    let area = shape.dimensions.dropFirst(2).reduce(1, *)
    let (first, second) = (shape.rank > 0 ? shape[0] : 1, shape.rank > 1 ? shape[1] : 1)
    switch self {
    case .constant(let value):
      return try .full(shape, of: value)
    case .heNormal:
      return try .normal(shape, deviation: (2 / Double(first * area)).squareRoot(), seed: seed)
    case .heNormalFanIn(let slope):
      let deviation = (2 / (1 + slope * slope) / Double(second * area)).squareRoot()
      return try .normal(shape, deviation: deviation, seed: seed)
    case .glorotUniform:
      let bound = (6 / Double((first + second) * area)).squareRoot()
      return try .uniform(shape, in: -bound..<bound, seed: seed)
    case .normal(let deviation):
      return try .normal(shape, deviation: deviation, seed: seed)
    case .bilinear:
      return try Self.bilinear(shape)
    case .passingLast(let deviation):
      return try Tensor.normal(shape, deviation: deviation, seed: seed) + Self.passingLast(shape)
    case .identity(let times, let deviation):
      let through = try Self.passing(shape) * Float(times)
      return try Tensor.normal(shape, deviation: deviation, seed: seed) + through
    }
  }

  private static func passingLast(_ shape: Shape) throws(TensorError) -> Tensor {
    let area = shape[2] * shape[3]
    var values = [Float](repeating: 0, count: shape[0] * shape[1] * area)
    for output in 0..<min(shape[0], shape[1]) {
      let input = shape[1] - min(shape[0], shape[1]) + output
      values[(output * shape[1] + input) * area + area / 2] = 1
    }
    return try Tensor(values, shape: shape)
  }

  private static func passing(_ shape: Shape) throws(TensorError) -> Tensor {
    let area = shape[2] * shape[3]
    var values = [Float](repeating: 0, count: shape[0] * shape[1] * area)
    for channel in 0..<shape[0] {
      // The channel's place in its group, whatever the number of groups.
      values[(channel * shape[1] + channel % shape[1]) * area + area / 2] = 1
    }
    return try Tensor(values, shape: shape)
  }

  private static func bilinear(_ shape: Shape) throws(TensorError) -> Tensor {
    let (height, width) = (shape[2], shape[3])
    func row(_ size: Int) -> [Float] {
      let (reach, centre) = (Float((size + 1) / 2), Float(size - 1) / 2)
      return (0..<size).map { 1 - Swift.abs(Float($0) - centre) / reach }
    }
    let (down, across) = (row(height), row(width))
    var values = [Float](repeating: 0, count: shape.dimensions.reduce(1, *))
    for channel in 0..<shape[0] {
      // The channel's place in its group, whatever the number of groups.
      let at = (channel * shape[1] + channel % shape[1]) * height * width
      for y in 0..<height {
        for x in 0..<width { values[at + y * width + x] = down[y] * across[x] }
      }
    }
    return try Tensor(values, shape: shape)
  }
}
