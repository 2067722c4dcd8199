// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Outputs
internal import Specification
internal import Tensors

extension Trainer {
  /// Writes what was learned, in half precision, which costs nothing measurable; offsets and
  /// statistics, which are few and may be large, in single precision.
  ///
  /// What no stage trained of a network that training began with is left out: it is read from that
  /// network's folder. Networks of their own have folders of their own; the part comes last, since
  /// its weights say that all is done.
  func writeWeights(_ all: [Parameter]) throws {
    var rest = try all.filter { parameter in
      try plan.stages.contains { $0.trains(parameter.name) }
        || !task.parameters.isBased(parameter.name)
    }
    for network in task.networks {
      let prefix = network.prefix + "."
      let path = "\(folder)/\(network.prefix)"
      let own = rest.filter { $0.name.hasPrefix(prefix) }
      let isWhole = own.count == all.count { $0.name.hasPrefix(prefix) }
      rest.removeAll { $0.name.hasPrefix(prefix) }
      do throws(OutputError) {
        try makeFolder(path)
        try PendingFile.write(
          [UInt8](network.specification(isWhole: isWhole).utf8),
          to: ModelFolder.specificationPath(in: path))
      } catch { throw TrainingError(error) }
      try write(own, to: path) { String($0.dropFirst(prefix.count)) }
    }
    try write(rest, to: folder) { $0 }
  }

  private func write(
    _ parameters: [Parameter], to folder: String, named name: (String) -> String
  ) throws {
    let weights = try parameters.map { parameter in
      let tensor = try parameter.tensor.detached()
      guard parameter.kind == .weight else { return (name(parameter.name), tensor) }
      let half = try tensor.cast(to: .float16)
      // What half precision cannot hold stays as it was learned.
      return (name(parameter.name), try half.cast(to: .float32).isFinite() ? half : tensor)
    }
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: weights), to: ModelFolder.weightsPath(in: folder))
  }
}
