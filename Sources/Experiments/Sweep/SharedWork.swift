// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Layers
internal import Recipes
internal import Synchronization
internal import Tensors
internal import Video

/// What several pipelines that run over one clip in step have in common, made once: networks, and
/// for the frame that they are at what a backbone makes of it and the optical flow that leads from
/// it.
///
/// A pipeline that takes from it gives the same results, to the last bit, and counts the same MACs,
/// as one that runs alone; its times say nothing.
final class SharedWork: Sendable {
  private struct Network: Sendable {
    let backbone: any Backbone
    let head: any SegmentationHead
  }

  private struct Made<Value: Sendable>: Sendable {
    let value: Value
    let macs: Int
  }

  private struct StageRun: Hashable, Sendable {
    let input: ObjectIdentifier
    let range: Range<Int>
  }

  private struct State: Sendable {
    var networks: [String: Network] = [:]
    var clips: [String: any LabelledClip] = [:]
    /// Of the frame that all are at: what was made, by what asked for it.
    var inputs: [String: Tensor] = [:]
    var features: [StageRun: Made<Features>] = [:]
    var fields: [String: Made<MotionField>] = [:]
    var pairs: [String: PairKept] = [:]
  }

  private let state = Mutex(State())

  /// The network of a source, loaded once.
  func network(
    of source: any NetworkSource
  ) throws -> (backbone: any Backbone, head: any SegmentationHead) {
    if let known = state.withLock({ $0.networks[source.path] }) {
      return (known.backbone, known.head)
    }
    let (backbone, head) = try source.load()
    state.withLock { $0.networks[source.path] = Network(backbone: backbone, head: head) }
    return (backbone, head)
  }

  /// The backbone, with what it makes of a frame remembered as long as all are at that frame.
  ///
  /// For whole frames: pictures of one number and size are taken to be the same.
  func sharing(_ backbone: some Backbone, of source: any NetworkSource) -> any Backbone {
    SharedBackbone(backbone, name: source.path, work: self)
  }

  /// A clip that is made of another one, an encoded one say, made once.
  func clip(_ name: String, _ make: () throws -> any LabelledClip) rethrows -> any LabelledClip {
    if let known = state.withLock({ $0.clips[name] }) { return known }
    let clip = try make()
    state.withLock { $0.clips[name] = clip }
    return clip
  }

  /// Forgets what was made of the frame before.
  func begin() {
    state.withLock { state in
      state.inputs.removeAll(keepingCapacity: true)
      state.features.removeAll(keepingCapacity: true)
      state.fields.removeAll(keepingCapacity: true)
      state.pairs.removeAll(keepingCapacity: true)
    }
  }

  fileprivate func input(_ key: String, _ make: () throws -> Tensor) rethrows -> Tensor {
    if let known = state.withLock({ $0.inputs[key] }) { return known }
    let input = try make()
    state.withLock { $0.inputs[key] = input }
    return input
  }

  /// Of an input that is not held here the identity may be another's by the time it is asked for,
  /// so only what follows from one that is can be remembered.
  fileprivate func features(
    _ range: Range<Int>, on input: Features, _ make: () throws -> Features
  ) throws -> Features {
    let key = StageRun(input: input.main.identity, range: range)
    if let known = state.withLock({ $0.features[key] }) {
      MACCounter.current?.add(macs: known.macs)
      return known.value
    }
    let isHeld = state.withLock { state in
      state.inputs.values.contains { $0.identity == key.input }
        || state.features.values.contains { $0.value.main.identity == key.input }
    }
    guard isHeld else { return try make() }
    let made = try Self.counted(make)
    state.withLock { $0.features[key] = made }
    return made.value
  }

  fileprivate func field(_ key: String, _ make: () throws -> MotionField) throws -> MotionField {
    if let known = state.withLock({ $0.fields[key] }) {
      MACCounter.current?.add(macs: known.macs)
      return known.value
    }
    let made = try Self.counted(make)
    state.withLock { $0.fields[key] = made }
    return made.value
  }

  private static func counted<Value: Sendable>(_ make: () throws -> Value) throws -> Made<Value> {
    let counter = MACCounter()
    let value = try MACCounter.$current.withValue(counter) { try make() }
    MACCounter.current?.add(macs: counter.macs)
    return Made(value: value, macs: counter.macs)
  }

  /// The motion of a pair along which labels are compared, for all that name it so.
  func pair(_ key: String, _ make: () throws -> PairMotion?) rethrows -> PairMotion? {
    if let known = state.withLock({ $0.pairs[key] }) { return known.motion }
    let motion = try make()
    state.withLock { $0.pairs[key] = PairKept(motion: motion) }
    return motion
  }

  private struct PairKept: Sendable { let motion: PairMotion? }
}

/// A backbone whose work on the frame that several pipelines are at is done once.
private struct SharedBackbone: BackboneWrapper {
  let wrapped: any Backbone
  private let name: String
  private let work: SharedWork

  init(_ base: any Backbone, name: String, work: SharedWork) {
    (wrapped, self.name, self.work) = (base, name, work)
  }

  var stages: [Stage] { wrapped.stages }
  var inputSize: PixelSize? { wrapped.inputSize }
  var takesBatches: Bool { wrapped.takesBatches }

  func skipStages(through count: Int) -> [String] { wrapped.skipStages(through: count) }

  func scores(of map: Tensor, after stage: String) throws -> Tensor? {
    try wrapped.scores(of: map, after: stage)
  }

  func input(for frame: Frame) throws -> Tensor {
    try work.input("\(name) \(frame.index) \(frame.pixels.size)") { try wrapped.input(for: frame) }
  }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    try work.features(range, on: input) { try wrapped.run(range, on: input) }
  }
}

/// An estimator whose fields from the frame that several pipelines are at are found once.
struct SharedFlow: FlowEstimator {
  private let base: any FlowEstimator
  private let name: String
  private let work: SharedWork

  init(_ base: any FlowEstimator, name: String, work: SharedWork) {
    (self.base, self.name, self.work) = (base, name, work)
  }

  var needsMotionVectors: Bool { base.needsMotionVectors }
  var reach: Reach { base.reach }
  var sampling: FlowSampling { base.sampling }
  var findsMotion: Bool { base.findsMotion }
  var threads: Int { base.threads }

  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    let sizes = "\(current.pixels.size) \(reference.pixels.size)"
    return try work.field("\(name) \(current.index) \(reference.index) \(sizes)") {
      try base.motion(from: current, to: reference)
    }
  }
}
