// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Recipes
internal import Specification
internal import Synthesis
internal import Training
internal import Video

// Heads learn on rendered streets, whose depth and boxes are known.
extension TrainingSources {
  /// A head for depth, trained on as many pictures of the streets as its specification says.
  func depthTask(
    for specification: HeadTrainingSpecification
  ) throws -> HeadTask<DepthObjective> {
    try specification.depthTask(
      behind: backbone(in: specification.head.backbone),
      on: pictures(specification.pictureCount) { $0.depth },
      validation: validationPictures { $0.depth }, device: device)
  }

  /// A head for detection, trained as that for depth.
  func detectionTask(
    for specification: HeadTrainingSpecification
  ) throws -> HeadTask<DetectionObjective> {
    if case .detection(let settings) = specification.head.kind,
      settings.classes.names != ClassList.streetObjects.names
    {
      let names = ClassList.streetObjects.names.joined(separator: ", ")
      throw SpecificationError(
        .badInput, "the objects of streets are \(names), the head's are others")
    }
    return try specification.detectionTask(
      behind: backbone(in: specification.head.backbone),
      on: pictures(specification.pictureCount) { $0.boxes },
      validation: validationPictures { $0.boxes }, device: device)
  }

  private func pictures<Target>(
    _ count: Int, target: @escaping @Sendable (StreetTruth) -> Target
  ) throws -> HeadSamples<Target> {
    guard data.count == 1, case .rendered(let seed) = try dataset(data[0]).pairing else {
      throw SpecificationError(.badValue, "a head is trained on --data streets:SEED")
    }
    return HeadSamples(StreetPool(seed: seed, count: count, threads: threads), target: target)
  }

  /// The frames that weights' cards tell of: the first 40.
  private func validationPictures<Target>(
    target: @escaping @Sendable (StreetTruth) -> Target
  ) throws -> HeadSamples<Target>? {
    guard let validation else { return nil }
    guard let seed = try dataset(validation).streetSeed else {
      throw SpecificationError(.badValue, "a head is measured on --validation street:SEED")
    }
    return HeadSamples(MovingStreet(seed: seed, threads: threads), count: 40, target: target)
  }
}
