// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Recipes
internal import Specification
internal import Video

/// What a run predicts: the network's labels, or what a task's head says.
struct RunPrediction<Prediction: Sendable> {
  /// What results call it; nil for the network's labels.
  let name: String?
  /// What propagates it where nothing is named.
  let usualPropagator: PartSpec
  /// The files that it is read from, beside those of the network.
  let files: [String]
  /// The head, behind the network that is loaded, given the network's own.
  let head: (any Backbone, any SegmentationHead) throws -> any Head<Prediction>
  private let output: (OutputPlaces) throws -> any PredictionOutput<Prediction>

  /// Where a source's frames go; opened before any work is done.
  func stage(for source: RunSource, overlaps: Bool) throws -> OutputStage<Prediction> {
    func stage(_ output: some PredictionOutput<Prediction>) throws -> OutputStage<Prediction> {
      OutputStage(
        try FrameOutputs(source.places, info: source.info, output), overlaps: overlaps)
    }
    return try stage(output(source.places))
  }
}

extension RunPrediction<Image> {
  /// The labels that the network itself gives.
  init(labelsOf network: any NetworkSource) {
    let palette = network.classes.palette
    func head(_ own: some SegmentationHead) -> any Head<Image> { own }
    self.init(
      name: nil, usualPropagator: PipelineSpec.usualPropagator, files: [], head: { head($1) },
      output: { try LabelOutput($0, palette: palette) })
  }
}

extension RunPrediction {
  /// What a task's head predicts.
  init<Task: PredictionTask<Prediction, Target>, Target>(of task: Task) {
    self.init(
      name: task.name, usualPropagator: task.usualPropagator, files: task.files,
      head: { backbone, _ in try task.head(behind: backbone) },
      output: { try TaskOutput(task, $0) })
  }
}
