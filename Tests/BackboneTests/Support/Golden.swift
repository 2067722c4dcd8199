// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import TestSupport
import Testing

/// A network and what PyTorch computes with it; `Scripts/golden/networks.py` makes the files.
struct Golden {
  let file: SafetensorsFile

  init(_ name: String) throws {
    file = try SafetensorsFile(contentsOf: "\(fixtures)/Network/\(name).safetensors")
  }

  func tensor(_ name: String) throws -> Tensor { try file.tensor(name).cast(to: .float32) }

  /// Whether a tensor is the one called `name`, but for rounding.
  func expect(
    _ tensor: Tensor?, is name: String, within tolerance: Float = 1e-4,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (actual, expected) = (try #require(tensor), try self.tensor(name))
    #expect(actual.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
    let distance = try actual.distance(from: expected)
    #expect(distance <= tolerance, "\(name): \(distance)", sourceLocation: sourceLocation)
  }

  /// Trains for one pass towards `direction`; then every gradient and statistic the file holds is
  /// PyTorch's.
  func expectTraining(
    of parameters: Parameters, _ run: (Tensor, ForwardContext) throws -> Tensor,
    prefix: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for parameter in parameters.all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(true)
    }
    let input = try tensor("input").requiringGradient()
    let output = try run(input, .training(seed: 1))
    try (output * tensor("direction")).sum().backward()
    try expect(
      input.gradient(), is: "gradient.input", within: 1e-3, sourceLocation: sourceLocation)
    var checked = 0
    for parameter in parameters.all {
      let name = String(parameter.name.dropFirst(prefix.count))
      for kind in ["gradient", "after"] where file["\(kind).\(name)"] != nil {
        let actual = kind == "after" ? parameter.tensor : try parameter.tensor.gradient()
        try expect(
          actual, is: "\(kind).\(name)", within: 1e-3, sourceLocation: sourceLocation)
        checked += 1
      }
    }
    #expect(checked >= 6, sourceLocation: sourceLocation)
  }
}

extension Tensor {
  /// The largest difference, as a share of the other's largest element.
  func distance(from other: Tensor) throws -> Float {
    try (self - other).abs().max().item() / Swift.max(1e-6, other.abs().max().item())
  }
}
