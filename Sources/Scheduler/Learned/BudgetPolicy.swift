// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Foundation
public import Frames
public import Layers
public import Tensors
internal import Video

/// A recurrent network that spends a budget of key frames, learned by policy gradient (Budget-Aware
/// Deep Semantic Video Segmentation; Mahasseni et al., CVPR 2017, section 3).
///
/// At each frame it sees how far the frame has come from its key and how much of the budget is
/// left, and says with what probability the frame is worth a key; what is likelier is done. The
/// budget is a hard one: where no key is left none is taken, and where every frame that is left can
/// be afforded each is key. Causal, unlike the paper's, whose frames may borrow from keys to come.
public struct BudgetPolicy: KeyframeScheduler {
  /// What says how likely a frame is worth a key frame.
  public let network: PolicyNetwork
  /// The hard budget, and what is left of it.
  public private(set) var allowance: KeyframeBudget
  private var state: LSTMCell.State?
  /// The last frame that was accounted for.
  private var lastIndex: Int?
  /// Whether that frame was made key here, and has been paid for.
  private var decidedLast = false

  /// A policy at a stream's beginning, with the whole budget before it.
  public init(_ network: PolicyNetwork, within terms: KeyframeBudget.Terms) {
    (self.network, allowance) = (network, KeyframeBudget(terms))
  }

  /// Key where the network finds it likelier than not, as far as the budget goes.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    account(for: context)
    let sight = try PolicyObservation(of: context)
    let seen = sight.observation(
      framesSinceKeyframe: context.framesSinceKeyframe, within: allowance)
    let (logit, next) = try withoutGradients {
      let input = try Tensor(seen, shape: [1, seen.count]).to(network.parameters.device)
      let before = try state ?? network.start(1)
      let (logits, after) = try network.step(input, after: before, in: .inference)
      return (Double(try logits.item()), after)
    }
    state = next
    let probability = 1 / (1 + exp(-logit))
    guard allowance.isEnough else {
      return Decision(.propagated, because: Reason("budget spent", score: probability))
    }
    guard allowance.isAmple || probability > 0.5 else {
      return Decision(.propagated, because: Reason("policy", score: probability, threshold: 0.5))
    }
    allowance.spend()
    decidedLast = true
    return Decision(.key, because: Reason("policy", score: probability, threshold: 0.5))
  }

  /// Brings the budget up to this frame: those that passed unasked, and keys that nobody asked for.
  private mutating func account(for context: FrameContext) {
    let index = context.frame.index
    defer { (lastIndex, decidedLast) = (index, false) }
    guard context.framesSinceKeyframe == 1, !decidedLast else {
      return allowance.advance(by: max(1, index - (lastIndex ?? context.keyframe.index)))
    }
    // The key, then this frame.
    if let lastIndex {
      allowance.advance(by: max(1, index - 1 - lastIndex))
      allowance.spend()
    } else {
      allowance.begin()
    }
    allowance.advance()
  }
}

/// What a policy sees of a frame and its key: five numbers, all near 0 where nothing changed.
public struct PolicyObservation: Hashable, Sendable {
  /// The logarithms of 1 + mean length of the motion back to the key, 1 + its spread (both in
  /// pixels), 1 + what the warp leaves unexplained, 1 + the difference without any warp (both of
  /// 255); and the share whose motion is unknown.
  public let numbers: [Float]

  /// How many numbers a sight consists of.
  public static let count = 5

  /// No change at all.
  public static let nothing = PolicyObservation([Float](repeating: 0, count: count))

  /// A sight of numbers that were computed before.
  ///
  /// - Precondition: there are `count` numbers.
  public init(_ numbers: [Float]) {
    precondition(numbers.count == Self.count, "\(numbers.count) numbers")
    self.numbers = numbers
  }

  /// What is seen of a frame: of the motion that a warp needs anyway and of both pictures in cells
  /// of four pixels.
  public init(of context: FrameContext) throws {
    let motion = try context.flow(to: .keyframe)
    let cells = try DownsampledPair(of: context)
    let isTold = motion.validFraction > 0
    let still = Double(try (cells.current - cells.key).abs().mean().item())
    let warped = try isTold ? cells.error : still
    func scaled(_ value: Double) -> Float { Float(log(1 + max(0, value)) / 3) }
    numbers = [
      scaled(motion.meanLength.map(Double.init) ?? 0),
      scaled(motion.standardDeviation.map(Double.init) ?? 0),
      scaled(warped), scaled(still), 1 - motion.validFraction,
    ]
  }

  /// What the network is given: the sight, frames since the key over those at an even pace, and of
  /// the budget its share, the keys to spare and how many are still to come.
  public func observation(framesSinceKeyframe: Int, within allowance: KeyframeBudget) -> [Float] {
    let rate = allowance.rate
    let toCome = allowance.framesLeft.map { min(1, rate * Double($0) / 10) } ?? 1
    let spare = max(-4, min(4, allowance.spare))
    return numbers
      + [min(4, Double(framesSinceKeyframe) * rate) / 2, 2 * rate, spare / 2, toCome]
      .map { Float($0) }
  }

  static let observationCount = count + 4
}

/// The network of a `BudgetPolicy`: a layer, a long short-term memory and a weighted sum, added to
/// an even pace.
///
/// It begins as a fixed interval: where nothing was learned, a frame is worth a key with a
/// probability of 0.88 once as many frames have passed as the budget's share comes to, and with one
/// of 0.12 the frame before.
public struct PolicyNetwork: Sendable {
  /// The parameters, drawn or read.
  public let parameters: Parameters
  private let entry: Linear, memory: LSTMCell, exit: Linear

  /// A network with a memory of `size`, drawn or read as `parameters` says.
  ///
  /// Drawn, it keeps an even pace.
  public init(size: Int, parameters: Parameters) throws {
    let scope = parameters.root
    self.parameters = parameters
    entry = try Linear(PolicyObservation.observationCount, size, in: scope["entry"])
    memory = try LSTMCell(size, size, in: scope["memory"])
    exit = try Linear(size, 1, initialisation: .constant(0), in: scope["exit"])
  }

  /// Before the first frame of `count` streams.
  public func start(_ count: Int) throws(TensorError) -> LSTMCell.State { try memory.start(count) }

  /// Of N streams, N × numbers seen: the logits of their next frames' being key, N, and what the
  /// network remembers.
  public func step(
    _ seen: Tensor, after state: LSTMCell.State, in pass: ForwardContext
  ) throws(TensorError) -> (logits: Tensor, state: LSTMCell.State) {
    let next = try memory(entry(seen, in: pass).relu(), after: state, in: pass)
    let learned = try exit(next.output, in: pass).reshaped(to: [seen.shape[0]])
    return (try learned + pace(seen), next)
  }

  /// 2 once a key is due at an even pace, -2 before that, from what is seen: no more, so that what
  /// is learned can say otherwise.
  private func pace(_ seen: Tensor) throws(TensorError) -> Tensor {
    let due = try seen.select(axis: 1, index: PolicyObservation.count) * 2
    let rate = try seen.select(axis: 1, index: PolicyObservation.count + 1) * 0.5
    return try (((due - 1) / rate + 0.5) * 4).clamped(to: -2...2)
  }
}
