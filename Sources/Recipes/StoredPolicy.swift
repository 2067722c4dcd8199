// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Foundation
internal import Layers
public import Scheduler
internal import Tensors

extension PolicyNetwork {
  /// What was trained, from a folder with `spec.yaml` and `weights.safetensors`.
  ///
  /// - Throws: `BackboneError` where a file is missing, or does not fit the other.
  public init(contentsOf folder: String) throws {
    let weights = "\(folder)/weights.safetensors"
    let text = try NetworkFolder.text(in: folder)
    guard FileManager.default.fileExists(atPath: weights) else {
      throw BackboneError(.missingFile, "\(folder) is not trained: there is no \(weights)")
    }
    let specification: PolicySpecification
    do throws(BackboneError) {
      specification = try PolicySpecification(yaml: text, folder: folder)
    } catch {
      throw BackboneError(
        error.code, "\(NetworkFolder.specificationPath(in: folder)): \(error.message)")
    }
    let parameters = Parameters(reading: try SafetensorsFile(contentsOf: weights))
    do {
      try self.init(size: specification.size, parameters: parameters)
      if let name = parameters.unread.first {
        throw LayerError("nothing here is called \(String(reflecting: name))")
      }
    } catch let error as LayerError {
      throw BackboneError(.badWeights, "\(weights) does not fit its spec.yaml: \(error)")
    }
  }
}
