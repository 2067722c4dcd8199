// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// How gradients change parameters.
public enum OptimizerKind: Hashable, Sendable {
  /// Stochastic gradient descent; the decay adds to the gradient.
  case sgd(momentum: Double, decay: Double, nesterov: Bool)
  /// Adam (Kingma and Ba, ICLR 2015); the decay adds to the gradient.
  case adam(betas: SIMD2<Double>, decay: Double)
  /// Adam with decoupled decay (Loshchilov and Hutter, ICLR 2019).
  case adamW(betas: SIMD2<Double>, decay: Double)
}

/// An optimiser over parameters, with what it remembers of each between steps.
///
/// Decay acts on weights alone, not on biases and normalisations.
struct Optimizer {
  private let kind: OptimizerKind
  private let groups: [Group]
  /// Steps taken.
  private(set) var step: Int

  private struct Group {
    let names: [String]
    let tensors: [Tensor]
    /// One list of tensors for each thing remembered.
    let memories: [[Tensor]]
    let decays: Bool
    let scale: Double
  }

  /// An optimiser that remembers nothing yet; `scale` gives what a parameter's rate is multiplied
  /// by.
  init(
    _ kind: OptimizerKind, of parameters: [Parameter], scale: (String) -> Double = { _ in 1 }
  ) throws {
    struct Key: Hashable { let decays: Bool, scale: Double }
    let grouped = Dictionary(grouping: parameters) {
      Key(decays: $0.kind == .weight, scale: scale($0.name))
    }
    // In an order of their own, so that two runs add up alike.
    let keys = grouped.keys.sorted { ($0.decays ? 1 : 0, $0.scale) < ($1.decays ? 1 : 0, $1.scale) }
    groups = try keys.map { key in
      let members = grouped[key] ?? []
      let memories = try (0..<kind.memories.count).map { _ in
        try members.map { try Tensor.zeros($0.tensor.shape).to($0.tensor.device) }
      }
      return Group(
        names: members.map(\.name), tensors: members.map(\.tensor), memories: memories,
        decays: key.decays, scale: key.scale)
    }
    (self.kind, step) = (kind, 0)
  }

  /// Changes the parameters against their gradients.
  mutating func descend(rate: Double) throws {
    step += 1
    for group in groups {
      let rate = rate * group.scale
      switch kind {
      case .sgd(let momentum, let decay, let nesterov):
        try TrainingSteps.descend(
          group.tensors, velocities: group.memories[0], rate: rate, momentum: momentum,
          decay: group.decays ? decay : 0, nesterov: nesterov)
      case .adam(let betas, let decay), .adamW(let betas, let decay):
        var isDecoupled = false
        if case .adamW = kind { isDecoupled = true }
        try TrainingSteps.adam(
          group.tensors, means: group.memories[0], squares: group.memories[1], rate: rate,
          betas: (betas.x, betas.y), epsilon: 1e-8, decay: group.decays ? decay : 0,
          decoupled: isDecoupled, step: step)
      }
    }
  }

  /// Everything remembered, by name.
  var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for group in groups {
      for (memory, tensors) in zip(kind.memories, group.memories) {
        for (name, tensor) in zip(group.names, tensors) { state["\(memory).\(name)"] = tensor }
      }
    }
    return state
  }

  /// Takes up what another optimiser of the same parameters remembered after `step` steps.
  mutating func restore(step: Int, from tensor: (String) throws -> Tensor) throws {
    self.step = step
    for (name, own) in state.sorted(by: { $0.key < $1.key }) { try own.assign(tensor(name)) }
  }
}

extension OptimizerKind {
  fileprivate var memories: [String] {
    switch self {
    case .sgd: ["velocity"]
    case .adam, .adamW: ["mean", "square"]
    }
  }
}
