// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Flow
internal import Frames
internal import Tensors
internal import Video

/// Batches of runs of frames as augmentation shows them, a keyframe first, with the optical flow
/// that an estimator finds from each later frame to an earlier one.
///
/// Two frames are a pair.
public struct AugmentedRuns: Sendable {
  private let sources: [PairSource]
  private let pools: [Memo<FrameRun>]
  private let flow: any FlowEstimator
  private let reference: FlowReference
  private let augmentation: Augmentation
  private let batchSize: Int
  private let void: UInt8
  private let seed: UInt64

  /// Runs of `frames` frames, each with its flow to the `reference`.
  ///
  /// - Precondition: there is a source, and there are two frames.
  init(
    _ sources: [PairSource], along flow: some FlowEstimator, augmentation: Augmentation,
    batchSize: Int, void: UInt8, seed: UInt64, frames: Int = 2,
    reference: FlowReference = .keyframe
  ) {
    precondition(!sources.isEmpty, "nothing to train on")
    precondition(frames >= 2, "runs of \(frames) frames")
    (self.sources, self.flow, self.augmentation) = (sources, flow, augmentation)
    (self.batchSize, self.void, self.seed) = (batchSize, void, seed)
    self.reference = reference
    pools = sources.map { source in Memo { try source.pairs.run($0, frames: frames) } }
  }

  /// Runs of one length, of frames of one size.
  public struct Batch: Sendable {
    /// By frame, N × 3 × height × width: blue, green and red from 0 to 255.
    let images: [Tensor]
    /// By frame after the keyframe, of each run, on the images' grid.
    let flows: [[MotionField]]
    /// The frame that flow leads to.
    let reference: FlowReference
    /// N × height × width, of the last frames; void where nobody labelled them.
    let labels: Tensor

    /// The frames that losses are of.
    var current: Tensor { images[images.count - 1] }
    /// The keyframes.
    var keyframe: Tensor { images[0] }
  }

  func batch(at step: Int, on device: Device) throws -> Batch {
    let drawn = try (0..<batchSize).map { try draw(place: $0, at: step) }
    let crop = augmentation.crop
    let images = try drawn[0].images.indices.map { frame in
      try Tensor.concatenate(drawn.map { try $0.images[frame].tensor() }, axis: 0).to(device)
    }
    let labels = try Tensor(
      drawn.flatMap(\.labels.bytes), shape: [drawn.count, crop.height, crop.width])
    return Batch(
      images: images, flows: drawn[0].flows.indices.map { frame in drawn.map { $0.flows[frame] } },
      reference: reference, labels: try labels.to(device))
  }

  private struct Drawn {
    let images: [Image]
    let labels: Image
    let flows: [MotionField]
  }

  private func draw(place: Int, at step: Int) throws -> Drawn {
    var random = RandomStream(seed: seed, step, place, 0x9709)
    let drawn = sources.draw(&random)
    let source = sources[drawn]
    let run = try pools[drawn][random.below(source.count)]
    let truth = source.isLabelled ? run.labels : nil
    let view = augmentation.draw(for: run.images[0].size, from: &random)
    let images = run.images.map { view.image($0) }
    let unlabelled = Image(
      width: images[0].width, height: images[0].height, channels: 1, repeating: void)
    return Drawn(
      images: images, labels: truth.map { view.labels($0, void: void) } ?? unlabelled,
      flows: try flows(between: images))
  }

  private func flows(between images: [Image]) throws -> [MotionField] {
    let frames = images.enumerated().map { index, pixels in
      Frame(index: index, time: Double(index), pixels: pixels)
    }
    return try frames.dropFirst().map { frame in
      try flow.motion(
        from: frame, to: frames[reference == .previous ? frame.index - 1 : 0])
    }
  }
}

extension AugmentedRuns.Batch {
  /// All runs' flow of one frame on one grid; of the last frame where none is named.
  func flow(
    of frame: Int? = nil, height: Int, width: Int, on device: Device
  ) throws -> (flow: Tensor, valid: Tensor?) {
    let parts = try flows[(frame ?? images.count - 1) - 1].map {
      try $0.resized(width: width, height: height).tensors()
    }
    let valid = try parts.map { try $0.known ?? .full([1, height, width], of: 1, type: .uint8) }
    return (
      try Tensor.concatenate(parts.map(\.motion), axis: 0).to(device),
      try Tensor.concatenate(valid, axis: 0).to(device)
    )
  }
}
