// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors
public import Video

/// A 1×1 convolution to one score a class, interpolated to the size of the frame.
public struct ClassifierHead: SegmentationHead {
  public let classes: ClassList
  private let convolution: Conv2d

  public init(_ inputs: Int, classes: ClassList, in scope: ParameterScope) throws {
    self.classes = classes
    convolution = try Conv2d(
      inputs, classes.count, kernel: 1, initialisation: .normal(deviation: 0.01), in: scope)
  }

  /// Scores at the stride of the features, in single precision.
  public func scores(of features: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    try convolution(features, in: pass).cast(to: .float32)
  }

  public func callAsFunction(_ features: Tensor, size: PixelSize) throws -> Tensor {
    try withoutGradients { try self(features, size: size, in: .inference) }
  }

  /// The same, in a pass that may count its work.
  public func callAsFunction(
    _ features: Tensor, size: PixelSize, in pass: Pass
  ) throws(TensorError) -> Tensor {
    let output = try scores(of: features, in: pass).resized(
      height: size.height, width: size.width, in: pass)
    pass.ledger?.end("head", stride: 1, giving: output)
    return output
  }
}
