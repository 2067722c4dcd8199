// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Video

/// What finding boxes is, whichever network or head finds them.
protocol BoxTask: PredictionTask where Prediction == [Detection], Target == [GroundTruthBox] {
  /// The classes that are found.
  var classes: ClassList { get }
  /// What they are in a ground truth's; nil where it is not measured.
  var match: ClassMatch? { get set }
}

extension BoxTask {
  func truth(of prediction: [Detection]) -> [GroundTruthBox]? { prediction.asTruth }

  func file(at path: String) throws -> (any PredictionFile<[Detection]>)? {
    try BoxFile(path, names: classes.names)
  }

  func resized(
    _ prediction: [Detection], from size: PixelSize, to other: PixelSize
  ) -> [Detection] {
    let placed = prediction.map { $0.resized(from: size, to: other) }
    return match?(placed) ?? placed
  }

  func matched(to classes: ObjectClasses) -> Self {
    var task = self
    task.match = ClassMatch(self.classes, to: classes)
    return task
  }

  var remarks: [String] { [match?.remark].compactMap(\.self) }
}

extension [Detection] {
  /// What was found and is more likely there than not, as the truth for others.
  fileprivate var asTruth: [GroundTruthBox] {
    filter { $0.score >= 0.5 }.map {
      GroundTruthBox(
        box: $0.box, category: $0.category, identity: $0.identity, mask: $0.mask,
        points: $0.points)
    }
  }
}
