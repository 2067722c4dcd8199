// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Pipeline
internal import Recipes
internal import Video

extension PartOptions {
  /// The pipeline of these parts around a network, or around a clip's own labels where there is none.
  ///
  /// - Throws: `Failure` where the network does not tell the clip's classes apart.
  func pipeline(for clip: any LabelledClip, _ network: StoredNetwork?) throws -> KeyframePipeline<Image> {
    guard let network else {
      let truth = GroundTruthBackbone(of: clip)
      return try pipeline(truth, truth.head)
    }
    guard network.classes.names == clip.classes.names else {
      throw Failure(
        .badInput,
        "\(network.path) tells \(network.classes.fewNames) apart, \(clip.name) is labelled with "
          + clip.classes.fewNames)
    }
    let (heavy, head) = try network.load()
    return try pipeline(heavy, head)
  }
}

extension ClassList {
  /// The first few classes, and how many there are.
  fileprivate var fewNames: String {
    let few = names.prefix(3).joined(separator: ", ")
    return count > 3 ? "\(few), … (\(count) classes)" : few
  }
}
