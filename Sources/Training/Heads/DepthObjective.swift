// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Evaluation
public import Layers
internal import Tensors
public import Video

/// Depth learned from true depths by `DepthLoss`.
public struct DepthObjective: HeadObjective {
  /// What is trained.
  public let head: DepthHead
  /// What is brought down.
  public var loss: DepthLoss

  /// What `head` learns, by `loss`.
  public init(_ head: DepthHead, loss: DepthLoss = DepthLoss()) {
    (self.head, self.loss) = (head, loss)
  }

  /// The stages whose maps the head reads.
  public var inputs: [String] { head.inputs }

  /// The head's parameters.
  public var parameters: Parameters { head.parameters }

  /// The depth in the view; see `Augmentation.View.depth(_:)`.
  public func target(_ target: DepthMap, seenIn view: Augmentation.View) -> DepthMap {
    view.depth(target)
  }

  /// Depths beyond the head's range are taken for unknown.
  public func loss(
    of features: FeatureMaps, from targets: [DepthMap], size: PixelSize, in pass: ForwardContext
  ) throws -> Loss {
    let range = head.settings.range
    let (nearest, farthest) = (Float(range.lowerBound), Float(range.upperBound))
    let metres = targets.flatMap { $0.metres.map { nearest <= $0 && $0 <= farthest ? $0 : 0 } }
    let truth = try Tensor(metres, shape: [targets.count, 1, size.height, size.width])
    let said = try head.logDepth(of: features, size: size, in: pass)
    return Loss(try loss(said, truth.to(parameters.device)))
  }

  /// The depth of one picture, in metres.
  public func predict(_ features: FeatureMaps, size: PixelSize) throws -> DepthMap {
    try head(features, size: size)
  }

  /// `DepthAccuracy` over all pixels: `val/abs_rel` and `val/delta1`, among others.
  public func scores(of predictions: [DepthMap], against targets: [DepthMap]) -> [String: Double] {
    var accuracy = DepthAccuracy()
    for (predicted, truth) in zip(predictions, targets) {
      accuracy.add(predicted: predicted, truth: truth)
    }
    let pairs = accuracy.values.map { ("val/\($0.key)", $0.value) }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}
