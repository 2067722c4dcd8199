// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Frames
public import Layers
public import Tensors

/// A network that looks at every frame, cheaper than the backbone: light, or at low resolution.
public protocol Branch: Sendable {
  /// What it makes of pictures as `FrameContext.image` gives them, N × 3 × H × W: N × C × h × w.
  func features(of pictures: Tensor, in pass: ForwardContext) throws -> Tensor

  /// The same in fewer operations, to be used and no longer trained.
  func folded() throws -> Self
}

extension Branch {
  /// What it makes of a frame, made once.
  func features(of context: FrameContext, in pass: ForwardContext) throws -> Tensor {
    try context.once("branch") { try features(of: context.image(.current), in: pass) }
  }

  /// As it is unless a branch says otherwise.
  public func folded() -> Self { self }
}

/// A segmentation network that looks at every frame: whole or up to a stage, at the size of the
/// frame or a smaller one.
public struct NetworkBranch: Branch {
  /// The network that looks at the frame.
  public private(set) var network: SegmentationNetwork
  /// What the sides of a picture are multiplied by before the network sees it.
  public let scale: Double
  /// Whether it is trained with what it is a part of; else it stays as it is.
  public let isTrained: Bool
  /// How many stages of the network run.
  let stages: Int

  /// A branch that gives what `network` computes up to a stage; scores where none is named.
  ///
  /// - Throws: `BackboneError` where the network has no such stage.
  /// - Precondition: the scale is above 0 and not above 1.
  public init(
    _ network: SegmentationNetwork, through stage: String? = nil, scale: Double = 1,
    isTrained: Bool = false
  ) throws(BackboneError) {
    precondition(scale > 0 && scale <= 1, "pictures \(scale) times as large")
    (self.network, self.scale, self.isTrained) = (network, scale, isTrained)
    stages =
      try stage.map { (name) throws(BackboneError) in try network.index(ofStage: name) + 1 }
      ?? network.stages.count
  }

  /// What the network gives of the pictures, N × 3 × H × W, made smaller by `scale` first.
  ///
  /// Its normalisations keep their statistics while it is trained: those of a few pictures are not
  /// those that it will be used with.
  public func features(of pictures: Tensor, in pass: ForwardContext) throws -> Tensor {
    let pass = pass.isTraining ? .inference : pass
    if isTrained { return try output(for: pictures, in: pass) }
    return try withoutGradients { try output(for: pictures, in: pass) }
  }

  /// The same with the network's normalisations folded into its convolutions.
  public func folded() throws(TensorError) -> NetworkBranch {
    var branch = self
    branch.network = try network.folded()
    return branch
  }

  /// A side of a picture as the network sees it.
  func reduced(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }

  private func output(for pictures: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    // Each cell of the smaller picture is a mean of what it covers, as a smaller picture is made.
    let size = Extent(height: reduced(pictures.shape[2]), width: reduced(pictures.shape[3]))
    let seen = scale == 1 ? pictures : try pictures.adaptiveAveragePool(size)
    let scaling = network.specification.input.scaling
    return try network.run(
      0..<stages, on: Features(seen.scaled(by: scaling).channelsLast()), in: pass
    ).main
  }
}
