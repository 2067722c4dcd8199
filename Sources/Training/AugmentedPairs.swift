// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Flow
internal import Tensors
internal import Video

/// Batches of pairs of frames as augmentation shows them, with the motion that an estimator finds from the later
/// frame to the earlier.
public struct AugmentedPairs: Sendable {
  private let sources: [PairSource]
  private let pools: [Memo<MotionPair>]
  private let flow: any FlowEstimator
  private let augmentation: Augmentation
  private let batchSize: Int
  private let void: UInt8
  private let seed: UInt64

  /// - Precondition: there is a source.
  init(
    _ sources: [PairSource], along flow: some FlowEstimator, augmentation: Augmentation,
    batchSize: Int, void: UInt8, seed: UInt64
  ) {
    precondition(!sources.isEmpty, "nothing to train on")
    (self.sources, self.flow, self.augmentation) = (sources, flow, augmentation)
    (self.batchSize, self.void, self.seed) = (batchSize, void, seed)
    pools = sources.map { source in Memo { try source.pairs.pair($0) } }
  }

  /// Pairs of one size.
  public struct Batch: Sendable {
    /// N × 3 × height × width: blue, green and red from 0 to 255.
    let current: Tensor, reference: Tensor
    /// Of each pair, on the pictures' grid.
    let motions: [MotionField]
    /// N × height × width, of the later frames; void where nobody labelled them.
    let labels: Tensor
  }

  func batch(at step: Int, on device: Device) throws -> Batch {
    let drawn = try (0..<batchSize).map { try draw(place: $0, at: step) }
    let crop = augmentation.crop
    func pictures(_ part: (Drawn) -> Image) throws -> Tensor {
      try .concatenate(drawn.map { try part($0).tensor() }, axis: 0).to(device)
    }
    let labels = try Tensor(
      drawn.flatMap(\.labels.bytes), shape: [drawn.count, crop.height, crop.width])
    return Batch(
      current: try pictures(\.current), reference: try pictures(\.reference),
      motions: drawn.map(\.motion), labels: try labels.to(device))
  }

  private struct Drawn {
    let current: Image, reference: Image, labels: Image
    let motion: MotionField
  }

  private func draw(place: Int, at step: Int) throws -> Drawn {
    var random = RandomStream(seed: seed, step, place, 0x9709)
    let drawn = sources.draw(&random)
    let source = sources[drawn]
    let pair = try pools[drawn][random.below(source.count)]
    let truth = source.isLabelled ? pair.currentLabels : nil
    let view = augmentation.draw(for: pair.current.size, from: &random)
    let (current, reference) = (view.image(pair.current), view.image(pair.reference))
    let unlabelled = Image(
      width: current.width, height: current.height, channels: 1, repeating: void)
    return Drawn(
      current: current, reference: reference,
      labels: truth.map { view.labels($0, void: void) } ?? unlabelled,
      motion: try flow.motion(
        from: Frame(index: 1, time: 1, pixels: current),
        to: Frame(index: 0, time: 0, pixels: reference)))
  }
}

extension AugmentedPairs.Batch {
  /// All pairs' motion on one grid.
  func motion(
    height: Int, width: Int, on device: Device
  ) throws -> (motion: Tensor, known: Tensor?) {
    let parts = try motions.map { try $0.resized(width: width, height: height).tensors() }
    let known = try parts.map { try $0.known ?? .full([1, height, width], of: 1, type: .uint8) }
    return (
      try Tensor.concatenate(parts.map(\.motion), axis: 0).to(device),
      try Tensor.concatenate(known, axis: 0).to(device)
    )
  }
}
