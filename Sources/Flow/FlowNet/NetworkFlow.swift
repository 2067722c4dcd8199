// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Specification
internal import Tensors
public import Video

/// Motion by a trained network.
///
/// Frames of any size; the weights are only read. How many threads it takes is the tensors'
/// business.
public struct NetworkFlow: FlowEstimator {
  /// The trained network that is run.
  public let network: FlowNetwork

  /// An estimator by a network that is in memory.
  public init(_ network: FlowNetwork) { self.network = network }

  /// The trained network of a model folder.
  ///
  /// - Throws: `SpecificationError` where a file is missing or does not fit.
  public init(_ folder: ModelFolder) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try FlowNetSpecification(root)
    }
    network = try folder.load { try FlowNetwork(specification, parameters: $0) }
  }

  /// The trained network of the model folder at `path`.
  public init(contentsOf path: String) throws { try self.init(ModelFolder(at: path)) }

  /// The last step's motion on the frames' pixel grid; it throws where they differ in size.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try motion(from: current, to: reference, in: .inference)
  }

  /// The same, in a pass that may count its work.
  public func motion(
    from current: Frame, to reference: Frame, in pass: ForwardContext
  ) throws -> MotionField {
    try requireEqualSizes(current, reference)
    let size = current.pixels.size
    return try withoutGradients {
      let steps = try network.steps(
        from: tensor(current), to: tensor(reference), in: pass)
      guard let last = steps.last else { return .zero(width: size.width, height: size.height) }
      let motion = try last.motion(height: size.height, width: size.width, in: pass)
      pass.ledger?.end("motion", stride: 1, giving: motion)
      return try MotionField(motion)
    }
  }

  private func tensor(_ frame: Frame) throws -> Tensor {
    try frame.pixels.tensor(scaling: network.specification.scaling).to(network.parameters.device)
  }
}
