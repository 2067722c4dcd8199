// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Pipeline
internal import Propagation
public import Recipes
internal import Scheduler
internal import Specification
internal import Video

extension LoadedEvaluation {
  /// What to say where the network does far better on the first labelled frame with red and blue
  /// swapped: its description names the wrong order, most likely.
  ///
  /// Nil where accuracy is not against labels, or the network reads them.
  public func colorOrderWarning(in registries: Registries) throws -> String? {
    let readsLabels = spec.pipeline.backbone.map {
      registries.grammar.requirements(of: $0, as: registries.backbones.role).contains(.labels)
    }
    guard !spec.agreement, readsLabels == false else { return nil }
    for index in 0..<clip.count {
      guard let labels = try clip.labels(at: index) else { continue }
      let frame = try clip.frame(at: index)
      let given = try score(frame.pixels, labels)
      let swapped = try score(frame.pixels.withRedAndBlueSwapped, labels)
      return Self.warning(given: given, swapped: swapped)
    }
    return nil
  }

  /// A network that saw the right order loses by the other one; a gain by chance is small.
  static func warning(given: Double, swapped: Double) -> String? {
    guard swapped > given + 0.1, swapped > 1.5 * given else { return nil }
    return "the first labelled frame has mIoU \(given.threeDigits), and \(swapped.threeDigits) "
      + "with red and blue swapped: the network's description most likely names the wrong color, "
      + "bgr for rgb"
  }

  /// The mIoU of per-frame inference on one picture.
  private func score(_ pixels: Image, _ truth: Image) throws -> Double {
    let pipeline = whole.with(scheduler: .every(1))
    var state = pipeline.start()
    let labels = try pipeline.label(Frame(index: 0, time: 0, pixels: pixels), in: &state).labels
    var matrix = ConfusionMatrix(classes: clip.classes.count)
    matrix.add(predicted: labels.scaledLabels(to: truth.size), truth: truth)
    return matrix.meanIoU ?? 0
  }
}

extension Image {
  /// The same picture with its first and last planes in each other's place.
  fileprivate var withRedAndBlueSwapped: Image {
    Image(width: width, height: height, channels: 3) { out in
      withUnsafeBytes { bytes in
        for pixel in stride(from: 0, to: bytes.count, by: 3) {
          (out[pixel], out[pixel + 1], out[pixel + 2]) =
            (bytes[pixel + 2], bytes[pixel + 1], bytes[pixel])
        }
      }
    }
  }
}

extension Double {
  fileprivate var threeDigits: String { "\((self * 1000).rounded() / 1000)" }
}
