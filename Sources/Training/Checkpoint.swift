// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
internal import Tensors

/// All of a training at one step, in one safetensors file.
///
/// `model.…` are the parameters, `average.…` their running average, `optimizer.…` what the optimiser
/// remembers; the metadata tells the stage, the step and what was trained.
struct Checkpoint {
  let path: String

  struct Position: Equatable {
    /// The stage that is under way, and steps done in it.
    var stage: Int, step: Int
  }

  func write(
    _ position: Position, of fingerprint: String, parameters: Parameters, average: [Tensor],
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
      "optimizer_step": "\(optimizer.step)", "spec": fingerprint,
    ]
    try SafetensorsFile.write(tensors, metadata: metadata, to: path)
  }

  var exists: Bool { FileManager.default.fileExists(atPath: path) }

  func open(expecting fingerprint: String) throws -> (SafetensorsFile, Position, optimizerStep: Int)
  {
    let file = try SafetensorsFile(contentsOf: path)
    let metadata = file.metadata
    guard metadata["format"] == "inbetween training 1", let stage = Int(metadata["stage"] ?? ""),
      let step = Int(metadata["step"] ?? ""), let steps = Int(metadata["optimizer_step"] ?? "")
    else { throw TrainingError("\(path) is no checkpoint of a training") }
    guard metadata["spec"] == fingerprint else {
      throw TrainingError(
        "\(path) was made by another specification; to train anew, give another folder")
    }
    return (file, Position(stage: stage, step: step), steps)
  }
}

/// What is wrong with a training, or how it went wrong.
public struct TrainingError: Error, Hashable, CustomStringConvertible {
  public let message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
