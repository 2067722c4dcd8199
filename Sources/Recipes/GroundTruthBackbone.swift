// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Datasets
public import Tensors
public import Video

/// A clip's own labels in the place of a network: what propagation would give a perfect backbone.
///
/// The scores are 1 for a pixel's true class and 0 elsewhere, with a last plane for void. Frames
/// must be those of the clip, whose index tells them apart.
public struct GroundTruthBackbone: Backbone {
  /// One stage, `scores`, at a stride of 1.
  public let stages = [Stage("scores", stride: 1)]
  /// Nil: frames have the clip's size.
  public let inputSize: PixelSize? = nil
  private let clip: any LabelledClip

  /// A backbone that answers for the frames of `clip` only.
  public init(of clip: some LabelledClip) { self.clip = clip }

  /// The head that reads these scores.
  public var head: ScoreHead {
    ScoreHead(classes: clip.classes.with(void: UInt8(clip.classes.count)))
  }

  /// The frame's labels, one plane a class and one for void; it throws where there are none.
  public func input(for frame: Frame) throws -> Tensor {
    guard (0..<clip.count).contains(frame.index),
      let labels = try clip.labels(at: frame.index)
    else { throw BackboneError(.badOutput, "frame \(frame.index) of \(clip.name) has no labels") }
    let (planes, cells) = (clip.classes.count + 1, labels.width * labels.height)
    var scores = [Float](repeating: 0, count: planes * cells)
    labels.withUnsafeBytes { labels in
      for cell in 0..<cells { scores[min(Int(labels[cell]), planes - 1) * cells + cell] = 1 }
    }
    return try Tensor(scores, shape: [1, planes, labels.height, labels.width])
  }

  /// The scores as they are.
  public func run(_: Range<Int>, on input: Features) -> Features { input }
}
