// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Outputs
internal import Specification
internal import Tensors

extension Trainer {
  /// Writes what was learned, in half precision, which costs nothing measurable; offsets and
  /// statistics, which are few and may be large, in single precision.
  ///
  /// Networks of their own have folders of their own; the part comes last, since its weights say
  /// that all is done.
  func writeWeights(_ all: [Parameter]) throws {
    var rest = all
    for network in task.networks {
      let prefix = network.prefix + "."
      let path = "\(folder)/\(network.prefix)"
      let own = rest.filter { $0.name.hasPrefix(prefix) }
      rest.removeAll { $0.name.hasPrefix(prefix) }
      do throws(OutputError) {
        try makeFolder(path)
        try PendingFile.write(
          [UInt8](network.specification.utf8), to: ModelFolder.specificationPath(in: path))
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
