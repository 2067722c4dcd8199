// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// The part of a network that turns an image into ever coarser features, stage by stage.
public protocol Encoder: Sendable {
  /// First to last; the first reads the image.
  var stages: [EncoderStage] { get }

  /// What stage `index` makes of what the one before gave, N × C × H × W.
  func run(stage index: Int, on input: Tensor, in pass: ForwardContext) throws(TensorError)
    -> Tensor

  /// The same encoder in fewer operations, to be used and no longer trained.
  func folded() throws(TensorError) -> Self
}

/// What a stage of an encoder gives.
public struct EncoderStage: Hashable, Sendable {
  /// The name by which taps and messages refer to it.
  public let name: String
  /// Pixels of the image that one cell spans, each way.
  public let stride: Int
  /// Channels of what it gives.
  public let channels: Int

  /// A stage as these numbers say; none is checked.
  public init(_ name: String, stride: Int, channels: Int) {
    (self.name, self.stride, self.channels) = (name, stride, channels)
  }
}

/// An encoder each of whose stages is a row of layers.
protocol LayeredEncoder: Encoder {
  var layers: [Sequential] { get set }
}

extension LayeredEncoder {
  /// What the stage's row of layers gives.
  public func run(
    stage index: Int, on input: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    try layers[index](input, in: pass)
  }

  /// The encoder with each of its layers folded.
  public func folded() throws(TensorError) -> Self {
    var network = self
    network.layers = try layers.map { (layer) throws(TensorError) in try layer.folded() }
    return network
  }
}
