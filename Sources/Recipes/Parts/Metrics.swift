// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Specification
public import Video

extension Registries {
  mutating func registerMetrics() {
    metrics.register(
      "depth",
      "errors of depth: 'median' or 'inverse' aligns each frame first; metres that count",
      options: [
        .optional("align", .choice(["none", "median", "inverse"]), standard: "none"),
        .optional("least", .number(1e-6...1e6), standard: 0.001),
        .optional("most", .number(1e-6...1e6), standard: 80),
        .optional("farthest", .number(1e-6...1e6)),
      ],
      usage: "depth:inverse,0.3,6",
      validate: { (options) throws(InvalidOption) in
        guard options.number("least") < options.number("most") else {
          throw InvalidOption("needs a least depth below the most")
        }
      }
    ) { options, _ in
      let alignments: [String: DepthAccuracy.Alignment] = ["median": .median, "inverse": .inverse]
      let accuracy = DepthAccuracy(
        range: options.number("least")...options.number("most"),
        alignment: alignments[options.text("align")] ?? .none,
        farthest: options.numberIfGiven("farthest"))
      return MetricFactory { DepthMetric(accuracy) }
    }
    metrics.register(
      "tracks", "MOTA, IDF1 and HOTA of boxes with identities, from a score on; usually 0.4",
      options: [.optional("score", .number(0...1), standard: 0.4)]
    ) { options, _ in
      let score = options.number("score")
      return MetricFactory { TrackingMetric(leastScore: score) }
    }
    metrics.register(
      "boundary", "mIoU within so many pixels of a border between two classes; usually 3",
      options: [
        .optional("pixels", .integer(1...256), standard: .integer(3), placeholder: "PIXELS")
      ]
    ) { options, context in
      guard let classes = context[MeasuredClasses.self]?.list else {
        throw SpecificationError(.incompatible, "the metric boundary is for label maps")
      }
      let pixels = options.integer("pixels")
      return MetricFactory { BoundaryAccuracy(pixels: pixels, classes: classes.count) }
    }
  }
}

/// The classes of the label maps that are measured, for metrics that are made before any is seen.
public struct MeasuredClasses: Sendable {
  /// Names and void.
  public let list: ClassList

  /// Label maps of these classes.
  public init(_ list: ClassList) { self.list = list }
}
