// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Specification
public import Video

extension Registries {
  mutating func registerMetrics() {
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
