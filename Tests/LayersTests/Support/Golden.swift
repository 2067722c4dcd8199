// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import TestSupport
import Testing

/// Layers and what PyTorch computes with them; `Scripts/golden/networks.py` makes the file.
struct Golden {
  let file: SafetensorsFile

  init(_ name: String = "layers") throws {
    file = try SafetensorsFile(contentsOf: "\(fixtures)/Network/\(name).safetensors")
  }

  /// The parameters of a layer, with gradients recorded.
  func parameters(_ prefix: String) throws -> Parameters {
    Parameters(reading: file, prefix: prefix + ".")
  }

  func tensor(_ name: String) throws -> Tensor { try file.tensor(name).cast(to: .float32) }

  /// Whether a tensor is the one called `name`, but for rounding.
  func expect(
    _ tensor: Tensor?, is name: String, within tolerance: Float = 2e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (actual, expected) = (try #require(tensor), try self.tensor(name))
    #expect(actual.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
    let largest = try max(1, expected.abs().max().item())
    let distance = try (actual - expected).abs().max().item()
    #expect(distance <= tolerance * largest, "\(name)", sourceLocation: sourceLocation)
  }
}

extension Parameters {
  /// Records gradients for what is learned.
  func recordGradients() throws {
    for parameter in all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(true)
    }
  }
}
