// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Layers
public import Scheduler
internal import Tensors

/// Training a policy that spends a budget of key frames, by policy gradient (REINFORCE; Williams,
/// 1992), as Budget-Aware (Mahasseni et al., CVPR 2017, section 3.3).
///
/// Of a stretch of a clip and a budget, many schedules are drawn from the policy and played
/// through. A choice counts by what all frames from it on were worth, less what they were worth on
/// average over the schedules of the same stretch and budget, so that clips that are easy teach no
/// more than others.
public struct PolicyTask: TrainingTask {
  /// The network that is trained.
  public let network: PolicyNetwork
  private let episodes: [PolicyEpisode], validation: [PolicyEpisode]
  private let practice: RolloutConfiguration
  private let seed: UInt64

  /// What is played.
  public struct RolloutConfiguration: Hashable, Sendable {
    /// Frames of a stretch.
    public var length = 60
    /// The shares of frames that may be key.
    public var budgets = 0.05...0.5
    /// Stretches a step, and schedules of each.
    public var stretches = 4, schedules = 16
    /// What counts the entropy of choices, which keeps the policy from settling early.
    public var entropy = 0.01

    /// Rollouts of 60 frames with budgets of 0.05 to 0.5.
    public init() {}
  }

  /// A task on these episodes; measured on those of `validation`.
  ///
  /// - Precondition: there is an episode.
  public init(
    _ network: PolicyNetwork, on episodes: [PolicyEpisode], validation: [PolicyEpisode] = [],
    practice: RolloutConfiguration = RolloutConfiguration(), seed: UInt64 = 1
  ) {
    precondition(!episodes.isEmpty, "nothing to play")
    (self.network, self.episodes, self.validation) = (network, episodes, validation)
    (self.practice, self.seed) = (practice, seed)
  }

  /// What training changes: the policy's parameters.
  public var parameters: Parameters { network.parameters }

  /// Stretches of clips with a budget each.
  public struct Batch: Sendable {
    let stretches: [Stretch]
    let length: Int
    let step: Int

    /// What each stretch is played within.
    package var terms: [KeyframeBudget.Terms] { stretches.map(\.terms) }
  }

  struct Stretch: Sendable {
    let episode: Int, first: Int
    let terms: KeyframeBudget.Terms
  }

  /// Half of the budgets are a number of keys for the whole stretch, half a share that is held.
  public func batch(at step: Int) throws -> Batch {
    let drawn = (0..<practice.stretches).map { place in
      var random = RandomStream(seed: seed, step, place, 0x9011)
      return (episode: random.below(episodes.count), random: random)
    }
    let length = drawn.reduce(practice.length) { min($0, episodes[$1.episode].count) }
    return Batch(
      stretches: drawn.map { drawn in
        var random = drawn.random
        let first = random.below(episodes[drawn.episode].count - length + 1)
        let share = random.draw(in: practice.budgets)
        let keys = min(length, max(1, Int((share * Double(length)).rounded())))
        return Stretch(
          episode: drawn.episode, first: first,
          terms: random.below(2) == 0 ? .rate(share) : .block(keys: keys, frames: length))
      }, length: length, step: step)
  }

  /// What policy gradient descends for schedules drawn from the policy, less the entropy of
  /// choices.
  public func loss(of batch: Batch, at _: Int, in pass: ForwardContext) throws -> Loss {
    var plays: [Rollout] = []
    for stretch in batch.stretches {
      plays += (0..<practice.schedules).map { _ in
        Rollout(episodes[stretch.episode], from: stretch.first, within: stretch.terms)
      }
    }
    var random = RandomStream(seed: seed, batch.step, 0xACED)
    var state = try network.start(plays.count)
    var (logits, choices, worths) = ([Tensor](), [[Rollout.Choice]](), [[Float]]())
    for _ in 1..<max(2, batch.length) where batch.length > 1 {
      for index in plays.indices { plays[index].advance() }
      let seen = plays.flatMap(\.observation)
      let input = try Tensor(seen, shape: [plays.count, seen.count / plays.count])
      let (logit, next) = try network.step(
        input.to(parameters.device), after: state, in: pass)
      state = try next.keeping(state, where: plays.map(\.isForced), on: parameters.device)
      let said = try logit.detached().floats()
      choices.append(
        plays.indices.map { index in
          // Drawn whether or not there is a choice, so that schedules do not shift each other.
          let drawn = random.unit() < 1 / (1 + exp(-Double(said[index])))
          return plays[index].choose(drawn)
        })
      logits.append(logit)
      worths.append(plays.map(\.reward))
    }
    guard !logits.isEmpty else {
      return Loss(try (network.parameters.all[0].tensor * 0).sum())
    }
    return try loss(of: logits, choices, worths)
  }

  /// Of T frames and N schedules: what was said, done and gained.
  private func loss(
    of logits: [Tensor], _ choices: [[Rollout.Choice]], _ worths: [[Float]]
  ) throws -> Loss {
    let (frames, count) = (logits.count, worths[0].count)
    let advantages = Self.advantages(of: worths, inGroupsOf: practice.schedules)
    let free = choices.flatMap { $0.map { $0.isFree ? Float(1) : 0 } }
    let keys = choices.flatMap { $0.map { $0.isKey ? Float(1) : 0 } }
    let weights = try Tensor(
      zip(advantages.flatMap(\.self), free).map { $0 * $1 }, shape: [frames, count])
    let isFree = try Tensor(free, shape: [frames, count]).to(parameters.device)
    let isKey = try Tensor(keys, shape: [frames, count]).to(parameters.device)
    let said = try Tensor.stack(logits)
    // The logarithms of the probabilities of 0 and 1.
    let logs = try Tensor.stack([said * 0, said], axis: 2).logSoftmax(axis: 2)
    let (skip, take) = (try logs.select(axis: 2, index: 0), try logs.select(axis: 2, index: 1))
    let done = try isKey * take + (1 - isKey) * skip
    let number = Float(max(1, free.reduce(0, +)))
    let gain = try (done * weights.to(parameters.device)).sum() * (1 / number)
    let entropy = try ((skip.exp() * skip + take.exp() * take) * isFree).sum() * (-1 / number)
    let mean = worths.joined().reduce(0, +) / Float(frames * count)
    var loss = Loss(try -gain)
    try loss.add(try -entropy, named: "negative_entropy", counting: practice.entropy)
    return Loss(
      loss.total, parts: loss.parts.merging(["reward": try .full([], of: Double(mean))]) { $1 })
  }

  /// What a choice led to, by frame and schedule: the worth of all frames from it on, less the mean
  /// over the schedules of its group, in units of how far their totals lie apart.
  static func advantages(of worths: [[Float]], inGroupsOf size: Int) -> [[Float]] {
    let count = worths[0].count
    var sums = worths
    for frame in stride(from: worths.count - 2, through: 0, by: -1) {
      for index in 0..<count { sums[frame][index] += sums[frame + 1][index] }
    }
    for start in stride(from: 0, to: count, by: size) {
      let group = start..<min(count, start + size)
      func mean(_ values: ArraySlice<Float>) -> Float { values.reduce(0, +) / Float(group.count) }
      let total = mean(sums[0][group])
      let squares = sums[0][group].map { ($0 - total) * ($0 - total) }
      let unit = max(mean(squares[...]).squareRoot(), 1e-4 * Float(worths.count))
      for frame in sums.indices {
        let usual = mean(sums[frame][group])
        for index in group { sums[frame][index] = (sums[frame][index] - usual) / unit }
      }
    }
    return sums
  }

  /// At a tenth and at a fifth of the frames, over the clips: the mean worth of a frame, and the
  /// share of the gap between a fixed interval and the best keys that the policy closes.
  public func evaluate() throws -> [String: Double] {
    guard !validation.isEmpty else { return [:] }
    var scores: [String: Double] = [:]
    for interval in [5, 10] {
      var sums = (policy: 0.0, fixed: 0.0, best: 0.0, frames: 0)
      for episode in validation {
        let keys = (episode.count + interval - 1) / interval
        sums.policy += try reward(of: episode, within: .block(keys: keys, frames: episode.count))
        sums.fixed += episode.reward(of: Array(stride(from: 0, to: episode.count, by: interval)))
        let best = optimalKeyframes(keys, ofFrames: episode.count) {
          episode.hasBreak(after: $0, through: $1) ? -1 : Double(episode.score($1, from: $0))
        }
        sums.best += episode.reward(of: best.keys)
        sums.frames += episode.count
      }
      let gap = sums.best - sums.fixed
      scores["val/reward/\(interval)"] = sums.policy / Double(sums.frames)
      scores["val/gap/\(interval)"] = gap > 0 ? (sums.policy - sums.fixed) / gap : 0
    }
    return scores
  }

  /// What all frames are worth together where the likelier choice is made.
  func reward(of episode: PolicyEpisode, within terms: KeyframeBudget.Terms) throws -> Double {
    try withoutGradients {
      var play = Rollout(episode, from: 0, within: terms)
      var (state, sum) = (try network.start(1), Double(play.reward))
      for _ in 1..<max(1, episode.count) where episode.count > 1 {
        play.advance()
        if !play.isForced {
          let seen = try Tensor(play.observation, shape: [1, play.observation.count])
          let (logit, next) = try network.step(
            seen.to(parameters.device), after: state, in: .inference)
          state = next
          _ = play.choose(try logit.item() > 0)
        }
        sum += Double(play.reward)
      }
      return sum
    }
  }
}

/// One stream that is being played through.
struct Rollout {
  let episode: PolicyEpisode
  private var allowance: KeyframeBudget
  private var key: Int, frame: Int
  /// Whether the frame is key whatever a policy says.
  private(set) var isForced = true

  /// What was done, and whether something else could have been.
  struct Choice {
    let isKey: Bool, isFree: Bool
  }

  /// A stream that begins at `first`, a key.
  init(_ episode: PolicyEpisode, from first: Int, within terms: KeyframeBudget.Terms) {
    (self.episode, key, frame, allowance) = (episode, first, first, KeyframeBudget(terms))
    allowance.begin()
  }

  /// Goes on to the next frame; after a break that is a key.
  mutating func advance() {
    frame += 1
    allowance.advance()
    isForced = episode.isBreak(frame)
    if isForced {
      allowance.spend()
      key = frame
    }
  }

  var observation: [Float] {
    guard !isForced else {
      return PolicyObservation.nothing.observation(framesSinceKeyframe: 0, within: allowance)
    }
    return episode.sight(frame, from: key)
      .observation(framesSinceKeyframe: frame - key, within: allowance)
  }

  /// Makes the frame key where that is `wanted` and can be afforded, or where all frames can.
  mutating func choose(_ wanted: Bool) -> Choice {
    guard !isForced else { return Choice(isKey: true, isFree: false) }
    let isFree = allowance.isEnough && !allowance.isAmple
    let isKey = isFree ? wanted : allowance.isEnough
    if isKey {
      allowance.spend()
      key = frame
    }
    return Choice(isKey: isKey, isFree: isFree)
  }

  var reward: Float { episode.score(frame, from: key) }
}

extension PolicyEpisode {
  /// What all frames are worth together with these keys, in order; the first frame is one, and so
  /// is one after a break.
  func reward(of keys: [Int]) -> Double {
    let keys = Set(keys)
    var (key, sum) = (0, 0.0)
    for frame in 0..<count {
      if keys.contains(frame) || isBreak(frame) { key = frame }
      sum += Double(score(frame, from: key))
    }
    return sum
  }

  func hasBreak(after first: Int, through last: Int) -> Bool {
    first < last && (first + 1...last).contains(where: isBreak)
  }
}

extension LSTMCell.State {
  /// This state, but the `other` of those sequences that did not go on.
  fileprivate func keeping(
    _ other: Self, where isKept: [Bool], on device: Device
  ) throws(TensorError) -> Self {
    guard isKept.contains(true) else { return self }
    let kept = try Tensor(isKept.map { $0 ? 1 : 0 }, shape: [isKept.count, 1]).to(device)
    return Self(
      output: try kept * other.output + (1 - kept) * output,
      memory: try kept * other.memory + (1 - kept) * memory)
  }
}
