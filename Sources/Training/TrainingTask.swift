// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// What is trained, on what, and towards what.
///
/// *Must keep* these laws, on which exact resuming rests: a batch follows from its step alone; a
/// loss follows from the batch, the parameters and the pass.
public protocol TrainingTask: Sendable {
  /// What one step reads.
  associatedtype Batch: Sendable

  /// What the optimiser may change; the trainer decides which of them it does.
  var parameters: Parameters { get }

  /// Those of the parameters that make up networks of their own; none unless a task says otherwise.
  var networks: [TrainedNetwork] { get }

  /// The batch of step `step`, from 0 on; any order will do, on any thread.
  func batch(at step: Int) throws -> Batch

  /// How far the network is from what it should say of `batch`.
  func loss(of batch: Batch, at step: Int, in pass: ForwardContext) throws -> Loss

  /// How good the network is as it stands, by name: `val/miou`.
  ///
  /// A name with `/` is a tag of TensorBoard's too. Empty where there is nothing to measure on.
  func evaluate() throws -> [String: Double]
}

extension TrainingTask {
  /// None: all parameters are of one model.
  public var networks: [TrainedNetwork] { [] }
}

/// A network that is trained with a part and is a model of its own: a folder beside the part's
/// weights, with a specification and weights.
public struct TrainedNetwork: Sendable, Hashable {
  /// What the names of its parameters begin with, which its own file leaves out; also the name of
  /// its folder.
  public let prefix: String
  /// The text of its `spec.yaml`.
  public let specification: String
  /// The folder of the network that it begins with; nil where it is drawn.
  public let base: String?

  /// A network whose parameters begin with `prefix` and a dot.
  public init(_ prefix: String, specification: String, base: String? = nil) {
    (self.prefix, self.specification, self.base) = (prefix, specification, base)
  }

  /// The text of its `spec.yaml`, which names the base where weights are left out that are its.
  func specification(isWhole: Bool) -> String {
    guard !isWhole, let base else { return specification }
    let others = specification.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("base:") }
    return (["base: \(String(reflecting: base))"] + others).joined(separator: "\n")
  }
}

/// The number that training brings down, and the parts of it worth telling.
public struct Loss: Sendable {
  /// One number, differentiable.
  public private(set) var total: Tensor
  /// Named parts, one number each; told, not descended.
  public private(set) var parts: [String: Tensor]

  /// A loss of one number, with parts that are told beside it.
  public init(_ total: Tensor, parts: [String: Tensor] = [:]) {
    (self.total, self.parts) = (total, parts)
  }

  /// Adds a part that counts `weight` times.
  mutating func add(_ part: Tensor, named name: String, counting weight: Double) throws(TensorError)
  {
    total = try total + part * Float(weight)
    parts[name] = try part.detached()
  }
}
