// SPDX-License-Identifier: Apache-2.0

package import Backbone
internal import Frames
package import Layers
package import Propagation
internal import Tensors
package import Video

/// A non-key frame, empty as its keyframe is, behind a backbone: what it costs, the estimate of its
/// optical flow left out.
package final class PropagatedFrame {
  private let backbone: SegmentationNetwork
  private let tap: String
  private let size: PixelSize
  private let ledger: MACCounter
  /// What the frame's own pass through the backbone has given.
  private var seen: StageCache

  /// A frame whose MACs are counted in `ledger`, stage by stage.
  package init(
    _ backbone: SegmentationNetwork, tap: String?, of size: PixelSize,
    countedIn ledger: MACCounter
  ) {
    (self.backbone, self.size, self.ledger) = (backbone, size, ledger)
    self.tap = tap ?? backbone.stages[backbone.stages.count - 1].name
    seen = StageCache(
      of: backbone.stages, remembersAll: true, input: { try Self.picture(of: size) },
      run: { try backbone.run($0, on: $1, in: .counting(in: ledger)) })
  }

  /// Propagates a map of the key frame to the frame, and runs what comes after.
  package func run(_ part: TrainablePropagation) throws {
    let tapped = try backbone.index(ofStage: tap)
    let (keyframe, context) = (try reference(after: tap), context())
    let pass = ForwardContext.counting(in: ledger)
    var result: Tensor
    switch part {
    case .propagator(let propagator):
      result = try propagator.propagate(keyframe.main, given: context, in: pass)
      end("carry", result)
    case .fusion(let fusion, var propagator):
      result = try carried(keyframe.main, by: &propagator, in: context)
      result = try fusion.fuse(result, given: context, in: pass)
      end("fuse", result)
    case .decoder(_, var propagator):
      result = try carried(keyframe.main, by: &propagator, in: context)
    }
    let rest = try (part.decoder ?? backbone).run(
      tapped + 1..<backbone.stages.count,
      on: Features(result, skips: try seen.skips(keyframe.skips.count)), in: pass)
    _ = try backbone.head(rest.main, size: size, in: pass)
  }

  /// A map of the key frame, as a propagator without parameters brings it to the frame.
  private func carried(
    _ map: Tensor, by propagator: inout some Propagator, in context: FrameContext
  ) throws -> Tensor {
    try propagator.keyframe(FeatureMaps(map, after: tap), in: context)
    let result = try MACCounter.$current.withValue(ledger) {
      try propagator.propagate(to: context).only()
    }
    end("carry", result)
    return result
  }

  private func context() -> FrameContext {
    let answers = GivenAnswers(
      gridFlow: { (try .zeros([1, 2, $1, $2]), nil) },
      image: { _ in try Self.picture(of: self.size) },
      features: { stage, side in
        side == .current
          ? try self.seen.features(after: stage).main : try self.reference(after: stage).main
      },
      changedFeatures: { try self.seen.features(after: $0, reading: $1, after: $2) })
    return FrameContext(ofBatch: 1, from: answers)
  }

  private func end(_ name: String, _ result: Tensor) {
    let stride = Int((Double(size.width) / Double(result.shape[3])).rounded())
    ledger.end(name, stride: stride, giving: result)
  }

  /// What the backbone gives of the key frame, which counts nothing here.
  private func reference(after stage: String) throws -> Features {
    try backbone.run(
      0..<backbone.index(ofStage: stage) + 1, on: Features(Self.picture(of: size)))
  }

  private static func picture(of size: PixelSize) throws -> Tensor {
    try .zeros([1, 3, size.height, size.width])
  }
}
