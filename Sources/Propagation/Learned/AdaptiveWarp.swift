// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Layers
package import Specification
public import Tensors
internal import Video

/// Features of the key frame along the optical flow, and what the frame's own early features tell
/// has changed since, by linear maps: one that is trained, one that is learned while the stream
/// runs.
///
///     F_t = warp(F_k - T(own_k), M) + T(own_t),     T(own) = a V own + W p(own)
///
/// own are features of an early stage, which runs on every frame, as means on F's grid, and p their
/// means over cells of two, four, … thirty-two of it, each brought back to the grid. Where the flow
/// explains the frame both terms of T are alike, and nothing is added. V is trained; without any
/// training it is nothing, and the part works behind any network. W begins as nothing. At each
/// key frame k' the truth is known: what the warp from the key frame before was off by,
///
///     d = F_k' - warp(F_k, M),     v = V (own_k' - warp(own_k, M))
///     e = p(own_k') - warp(p(own_k), M)
///
/// over every second place, row by row, of a grid of half the size; M is there the flow that a key
/// frame may expect. a says how far V is right on this footage, Σ⟨v, d⟩ over Σ‖v‖² of all key
/// frames so far and of one more, as large as the first, at which it would be right altogether; it
/// is kept between 0 and 1.5. W is moved towards what is left,
///
///     W ← argmin Σ ‖d - a v - U e‖² + s ‖U - W‖² over U
///
/// which is the affine projection algorithm of adaptive filters (Ozeki and Umeda, 1984) with a
/// ridge. s is `prior` times the sum of the squares of e, of its channels in the mean, times 1 at
/// the first key frame that teaches, 2 at the next and 4 at last: at first W is moved fast.
///
/// A key frame of which the warp explains nothing, as after a cut, teaches nothing. It is this
/// package's own. What is propagated stays at or above zero where the key frame's
/// features are, as behind a rectifier.
public struct AdaptiveWarp: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// The key frame's map, less what T tells of its early features.
  public var remembered = RememberedMap()
  /// V where it is trained; else nothing.
  public let parameters: Parameters
  /// The early stage of the backbone that sees each frame.
  public let stage: String
  /// How slowly W is moved: the ridge, in squares of e.
  public let prior: Double
  /// Whether a and W are learned while the stream runs; else they stay one and nothing.
  public let adapts: Bool
  /// V: outputs × inputs × 1 × 1.
  private let trained: Tensor?
  /// How far V is right.
  private var trust = Trust()
  /// W; nil before anything was learned.
  private var learned: LevelWeights?
  /// How many key frames have taught, the next one included, or as many as matter.
  private var looks = 1
  private static let settled = 4
  /// The key frame's map and early features, on the grid of which W is learned.
  private var example: Tensor?
  /// Whether the key frame's map is nowhere below zero.
  private var isRectified = false

  /// A warp of any map, with nothing trained.
  ///
  /// - Precondition: `prior` is above 0.
  public init(after stage: String, prior: Double = 3) {
    precondition(prior > 0, "a ridge of \(prior)")
    (self.stage, self.prior, adapts) = (stage, prior, true)
    (parameters, trained) = (Parameters(seed: 0), nil)
  }

  /// A warp of maps with `channels`, beside early ones with `ownChannels`, whose V is trained; it
  /// begins as zero.
  ///
  /// - Precondition: `prior` is above 0.
  public init(
    channels: Int, after stage: String, giving ownChannels: Int, prior: Double = 3,
    adapts: Bool = true, parameters: Parameters
  ) throws {
    precondition(prior > 0, "a ridge of \(prior)")
    (self.stage, self.prior, self.adapts, self.parameters) = (stage, prior, adapts, parameters)
    trained = try parameters.root.parameter(
      "change", [channels, ownChannels, 1, 1], .weight, .constant(0))
  }

  /// The early stage: the key frame's features of it are compared with the frame's.
  public var keptStages: [String] { [stage] }

  /// The map along the flow, and what V tells; as a training sees it.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let grid = map.grid
    let (motion, known) = try context.flow(
      to: .keyframe, height: grid.height, width: grid.width)
    pass.ledger?.add(macs: 4 * map.count)
    guard let trained else { return try map.warped(along: motion, known: known) }
    let before = try context.features(after: stage, of: .keyframe).means(on: grid).conv2d(trained)
    let now = try context.features(after: stage).means(on: grid).conv2d(trained)
    pass.ledger?.add(macs: map.count * trained.shape[1])
    let sum = try (map - before).warped(along: motion, known: known) + now
    return try map.min().item() >= 0 ? sum.relu() : sum
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
    try withoutGradients {
      let own = try OwnFeatures(early, on: map.grid, hasTrainedMap: trained != nil)
      if adapts {
        let halved = try map.adaptiveAveragePool(map.grid.halved)
        let now = try Tensor.concatenate([halved, own.pyramid.joined()], axis: 1)
        // In the background, and at first, there is no key frame before.
        if let example, example.shape == now.shape, context.keyframe.index != context.frame.index {
          try learn(from: example, to: now, channels: map.shape[1], in: context)
        }
        example = now
      }
      isRectified = try map.min().item() >= 0
      let base = try told(of: own).map { try map - $0 } ?? map
      remembered = RememberedMap(try base.channelsLast(), after: features.stages[0])
    }
  }

  /// The map at this frame: warped, and changed as T tells.
  public mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    let (base, stage) = try remembered.contents()
    return try withoutGradients {
      let (motion, known) = try context.flow(
        to: .keyframe, height: base.shape[2], width: base.shape[3])
      let warped = try base.warped(along: motion, known: known)
      MACCounter.current?.add(macs: 4 * base.count)
      guard trained != nil || learned != nil else { return FeatureMaps(warped, after: stage) }
      let own = try OwnFeatures(
        context.features(after: self.stage), on: base.grid, hasTrainedMap: trained != nil)
      guard let now = try told(of: own) else { return FeatureMaps(warped, after: stage) }
      return FeatureMaps(
        try isRectified ? warped.addingRectified(now) : warped + now, after: stage)
    }
  }

  /// T of early features; nil where nothing is trained and nothing learned.
  private func told(of own: OwnFeatures) throws -> Tensor? {
    let sum = try learned.map {
      MACCounter.current?.add(macs: $0.macs(on: own.grid))
      return try own.pyramid.sum(weighted: $0, on: own.grid)
    }
    guard let trained else { return sum }
    let told = try own.features.conv2d(trained * trust.share)
    MACCounter.current?.add(macs: told.count * trained.shape[1])
    return try sum.map { try told + $0 } ?? told
  }

  private mutating func learn(
    from former: Tensor, to now: Tensor, channels: Int, in context: FrameContext
  ) throws {
    let (motion, known) = try context.expectedFlowToKeyframe(
      height: now.shape[2], width: now.shape[3])
    let map = try now.slice(axis: 1, 0..<channels)
    var off = try now - former.warped(along: motion, known: known)
    if let known { off = try off * known.unsqueezed(axis: 1).cast(to: .float32) }
    // Neighbours say much the same: every second place teaches.
    let places = try off.flattened(from: 2).squeezed(axis: 0)
    let rows = try places.slice(axis: 1, 0..<places.shape[1], step: 2).contiguous()
    let wrong = try rows.slice(axis: 0, 0..<channels)
    let inputs = try rows.slice(axis: 0, channels..<rows.shape[0])
    let spread = try map - map.mean(axes: [2, 3], keepingAxes: true)
    let square = try Double((inputs * inputs).sum().item())
    guard square > 0, square.isFinite,
      try (wrong * wrong).mean().item() < (spread * spread).mean().item()
    else { return }
    let before = try learned?.joined ?? .zeros([channels, inputs.shape[0]])
    var left = try wrong - before.matmul(inputs)
    if let trained {
      // The finest level of means comes first: what V reads, on this grid.
      let own = try inputs.slice(axis: 0, 0..<trained.shape[1])
      let told = try trained.flattened(from: 1).matmul(own)
      try trust.learn(from: told, of: wrong)
      left = try left - told * trust.share
    }
    let ridge = prior * Double(min(looks, Self.settled)) * square / Double(inputs.shape[0])
    let across = try inputs.transposed()
    // Of two forms of one solution that of the smaller matrix.
    let (count, taught) = (inputs.shape[0], inputs.shape[1])
    let move =
      try taught < count
      ? across.matmul(inputs).solved(for: left.transposed(), ridge: ridge).transposed()
        .matmul(across)
      : inputs.matmul(across).solved(for: inputs.matmul(left.transposed()), ridge: ridge)
        .transposed()
    let smaller = min(count, taught)
    MACCounter.current?.add(
      macs: count * taught * (2 * channels + smaller) + smaller * smaller * (channels + smaller / 3)
    )
    learned = try LevelWeights(before + move)
    looks += 1
  }
}

extension AdaptiveWarp {
  /// How slowly W is moved, as a part's option.
  package static var priorOption: OptionSpec {
    .optional("prior", .number(0.01...1000), standard: .number(3), positional: false)
  }
}

/// How far what was trained is right on the footage at hand.
private struct Trust {
  /// Σ⟨v, d⟩ and Σ‖v‖².
  private var sums: (right: Double, all: Double)?

  /// From nothing to half as much again; one before anything was learned.
  var share: Float {
    guard let sums, sums.all > 0 else { return 1 }
    return Float(min(max(sums.right / sums.all, 0), 1.5))
  }

  /// Counts what was told of what was to be told.
  mutating func learn(from told: Tensor, of wanted: Tensor) throws {
    let (right, all) = (
      Double(try (told * wanted).sum().item()), Double(try (told * told).sum().item())
    )
    guard right.isFinite, all.isFinite else { return }
    // At first as if one key frame had said that it is right altogether.
    let before = sums ?? (all, all)
    sums = (before.right + right, before.all + all)
  }
}

/// Early features of a frame, as T reads them.
private struct OwnFeatures {
  let grid: Extent
  /// On that grid where there is a V, which reads them there; else as they are.
  let features: Tensor
  let pyramid: MeanPyramid

  init(_ early: Tensor, on grid: Extent, hasTrainedMap: Bool) throws {
    self.grid = grid
    features = try hasTrainedMap ? early.means(on: grid) : early
    pyramid = try MeanPyramid(of: features, below: grid)
  }
}

/// Means of features over cells of 2, 4, … 32 of a grid's, each made of those before.
private struct MeanPyramid {
  static let levels = 5
  private let means: [Tensor]

  init(of features: Tensor, below grid: Extent) throws {
    var means: [Tensor] = [], size = grid, last = features
    for _ in 0..<Self.levels {
      size = size.halved
      last = try last.adaptiveAveragePool(size)
      means.append(last)
    }
    self.means = means
  }

  /// The levels, each times its own weights, brought to the next finer and at last to the grid.
  func sum(weighted weights: LevelWeights, on grid: Extent) throws -> Tensor {
    let coarsest = Self.levels - 1
    var sum = try means[coarsest].conv2d(weights.levels[coarsest])
    for level in (0..<coarsest).reversed() {
      let told = try means[level].conv2d(weights.levels[level])
      sum = try told + sum.resized(to: told.grid)
    }
    return try sum.resized(to: grid)
  }

  /// The levels as channels behind each other, on the finest grid of theirs.
  func joined() throws -> Tensor {
    var joined = means[Self.levels - 1]
    for mean in means.dropLast().reversed() {
      joined = try Tensor.concatenate([mean, joined.resized(to: mean.grid)], axis: 1)
    }
    return joined
  }
}

/// Linear maps of the levels of a pyramid.
private struct LevelWeights: Sendable {
  /// Outputs × inputs of all levels.
  let joined: Tensor
  /// Outputs × inputs × 1 × 1 each.
  let levels: [Tensor]

  init(_ joined: Tensor) throws {
    let (outputs, inputs) = (joined.shape[0], joined.shape[1] / MeanPyramid.levels)
    self.joined = joined
    levels = try (0..<MeanPyramid.levels).map {
      try joined.slice(axis: 1, $0 * inputs..<($0 + 1) * inputs).contiguous()
        .reshaped(to: [outputs, inputs, 1, 1])
    }
  }

  /// Of one frame on that grid.
  func macs(on grid: Extent) -> Int {
    var (places, size) = (0, grid)
    for _ in levels {
      size = size.halved
      places += size.height * size.width
    }
    return places * joined.shape[0] * joined.shape[1] / levels.count
  }
}

extension Extent {
  /// Half of it, and one at least.
  fileprivate var halved: Extent { Extent(height: (height + 1) / 2, width: (width + 1) / 2) }
}

extension Tensor {
  /// Height and width of N × C × H × W.
  fileprivate var grid: Extent { Extent(height: shape[2], width: shape[3]) }

  fileprivate func means(on size: Extent) throws -> Tensor {
    size == grid ? self : try adaptiveAveragePool(size)
  }

  fileprivate func resized(to size: Extent) throws -> Tensor {
    size == grid
      ? self : try resizedBilinear(height: size.height, width: size.width, grid: .halfPixel)
  }
}
