// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Datasets
public import Evaluation
public import Specification
public import Video

/// Something that is predicted behind a backbone other than its own labels: depth, boxes, anything.
///
/// It ties together what a task takes: the head, the ground truth's type, the metrics, and how a
/// prediction is shown. A data set offers ground truth by its type (`DataSource.with`).
public protocol PredictionTask<Prediction, Target>: Sendable {
  /// What the head gives.
  associatedtype Prediction: Sendable
  /// What it is measured against.
  associatedtype Target: Sendable

  /// What results call it: `depth`.
  var name: String { get }

  /// The files that the head is read from.
  var files: [String] { get }

  /// The head, behind the backbone that it was trained behind.
  func head(behind backbone: any Backbone) throws -> any Head<Prediction>

  /// What propagates to non-key frames where nothing is named: `warp` unless a task says otherwise.
  var usualPropagator: PartSpec { get }

  /// The metrics that it is usually measured by, with nothing counted.
  func metrics() -> [any Metric<Prediction, Target>]

  /// The metrics of agreement between two predictions of one network; the usual ones unless a task
  /// says otherwise.
  func agreementMetrics() -> [any Metric<Prediction, Target>]

  /// What predictions are written into; nil, as usually, where no format is known.
  ///
  /// - Throws: where nothing can be written at `path`, or it names no format.
  func file(at path: String) throws -> (any PredictionFile<Prediction>)?

  /// What a prediction is as the truth that others are measured against; nil, as usually, where
  /// agreement with a prediction cannot be measured.
  func truth(of prediction: Prediction) -> Target?

  /// A prediction of a frame of one size, for the same frame at another: places in its pixels. As
  /// it is unless a task says otherwise.
  func resized(_ prediction: Prediction, from size: PixelSize, to other: PixelSize) -> Prediction

  /// The same task as it is measured against a ground truth of these classes; itself unless a task
  /// says otherwise.
  func matched(to classes: ObjectClasses) -> Self

  /// What is odd about how it is measured, to be said once; nothing unless a task says otherwise.
  var remarks: [String] { get }

  /// A picture with a prediction drawn over it; `opacity`, from 0 to 1, is how much it covers.
  func drawn(
    _ prediction: Prediction, over picture: Image, mark: Overlay.Mark?, opacity: Double
  ) -> Image
}

extension PredictionTask {
  /// Feature maps are warped.
  public var usualPropagator: PartSpec { PipelineSpec.usualPropagator }

  /// The usual ones.
  public func agreementMetrics() -> [any Metric<Prediction, Target>] { metrics() }

  /// Nil: there is no format.
  public func file(at _: String) throws -> (any PredictionFile<Prediction>)? { nil }

  /// Nil: agreement is not measured.
  public func truth(of _: Prediction) -> Target? { nil }

  /// The task itself.
  public func matched(to _: ObjectClasses) -> Self { self }

  /// Nothing.
  public var remarks: [String] { [] }

  /// The prediction as it is.
  public func resized(
    _ prediction: Prediction, from _: PixelSize, to _: PixelSize
  ) -> Prediction { prediction }
}

/// A metric that was named, for predictions and ground truth of its own types.
public struct MetricFactory: Sendable {
  private let box: any Sendable

  /// What makes the metric, with nothing counted.
  public init<Prediction, Target>(
    _ make: @escaping @Sendable () -> any Metric<Prediction, Target>
  ) { box = Box(make: make) }

  /// The metric; nil where it is for other types.
  public func metric<Prediction, Target>(
    of _: Prediction.Type, against _: Target.Type
  ) -> (any Metric<Prediction, Target>)? {
    (box as? Box<Prediction, Target>)?.make()
  }

  private struct Box<Prediction, Target>: Sendable {
    let make: @Sendable () -> any Metric<Prediction, Target>
  }
}
