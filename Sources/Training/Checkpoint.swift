// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
internal import Outputs
internal import Specification
internal import Tensors

/// All of a training at one step, in one safetensors file.
///
/// `model.…` are the parameters, `average.…` their running average, `optimizer.…` what the
/// optimiser remembers; the metadata tells the stage, the step and what was trained. The one before
/// is kept beside it, for the case that the newest cannot be read.
struct Checkpoint {
  let path: String
  /// Where the one before lies.
  let formerPath: String

  init(in folder: String) {
    path = ModelFolder.checkpointPath(in: folder)
    formerPath = ModelFolder.formerCheckpointPath(in: folder)
  }

  struct Position: Equatable {
    /// The stage that is under way, and steps done in it.
    var stage: Int, step: Int

    /// The last stage that has begun.
    var begun: Int { step > 0 ? stage : stage - 1 }
  }

  func write(
    _ position: Position, of fingerprint: TrainingFingerprint, parameters: Parameters,
    average: [Tensor], optimizer: Optimizer, evaluationIsDue: Bool
  ) throws {
    var tensors: [String: Tensor] = [:]
    for (index, parameter) in parameters.all.enumerated() {
      tensors["model.\(parameter.name)"] = try parameter.tensor.detached()
      if !average.isEmpty { tensors["average.\(parameter.name)"] = average[index] }
    }
    for (name, tensor) in optimizer.state { tensors["optimizer.\(name)"] = tensor }
    var metadata = [
      "format": "inbetween training 1", "stage": "\(position.stage)", "step": "\(position.step)",
      "optimizer_step": "\(optimizer.step)", "spec": fingerprint[position.begun],
    ]
    if evaluationIsDue { metadata["evaluation"] = "due" }
    try SafetensorsFile.write(
      tensors, metadata: metadata, to: path, keepingFormerAs: formerPath)
  }

  var exists: Bool {
    [path, formerPath].contains { FileManager.default.fileExists(atPath: $0) }
  }

  /// The newest that is whole; `warn` is told where that is not the newest.
  func open(
    expecting fingerprint: TrainingFingerprint, _ plan: TrainingPlan, warn: (String) -> Void
  ) throws -> Opened {
    do { return try open(path, expecting: fingerprint, plan) } catch let error as SafetensorsError {
      guard let former = try? open(formerPath, expecting: fingerprint, plan) else {
        throw TrainingError(
          .badFile, "\(path) cannot be read: \(error); there is no whole one before it")
      }
      let step = plan.step(at: former.position)
      warn("\(path) cannot be read: \(error); goes on from \(formerPath), at step \(step)")
      return former
    }
  }

  /// A checkpoint that was read.
  struct Opened {
    let file: SafetensorsFile
    let position: Position
    let optimizerStep: Int
    /// Whether it was written before the evaluation at its step.
    let evaluationIsDue: Bool
  }

  private func open(
    _ path: String, expecting fingerprint: TrainingFingerprint, _ plan: TrainingPlan
  ) throws -> Opened {
    let file = try SafetensorsFile(contentsOf: path)
    let metadata = file.metadata
    guard metadata["format"] == "inbetween training 1", let stage = Int(metadata["stage"] ?? ""),
      let step = Int(metadata["step"] ?? ""), let steps = Int(metadata["optimizer_step"] ?? "")
    else { throw TrainingError(.badFile, "\(path) is no checkpoint of a training") }
    let position = Position(stage: stage, step: step)
    guard metadata["spec"] == fingerprint[position.begun] else {
      throw TrainingError(
        .otherTraining,
        "\(path) was made by another specification; to train anew, give another folder")
    }
    // A training that is done is at the beginning of the stage after its last.
    let allowed = (plan.stages.map(\.steps) + [0])[safely: stage] ?? -1
    guard step >= 0, step <= allowed, (0...TrainingPlan.mostSteps).contains(steps) else {
      throw TrainingError(
        .badFile, "\(path) is at step \(step) of stage \(stage), which the plan does not have")
    }
    return Opened(
      file: file, position: position, optimizerStep: steps,
      evaluationIsDue: metadata["evaluation"] == "due")
  }
}

extension Array {
  /// The element at `index`; nil where there is none.
  fileprivate subscript(safely index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}
