// SPDX-License-Identifier: Apache-2.0

internal import Tensors

/// What a TorchScript file tells of its program.
struct ProgramInspection: Encodable {
  let schemaVersion = 1
  let path: String
  let kind = "torchscript"
  /// How many numbers its parameters hold.
  let parameters: Int
  /// What can be called: stages, where there are several.
  let methods: [String]

  /// Reads the file; nothing of it is run.
  ///
  /// - Throws: `TensorError` in one sentence for what is no program that LibTorch can load.
  init(_ path: String) throws(TensorError) {
    let module = try TorchScriptModule(contentsOf: path, options: [])
    (self.path, parameters, methods) = (path, module.parameterCount, try module.methods())
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, parameters, methods
    case schemaVersion = "schema_version"
  }
}

extension ProgramInspection: CustomStringConvertible {
  var description: String {
    """
    \(path): TorchScript, \(parameters) parameters
      methods: \(methods.joined(separator: ", "))
      Multiplications of a TorchScript file are not counted: as an ONNX file they are.
    """
  }
}
