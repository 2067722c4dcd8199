// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Specification
internal import Tensors

/// A trained network that teaches.
struct Teacher {
  private let folder: String
  private let weights: SegmentationObjective.Distillation.Weights
  private let loss: DistillationLoss

  /// Whether something is learned from pairs of frames.
  var wantsPairs: Bool { weights.wantPairs }

  /// Nil where the reader names none.
  init?(_ reader: DescriptionReader, folder: String) throws(SpecificationError) {
    guard reader.has("teacher") else { return nil }
    let teacher = try reader.group("teacher")
    try teacher.allow(
      ["network", "weight", "temperature", "neighbours", "pairwise", "multi_frame"])
    let path = try teacher.string("network")
    self.folder = path.hasPrefix("/") ? path : "\(folder.isEmpty ? "." : folder)/\(path)"
    var weights = SegmentationObjective.Distillation.Weights()
    weights.scores = try teacher.number("weight", in: 0...1000, usual: 1)
    weights.neighbours = try teacher.number("neighbours", in: 0...1000, usual: 0)
    weights.pairwise = try teacher.number("pairwise", in: 0...1000, usual: 0)
    weights.multiFrame = try teacher.number("multi_frame", in: 0...1000, usual: 0)
    self.weights = weights
    let temperature = try teacher.number("temperature", in: 0.01...100, usual: 1)
    loss = DistillationLoss(temperature: temperature)
  }

  func teaching(
    for student: NetworkSpecification, device: Device
  ) throws -> SegmentationObjective.Distillation {
    let stored = try NetworkFolder(at: folder)
    guard stored.specification.input.scaling == student.input.scaling,
      stored.specification.classes == student.classes,
      stored.specification.learnsVoid == student.learnsVoid
    else {
      throw SpecificationError(
        .badDescription,
        "\(folder) cannot teach this network: it has other classes, or scales pictures otherwise")
    }
    return try .init(stored.network(on: device).folded(), loss: loss, weights: weights)
  }
}
