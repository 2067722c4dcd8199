// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Scheduler

extension PolicyNetwork {
  /// What was trained, from a folder with `spec.yaml` and `weights.safetensors`.
  ///
  /// - Throws: `BackboneError` where a file is missing, or does not fit the other.
  public init(contentsOf folder: String) throws {
    self = try storedPart(in: folder) { (text) throws(BackboneError) in
      try PolicySpecification(yaml: text, folder: folder)
    } made: { specification, _, parameters in
      try PolicyNetwork(size: specification.size, parameters: parameters)
    }
  }
}
