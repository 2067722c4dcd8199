// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors
public import Video

/// For a backbone whose last stage gives scores already: resizes them where its stride is not 1.
public struct ScoreHead: SegmentationHead {
  /// The classes that the map's channels stand for.
  public let classes: ClassList

  /// A head for maps with a channel for each class, and one for void where it is learned.
  public init(classes: ClassList) { self.classes = classes }

  /// The only map, resized bilinearly to `size` where it has another one.
  public func scores(_ features: FeatureMaps, size: PixelSize) throws -> Tensor {
    try self(features.only(), size: size)
  }

  /// Scores of one map at the size that is asked for.
  public func callAsFunction(_ map: Tensor, size: PixelSize) throws -> Tensor {
    try withoutGradients { try self(map, size: size, in: .inference) }
  }

  /// The same, in a pass that may count its MACs.
  public func callAsFunction(
    _ map: Tensor, size: PixelSize, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    if isIdentity(on: map.shape, size: size) { return map }
    let output = try map.resized(height: size.height, width: size.width, in: pass)
    pass.ledger?.end("head", stride: 1, giving: output)
    return output
  }

  /// The best class of each pixel, found without writing down the resized scores.
  public func labels(of features: FeatureMaps, size: PixelSize) throws -> Tensor {
    let map = try features.only()
    count(resizing: map, to: size)
    return try map.cast(to: .float32)
      .argmaxLabels(resizedToHeight: size.height, width: size.width)
  }

  /// The best class of each pixel and its score, found without writing down all resized scores.
  public func best(
    of features: FeatureMaps, size: PixelSize
  ) throws -> (labels: Tensor, scores: Tensor) {
    let map = try features.only()
    count(resizing: map, to: size)
    return try map.cast(to: .float32).bestLabels(
      resizedToHeight: size.height, width: size.width)
  }

  private func count(resizing map: Tensor, to size: PixelSize) {
    guard !isIdentity(on: map.shape, size: size) else { return }
    ForwardContext.inference.ledger?.add(
      macs: 4 * map.shape[0] * map.shape[1] * size.height * size.width)
  }

  /// Whether the map has the size that is asked for.
  public func isIdentity(on shape: Shape, size: PixelSize) -> Bool {
    shape.rank == 4 && shape[2] == size.height && shape[3] == size.width
  }
}
