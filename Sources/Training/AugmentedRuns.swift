// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Flow
internal import Frames
internal import Tensors
internal import Video

/// Batches of runs of frames as augmentation shows them, a key frame first, with the optical flow
/// that an estimator finds from each later frame to an earlier one.
///
/// Two frames are a pair. What was prepared is kept as long as it fits into a quarter of the
/// memory, and is prepared anew each time beyond that. Frames are degraded and flow is found once,
/// on whole frames and by the steps that a stream would take, as where a part is used; each view
/// then shows a crop of both.
public struct AugmentedRuns: Sendable {
  private let sources: [PairSource]
  private let pools: [Memo<WholeRun>]
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
    reference: FlowReference = .keyframe, degradation: Degradation = Degradation()
  ) {
    precondition(!sources.isEmpty, "nothing to train on")
    precondition(frames >= 2, "runs of \(frames) frames")
    (self.sources, self.augmentation) = (sources, augmentation)
    (self.batchSize, self.void, self.seed) = (batchSize, void, seed)
    self.reference = reference
    let room = MemoryBudget.usual()
    pools = sources.enumerated().map { place, source in
      Memo(within: room, size: \.byteCount) { index in
        var random = RandomStream(seed: seed, place, index, 0xDE64)
        let run = try source.pairs.run(
          index, frames: frames, everyFrame: flow.reach == .stepByStep)
        return try WholeRun(
          run, isLabelled: source.isLabelled, void: void, along: flow, to: reference,
          degraded: { try degradation($0, from: &random) })
      }
    }
  }

  /// Runs of one length, of frames of one size.
  public struct Batch: Sendable {
    /// By frame, N × 3 × height × width: blue, green and red from 0 to 255.
    let images: [Tensor]
    /// By frame after the key frame, of each run, on the images' grid.
    let flows: [[MotionField]]
    /// The frame that flow leads to.
    let reference: FlowReference
    /// N × height × width, of the last frames; void where nobody labelled them.
    let labels: Tensor
    /// The same of the key frames.
    let keyframeLabels: Tensor
    /// N × height × width, of the last frames: 0 where nobody knows their look, else 1; nil where
    /// all is known.
    let known: Tensor?

    /// The same with nothing labelled.
    func unlabelled(void: Float) throws -> Batch {
      func unlabelled(_ labels: Tensor) throws -> Tensor {
        try labels.filled(with: void, where: labels.equal(to: labels))
      }
      return Batch(
        images: images, flows: flows, reference: reference, labels: try unlabelled(labels),
        keyframeLabels: try unlabelled(keyframeLabels), known: known)
    }

    /// The frames that losses are of.
    var current: Tensor { images[images.count - 1] }
    /// The key frames.
    var keyframe: Tensor { images[0] }
  }

  func batch(at step: Int, on device: Device) throws -> Batch {
    let drawn = try (0..<batchSize).map { try draw(place: $0, at: step) }
    let crop = augmentation.crop
    let images = try drawn[0].images.indices.map { frame in
      try Tensor.concatenate(drawn.map { try $0.images[frame].tensor() }, axis: 0).to(device)
    }
    func maps(_ map: (Drawn) -> Image) throws -> Tensor {
      try Tensor(
        drawn.flatMap { map($0).bytes }, shape: [drawn.count, crop.height, crop.width]
      ).to(device)
    }
    let all = Image(width: crop.width, height: crop.height, channels: 1, repeating: 1)
    let known = drawn.contains { $0.known != nil } ? try maps { $0.known ?? all } : nil
    return Batch(
      images: images, flows: drawn[0].flows.indices.map { frame in drawn.map { $0.flows[frame] } },
      reference: reference, labels: try maps(\.labels),
      keyframeLabels: try maps(\.keyframeLabels), known: try known?.cast(to: .float32))
  }

  private struct Drawn {
    let images: [Image]
    let labels: Image
    let keyframeLabels: Image
    let known: Image?
    let flows: [MotionField]
  }

  private func draw(place: Int, at step: Int) throws -> Drawn {
    var random = RandomStream(seed: seed, step, place, 0x9709)
    let drawn = sources.draw(&random)
    let run = try pools[drawn][random.below(sources[drawn].count)]
    let view = augmentation.draw(for: run.images[0].size, from: &random)
    let images = run.images.map { view.image($0) }
    let unlabelled = Image(
      width: images[0].width, height: images[0].height, channels: 1, repeating: void)
    return Drawn(
      images: images, labels: run.labels.map { view.labels($0, void: void) } ?? unlabelled,
      keyframeLabels: run.keyframeLabels.map { view.labels($0, void: void) } ?? unlabelled,
      known: run.known.map { view.labels($0, void: 0) }, flows: run.flows.map { view.motion($0) })
  }
}

/// A run as it is before any view of it: degraded, with its flow.
private struct WholeRun: Sendable {
  let images: [Image]
  /// By frame after the key frame.
  let flows: [MotionField]
  /// Of the last frame, where they are labels of what is learned.
  let labels: Image?
  /// The same of the key frame.
  let keyframeLabels: Image?
  /// 1 where the look of the last frame is known, 0 elsewhere; nil where all is known.
  let known: Image?

  /// What it takes in memory; motion takes two numbers of 32 bits a pixel, and a byte of validity.
  var byteCount: Int {
    let pictures = (images + [labels, keyframeLabels, known].compactMap(\.self)).reduce(0) {
      $0 + $1.width * $1.height * $1.channels
    }
    return pictures + flows.reduce(0) { $0 + 9 * $1.width * $1.height }
  }

  init(
    _ run: FrameRun, isLabelled: Bool, void: UInt8, along flow: some FlowEstimator,
    to reference: FlowReference, degraded: (Image) throws -> Image
  ) throws {
    let frames = try run.images.enumerated().map { index, pixels in
      Frame(index: index, time: Double(index), pixels: try degraded(pixels))
    }
    images = run.places.map { frames[$0].pixels }
    flows = try zip(run.places, run.places.dropFirst()).map { before, place in
      let start = reference == .previous ? before : run.places[0]
      guard flow.reach == .stepByStep else {
        return try flow.motion(from: frames[place], to: frames[start])
      }
      // One after the other, as in a stream.
      var way = FlowAccumulator(of: flow, key: frames[start])
      for between in frames[(start + 1)..<place] { _ = try way.motionToKey(from: between) }
      return try way.motionToKey(from: frames[place])
    }
    labels = isLabelled ? run.labels : nil
    keyframeLabels = isLabelled ? run.firstLabels : nil
    known = run.voidIsUnknown ? run.labels?.mapped { $0 == void ? 0 : 1 } : nil
  }
}

extension Image {
  /// Every byte changed alike.
  fileprivate func mapped(_ change: (UInt8) -> UInt8) -> Image {
    Image(width: width, height: height, channels: channels) { out in
      withUnsafeBytes { bytes in
        for place in bytes.indices { out[place] = change(bytes[place]) }
      }
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
