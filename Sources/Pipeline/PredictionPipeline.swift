// SPDX-License-Identifier: Apache-2.0

public import Video

/// Predicts something of the frames of a stream one by one, each at once.
public protocol PredictionPipeline<Prediction>: StreamPipeline {
  // Told again, so that they follow from `predict`.
  /// What a stream remembers.
  associatedtype State
  /// What is predicted of a frame.
  associatedtype Prediction

  /// The prediction for the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  func predict(
    _ frame: Frame, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction>

  /// The same, where the frame that comes `next` is at hand: work on it may begin on another
  /// thread. What is predicted is the same; unless a pipeline says otherwise, so is the work.
  func predict(
    _ frame: Frame, before next: Frame?, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction>
}

extension PredictionPipeline {
  /// Nothing is done ahead unless a pipeline says otherwise.
  public func predict(
    _ frame: Frame, before next: Frame?, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction> { try predict(frame, in: &state) }
}

/// A frame's prediction, and how it came about.
public struct FramePrediction<Prediction: Sendable>: Sendable {
  /// Of a dense prediction, at the pipeline's working size; of places, in its pixels.
  public let prediction: Prediction
  /// The pipeline's working size: that of the frame as the backbone sees it.
  public let size: PixelSize
  /// The frame's role, and what its stages took.
  public let trace: FrameTrace

  package init(prediction: Prediction, size: PixelSize, trace: FrameTrace) {
    (self.prediction, self.size, self.trace) = (prediction, size, trace)
  }
}

/// A frame with its label map.
public typealias LabelledFrame = FramePrediction<Image>

extension FramePrediction<Image> {
  /// One class id a pixel, at the pipeline's working size.
  public var labels: Image { prediction }
}

extension PredictionPipeline<Image> {
  /// As `predict(_:in:)`, by the name it has for label maps.
  public func label(
    _ frame: Frame, in state: inout State
  ) throws(PipelineError) -> LabelledFrame { try predict(frame, in: &state) }

  /// As `predict(_:before:in:)`, by the name it has for label maps.
  public func label(
    _ frame: Frame, before next: Frame?, in state: inout State
  ) throws(PipelineError) -> LabelledFrame { try predict(frame, before: next, in: &state) }
}
