// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Layers
package import Specification
public import Tensors
internal import Video

/// Features of the key frame along the optical flow, and what the frame's own early features tell
/// has changed since, by a linear map that is learned while the stream runs.
///
///     F_t = warp(F_k, M) + W e_t,      e_t = pool(own_t) - warp(pool(own_k), M)
///
/// own are features of an early stage, which runs on every frame, brought to the grid of F by
/// means. Where the flow explains the frame, e is nothing and nothing is added. At each key frame
/// k + 1 the truth is known: W is the ridge regression of what the warp from the key frame before
/// was off by, over all key frames so far,
///
///     W = argmin Σ ‖F_{k+1} - warp(F_k, M) - W e‖² + s ‖W - W₀‖²
///
/// each older one counting a little less. W₀ is what training told, or nothing: then the part needs
/// no training, and works behind any network. s is `prior` times the mean square of e, summed as
/// the rest is, so that W₀ keeps its say however long the stream is.
///
/// A key frame of which the warp explains nothing, as after a cut, teaches nothing. It is this
/// package's own. What is propagated stays at or above zero where the key frame's
/// features are, as behind a rectifier.
public struct AdaptiveWarp: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// The key frame's map, and its early features behind it.
  public var remembered = RememberedMap()
  /// W₀ where it is trained; else nothing.
  public let parameters: Parameters
  /// The early stage of the backbone that sees each frame.
  public let stage: String
  /// What W₀ counts beside what is seen: the ridge, in mean squares of e.
  public let prior: Double
  /// Whether W is learned while the stream runs; else it stays W₀.
  public let adapts: Bool
  private let start: Tensor?
  private var change: RunningRegression
  /// Whether the key frame's map is nowhere below zero.
  private var isRectified = false

  /// A warp of any map, with nothing learned yet: W₀ is zero.
  ///
  /// - Precondition: `prior` is above 0.
  public init(after stage: String, prior: Double = 3) {
    precondition(prior > 0, "a ridge of \(prior)")
    (self.stage, self.prior, adapts) = (stage, prior, true)
    (parameters, start) = (Parameters(seed: 0), nil)
    change = RunningRegression(ridge: prior)
  }

  /// A warp of maps with `channels`, beside early ones with `ownChannels`, whose W₀ is trained; it
  /// begins as zero.
  ///
  /// - Precondition: `prior` is above 0.
  public init(
    channels: Int, after stage: String, giving ownChannels: Int, prior: Double = 3,
    adapts: Bool = true, parameters: Parameters
  ) throws {
    precondition(prior > 0, "a ridge of \(prior)")
    (self.stage, self.prior, self.adapts, self.parameters) = (stage, prior, adapts, parameters)
    let start = try parameters.root.parameter(
      "change", [channels, ownChannels], .weight, .constant(0))
    self.start = start
    change = RunningRegression(ridge: prior)
  }

  /// The early stage: the key frame's features of it are compared with the frame's.
  public var keptStages: [String] { [stage] }

  /// The map along the flow, and what W₀ tells of it; as a training sees it.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let grid = Extent(height: map.shape[2], width: map.shape[3])
    let (motion, known) = try context.flow(
      to: .keyframe, height: grid.height, width: grid.width)
    let warped = try map.warped(along: motion, known: known)
    guard let start else { return warped }
    let before = try context.features(after: stage, of: .keyframe).means(on: grid)
      .warped(along: motion, known: known)
    let change = try context.features(after: stage).means(on: grid) - before
    pass.ledger?.add(macs: 4 * (map.count + before.count))
    return try corrected(
      warped, by: start, of: change, isRectified: map.min().item() >= 0, countedIn: pass.ledger)
  }

  /// Learns from what the key frame before would have given here, and remembers this one.
  public mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws {
    let map = try features.only()
    guard features.stages != [stage] else {
      throw PropagationError("'\(stage)' is what is propagated: an earlier stage is to tell of it")
    }
    let early = try context.features(after: stage)
    guard map.rank == 4, early.rank == 4 else {
      throw PropagationError(
        "a warp moves maps of N × C × H × W, and the network gives \(map.shape) at the tap and "
          + "\(early.shape) after '\(stage)'")
    }
    let own = try early.means(on: Extent(height: map.shape[2], width: map.shape[3]))
    // In the background, and at first, there is no key frame before.
    if adapts, let (former, _) = try? remembered.contents(),
      context.keyframe.index != context.frame.index
    {
      try learn(from: former, to: map, beside: own, in: context)
    }
    isRectified = try map.min().item() >= 0
    remembered = RememberedMap(
      try Tensor.concatenate([map, own], axis: 1).channelsLast(), after: features.stages[0])
  }

  /// The map at this frame: warped, and changed as W tells.
  public mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    let (both, stage) = try remembered.contents()
    return try withoutGradients {
      let (motion, known) = try context.flow(
        to: .keyframe, height: both.shape[2], width: both.shape[3])
      MACCounter.current?.add(macs: 4 * both.count)
      let warped = try both.warped(along: motion, known: known)
      let own = try context.features(after: self.stage).means(
        on: Extent(height: both.shape[2], width: both.shape[3]))
      let channels = both.shape[1] - own.shape[1]
      let map = try warped.slice(axis: 1, 0..<channels)
      guard let change = change.weights ?? start else { return FeatureMaps(map, after: stage) }
      return FeatureMaps(
        try corrected(
          map, by: change, of: own - warped.slice(axis: 1, channels..<both.shape[1]),
          isRectified: isRectified, countedIn: .current), after: stage)
    }
  }

  private func corrected(
    _ map: Tensor, by weights: Tensor, of change: Tensor, isRectified: Bool,
    countedIn ledger: MACCounter?
  ) throws -> Tensor {
    ledger?.add(macs: map.count * weights.shape[1])
    // Channels last: a matrix product, without another layout in between.
    let told = try change.permuted(0, 2, 3, 1).matmul(weights.transposed()).permuted(0, 3, 1, 2)
    let sum = try map + told
    return isRectified ? try sum.relu() : sum
  }

  private mutating func learn(
    from former: Tensor, to map: Tensor, beside own: Tensor, in context: FrameContext
  ) throws {
    guard former.shape[1] == map.shape[1] + own.shape[1],
      former.shape[2] == map.shape[2], former.shape[3] == map.shape[3]
    else { return }
    try withoutGradients {
      let (motion, known) = try context.flow(
        to: .keyframe, height: map.shape[2], width: map.shape[3])
      var off =
        try Tensor.concatenate([map, own], axis: 1)
        - former.warped(along: motion, known: known)
      if let known { off = try off * known.unsqueezed(axis: 1).cast(to: .float32) }
      let rows = try off.flattened(from: 2).squeezed(axis: 0)
      let channels = map.shape[1]
      let wrong = try rows.slice(axis: 0, 0..<channels)
      let spread = try map - map.mean(axes: [2, 3], keepingAxes: true)
      guard try (wrong * wrong).sum().item() < (spread * spread).sum().item() else { return }
      try change.add(rows.slice(axis: 0, channels..<rows.shape[0]), wrong, near: start)
    }
  }
}

extension AdaptiveWarp {
  /// How much W₀ counts, as a part's option.
  package static var priorOption: OptionSpec {
    .optional("prior", .number(0.01...1000), standard: .number(3), positional: false)
  }
}

/// Linear maps from what is seen to what it goes with, by least squares over all that came so far.
private struct RunningRegression: Sendable {
  /// Outputs × inputs; nil before anything was seen.
  private(set) var weights: Tensor?
  private let ridge: Double
  private var gram: Tensor?
  private var cross: Tensor?

  /// What is left of an older look's weight at each newer one.
  private static let decay: Float = 0.95
  /// More places than that are thinned out.
  private static let places = 4096

  init(ridge: Double) { self.ridge = ridge }

  /// Inputs × places, outputs × places; the weights are drawn to `start`, or to nothing.
  mutating func add(_ inputs: Tensor, _ outputs: Tensor, near start: Tensor?) throws {
    let count = inputs.shape[0], every = (inputs.shape[1] - 1) / Self.places + 1
    let seen = try inputs.everyOther(every), told = try outputs.everyOther(every)
    let transposed = try seen.transposed()
    MACCounter.current?.add(macs: seen.count * (count + told.shape[0]))
    var (gram, cross) = (try seen.matmul(transposed), try told.matmul(transposed))
    if let before = self.gram { gram = try gram + before * Self.decay }
    if let before = self.cross { cross = try cross + before * Self.decay }
    (self.gram, self.cross) = (gram, cross)
    let square = try (seen * seen).sum().item()
    guard square > 0 || weights != nil else { return }
    let identity = try Tensor(
      (0..<count * count).map { $0 / count == $0 % count ? 1 : 0 as Float }, shape: [count, count])
    let mean = try (gram * identity).sum().item() / Float(count)
    guard mean > 0, mean.isFinite else { return }
    let strength = Float(ridge) * mean
    let pulled = try start.map { try cross + $0 * strength } ?? cross
    weights = try (gram + identity * strength).solved(for: pulled.transposed()).transposed()
      .contiguous()
  }
}

extension Tensor {
  /// Means around the places of a coarser grid that convolutions with strides lead to.
  fileprivate func means(on grid: Extent) throws -> Tensor {
    let stride = Extent(
      height: Swift.max(1, Int((Double(shape[2]) / Double(grid.height)).rounded())),
      width: Swift.max(1, Int((Double(shape[3]) / Double(grid.width)).rounded())))
    let window = Extent(height: 2 * stride.height - 1, width: 2 * stride.width - 1)
    let means =
      stride == 1
      ? self
      : try averagePool(
        window, stride: stride,
        padding: Extent(height: stride.height - 1, width: stride.width - 1),
        countingPadding: false)
    guard means.shape[2] != grid.height || means.shape[3] != grid.width else { return means }
    return try means.resizedBilinear(height: grid.height, width: grid.width, grid: .halfPixel)
  }

  /// Every so many columns of a matrix.
  fileprivate func everyOther(_ step: Int) throws -> Tensor {
    guard step > 1 else { return self }
    let columns = shape[1] / step * step
    return try slice(axis: 1, 0..<columns).reshaped(to: [shape[0], columns / step, step])
      .slice(axis: 2, 0..<1).squeezed(axis: 2).contiguous()
  }
}
