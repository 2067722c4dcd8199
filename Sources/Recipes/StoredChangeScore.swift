// SPDX-License-Identifier: Apache-2.0

package import Backbone
internal import Layers
public import Scheduler
package import Tensors
package import Video

extension LearnedChangeScore {
  /// What was trained, from a folder with `spec.yaml` and `weights.safetensors`.
  ///
  /// - Throws: `BackboneError` where a file is missing, or does not fit the other.
  public init(contentsOf folder: String) throws {
    self = try storedPart(in: folder) { (text) throws(BackboneError) in
      try ChangeScoreSpecification(yaml: text, folder: folder)
    } made: { specification, file, parameters in
      // How many channels a stage of the backbone has, the weights know.
      let channels = file["first.weight"].map { $0.shape.rank > 1 ? $0.shape[1] : 1 } ?? 1
      return try LearnedChangeScore(
        specification.sight, channels: max(1, channels), width: specification.width,
        parameters: parameters)
    }
  }
}

extension LearnedChangeScore {
  /// What it sees of frames of this size between which nothing changed.
  package func emptyChange(behind backbone: some Backbone, size: PixelSize) throws -> Tensor {
    switch sight {
    case .motion:
      let (height, width) = (size.height + Self.cell - 1, size.width + Self.cell - 1)
      return try .zeros([1, Self.motionChannels, height / Self.cell, width / Self.cell])
    case .features(let stage):
      let pixels = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
      let input = try backbone.input(for: Frame(index: 0, time: 0, pixels: pixels))
      let count = try backbone.index(ofStage: stage) + 1
      return try backbone.run(0..<count, on: Features(input)).main
    }
  }
}
