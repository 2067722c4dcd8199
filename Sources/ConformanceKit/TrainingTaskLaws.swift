// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors
public import Training

/// The names of the laws of training tasks that `task` breaks; empty when it keeps them all.
///
/// The laws, on which exact resuming rests: *a batch follows from its step alone*; *same batch,
/// parameters and pass, same loss*; *measuring changes nothing*. And so that something is learned:
/// *losses are finite*; *some parameter has a gradient, and every gradient is finite*.
public func brokenLaws(of task: some TrainingTask, steps: Int = 4) throws -> [String] {
  var broken: [String] = []
  func loss(at step: Int) throws -> Float {
    try task.loss(of: task.batch(at: step), at: step, in: .training(seed: UInt64(step)))
      .total.item()
  }
  let forwards = try (0..<steps).map(loss)
  let backwards = try (0..<steps).reversed().map(loss)
  if forwards != backwards.reversed() { broken.append("a batch follows from its step alone") }
  if !forwards.allSatisfy(\.isFinite) { broken.append("losses are finite") }

  let batch = try task.batch(at: 0)
  let twice = try (0..<2).map { _ in
    try task.loss(of: batch, at: 0, in: .training(seed: 1)).total.item()
  }
  if twice[0] != twice[1] { broken.append("same batch, parameters and pass, same loss") }

  let before = try task.parameters.all.map { try $0.tensor.floats() }
  _ = try task.evaluate()
  if try task.parameters.all.map({ try $0.tensor.floats() }) != before {
    broken.append("measuring changes nothing")
  }
  if try !hasFiniteGradients(task, on: batch) {
    broken.append("some parameter has a gradient, and every gradient is finite")
  }
  return broken
}

/// Whether a loss moves anything, and nothing without bounds; parameters are left as they were.
private func hasFiniteGradients<Task: TrainingTask>(
  _ task: Task, on batch: Task.Batch
) throws -> Bool {
  let learned = task.parameters.all.filter { $0.kind != .statistic }
  let before = learned.map(\.tensor.requiresGradient)
  for parameter in learned { try parameter.tensor.setRequiresGradient(true) }
  defer {
    for (parameter, required) in zip(learned, before) {
      try? parameter.tensor.setRequiresGradient(required)
    }
  }
  let loss = try task.loss(of: batch, at: 0, in: .training(seed: 1)).total
  guard loss.requiresGradient else { return false }
  let found = try gradients(of: loss, withRespectTo: learned.map(\.tensor))
  let values = try found.map { try $0.floats() }
  return values.contains { $0.contains { $0 != 0 } }
    && values.allSatisfy { $0.allSatisfy(\.isFinite) }
}
