// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
internal import Tensors
internal import Video

/// How well a flow carries true labels forward: what propagation would give behind a perfect
/// network.
///
/// Every frame of a clip but the first few reads the labels of the frame `gap` before it, each
/// pixel the nearest one where the motion leads, or at the nearest edge. Pixels that are void, or
/// read a void, are left out: nobody knows what is there.
public struct LabelCarrying: Sendable {
  private let clip: any LabelledClip
  private let gap: Int

  /// Labels of `clip` carried over `gap` frames.
  ///
  /// - Precondition: the gap is at least 1.
  public init(_ clip: some LabelledClip, gap: Int) {
    precondition(gap >= 1, "labels carried over \(gap) frames")
    (self.clip, self.gap) = (clip, gap)
  }

  /// What is carried by `flow`, beside the truth; pairs without labels at both ends, or with a
  /// break between them, are left out.
  public func run(along flow: some FlowEstimator) throws -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classes: clip.classes.count)
    var recent: [LabelledSample] = []
    for index in 0..<clip.count {
      let sample = try clip.sample(at: index)
      if sample.frame.followsBreak { recent = [] }
      if recent.count == gap {
        let key = recent.removeFirst()
        if let known = key.labels, let labels = sample.labels {
          let motion = try flow.motion(from: sample.frame, to: key.frame)
          let carried = try carry(known, along: motion)
          matrix.add(predicted: carried, truth: truth(labels, where: carried))
        }
      }
      recent.append(sample)
    }
    return matrix
  }

  private func carry(_ labels: Image, along field: MotionField) throws -> Image {
    let (motion, known) = try field.tensors()
    let carried = try Tensor(labels.bytes, shape: [1, labels.height, labels.width])
      .carryingLabels(along: motion, known: known)
    return Image(
      width: labels.width, height: labels.height, channels: 1, bytes: try carried.bytes())
  }

  /// The truth, void where nothing is claimed.
  private func truth(_ truth: Image, where carried: Image) -> Image {
    let claims = clip.classes.count
    return Image(
      width: truth.width, height: truth.height, channels: 1,
      bytes: zip(truth.bytes, carried.bytes).map { $1 < claims ? $0 : 255 })
  }
}
