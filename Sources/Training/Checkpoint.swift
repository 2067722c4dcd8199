// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
internal import Tensors

/// All of a training at one step, in one safetensors file.
///
/// `model.…` are the parameters, `average.…` their running average, `optimizer.…` what the
/// optimiser remembers; the metadata tells the stage, the step and what was trained.
struct Checkpoint {
  let path: String

  struct Position: Equatable {
    /// The stage that is under way, and steps done in it.
    var stage: Int, step: Int

    /// The last stage that has begun.
    var begun: Int { step > 0 ? stage : stage - 1 }
  }

  func write(
    _ position: Position, of fingerprint: TrainingFingerprint, parameters: Parameters,
    average: [Tensor],
    optimizer: Optimizer
  ) throws {
    var tensors: [String: Tensor] = [:]
    for (index, parameter) in parameters.all.enumerated() {
      tensors["model.\(parameter.name)"] = try parameter.tensor.detached()
      if !average.isEmpty { tensors["average.\(parameter.name)"] = average[index] }
    }
    for (name, tensor) in optimizer.state { tensors["optimizer.\(name)"] = tensor }
    let metadata = [
      "format": "inbetween training 1", "stage": "\(position.stage)", "step": "\(position.step)",
      "optimizer_step": "\(optimizer.step)", "spec": fingerprint[position.begun],
    ]
    try SafetensorsFile.write(tensors, metadata: metadata, to: path)
  }

  var exists: Bool { FileManager.default.fileExists(atPath: path) }

  func open(
    expecting fingerprint: TrainingFingerprint, _ plan: TrainingPlan
  ) throws -> (SafetensorsFile, Position, optimizerStep: Int) {
    let file = try SafetensorsFile(contentsOf: path)
    let metadata = file.metadata
    guard metadata["format"] == "inbetween training 1", let stage = Int(metadata["stage"] ?? ""),
      let step = Int(metadata["step"] ?? ""), let steps = Int(metadata["optimizer_step"] ?? "")
    else { throw TrainingError("\(path) is no checkpoint of a training") }
    let position = Position(stage: stage, step: step)
    guard metadata["spec"] == fingerprint[position.begun] else {
      throw TrainingError(
        "\(path) was made by another specification; to train anew, give another folder")
    }
    // A training that is done is at the beginning of the stage after its last.
    let allowed = (plan.stages.map(\.steps) + [0])[safely: stage] ?? -1
    guard step >= 0, step <= allowed, steps >= 0 else {
      throw TrainingError(
        "\(path) is at step \(step) of stage \(stage), which the plan does not have")
    }
    return (file, position, steps)
  }
}

extension Array {
  /// The element at `index`; nil where there is none.
  fileprivate subscript(safely index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}

/// What is wrong with a training, or how it went wrong.
public struct TrainingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, in one sentence.
  public let message: String
  /// An error told in one sentence.
  public init(_ message: String) { self.message = message }
  /// The message as it is.
  public var description: String { message }
}
