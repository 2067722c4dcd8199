// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Frames
internal import Layers
internal import Tensors

/// A batch's frames behind a backbone that stays as it is: what a part may ask of each.
final class BatchedRun {
  let batch: AugmentedRuns.Batch
  private let backbone: SegmentationNetwork
  private let device: Device
  /// By frame.
  fileprivate var stages: [StageCache]

  /// Gradients reach the backbone where it `isTrained`; its normalisations stay as they are.
  init(
    _ batch: AugmentedRuns.Batch, behind backbone: SegmentationNetwork, isTrained: Bool = false,
    on device: Device
  ) {
    (self.batch, self.backbone, self.device) = (batch, backbone, device)
    stages = batch.images.map { StageCache(of: $0, in: backbone, isTrained: isTrained) }
  }

  var last: Int { stages.count - 1 }

  /// What the backbone gives of a frame's pictures.
  func features(of frame: Int, through count: Int) throws -> Features {
    try stages[frame].features(through: count)
  }

  /// The first `count` outputs of stages of the last frame that later ones read too.
  func skips(_ count: Int) throws -> [Tensor] { try stages[last].skips(count) }

  /// What can be asked of a frame.
  func context(of frame: Int) -> FrameContext {
    FrameContext(ofBatch: frame, from: Provider(run: self, frame: frame))
  }

  private struct Provider: FrameProvider {
    let run: BatchedRun
    let frame: Int

    func flow(
      to reference: FlowReference, height: Int, width: Int
    ) throws -> (flow: Tensor, valid: Tensor?)? {
      guard frame > 0, position(of: reference) == position(of: run.batch.reference) else {
        throw NotAtHand("optical flow to the \(reference.rawValue) frame")
      }
      return try run.batch.flow(of: frame, height: height, width: width, on: run.device)
    }

    func image(_ side: FrameSide) -> Tensor { run.batch.images[position(of: side)] }

    func features(after stage: String, of side: FrameSide) throws -> Tensor {
      try run.stages[position(of: side)].features(after: stage).main
    }

    func features(
      after later: String, reading map: Tensor, after stage: String
    ) throws -> Tensor {
      let backbone = run.backbone, skips = try run.stages[frame].features(after: stage).skips
      return try backbone.run(
        backbone.index(ofStage: stage) + 1..<backbone.index(ofStage: later) + 1,
        on: Features(map, skips: skips), in: .inference
      ).main
    }

    private func position(of side: FrameSide) -> Int {
      guard case .reference(let reference) = side else { return frame }
      return position(of: reference)
    }

    private func position(of reference: FlowReference) -> Int {
      reference == .previous ? max(0, frame - 1) : 0
    }
  }
}

extension StageCache {
  /// Of pictures, blue, green and red from 0 to 255.
  fileprivate init(of pictures: Tensor, in backbone: SegmentationNetwork, isTrained: Bool) {
    let scaling = backbone.specification.input.scaling
    self.init(
      of: backbone.stages, remembersAll: true,
      input: { try pictures.scaled(by: scaling).channelsLast() },
      run: { range, features in
        if isTrained { return try backbone.run(range, on: features, in: .inference) }
        return try withoutGradients { try backbone.run(range, on: features, in: .inference) }
      })
  }
}
