// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Foundation
internal import Layers
internal import Tensors

/// Makes what was trained from a folder with `spec.yaml` and `weights.safetensors`.
///
/// - Throws: `BackboneError` where a file is missing, or does not fit the other: every weight is to be read.
func storedPart<Specification, Part>(
  in folder: String, described read: (String) throws(BackboneError) -> Specification,
  made make: (Specification, SafetensorsFile, Parameters) throws -> Part
) throws -> Part {
  let weights = "\(folder)/weights.safetensors"
  let text = try NetworkFolder.text(in: folder)
  guard FileManager.default.fileExists(atPath: weights) else {
    throw BackboneError(.missingFile, "\(folder) is not trained: there is no \(weights)")
  }
  let specification: Specification
  do throws(BackboneError) { specification = try read(text) } catch {
    throw BackboneError(
      error.code, "\(NetworkFolder.specificationPath(in: folder)): \(error.message)")
  }
  let file = try SafetensorsFile(contentsOf: weights)
  let parameters = Parameters(reading: file)
  do {
    let part = try make(specification, file, parameters)
    if let name = parameters.unread.first {
      throw LayerError("nothing here is called \(String(reflecting: name))")
    }
    return part
  } catch let error as LayerError {
    throw BackboneError(.badWeights, "\(weights) does not fit its spec.yaml: \(error)")
  }
}
