// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Foundation
import Layers
import Scheduler
import Tensors
import TestSupport
import Testing
import Training

/// A clip in which nothing changes but at some frames, where all does: a key there and at no other
/// frame is worth something.
private func steps(at changes: Set<Int>, of frames: Int) -> PolicyEpisode {
  var (scores, sights) = ([[Float]](), [[PolicyObservation]]())
  for key in 0..<frames {
    var (row, seen, changed) = ([Float(1)], [PolicyObservation](), false)
    for frame in key + 1..<max(frames, key + 1) {
      changed = changed || changes.contains(frame)
      row.append(changed ? 0.2 : 1)
      seen.append(PolicyObservation([0, 0, changed ? 1 : 0, changed ? 1 : 0, 0]))
    }
    scores.append(row)
    sights.append(seen)
  }
  return PolicyEpisode(scores: scores, sights: sights)
}

struct PolicyTaskTests {
  private func episode(seed: UInt64, frames: Int = 30) -> PolicyEpisode {
    var draws = Draws(seed: seed)
    var changes: Set<Int> = []
    while changes.count < 4 { changes.insert(Int.random(in: 1..<frames, using: &draws)) }
    return steps(at: changes, of: frames)
  }

  @Test func itLearnsToSpendKeysWhereThingsChange() throws {
    var practice = PolicyTask.RolloutConfiguration()
    (practice.length, practice.budgets) = (30, 0.15...0.25)
    let network = try PolicyNetwork(size: 8, parameters: Parameters(seed: 1))
    let task = PolicyTask(
      network, on: (0..<12).map { episode(seed: $0) },
      validation: (100..<106).map { episode(seed: $0) }, practice: practice)
    let before = try task.evaluate()
    let stage = TrainingStage(
      "all", steps: 150, optimizer: .adam(betas: [0.9, 0.999], decay: 0),
      rate: LearningRateSchedule(peak: 0.02))
    try withTemporaryFolder { url in
      _ = try Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: url.path, fingerprint: "test"
      ).run(resuming: false)
    }
    let after = try task.evaluate()
    // Six keys for four changes: all but what comes too close together can be had.
    #expect(try #require(before["val/gap/5"]) < 0.3)
    #expect(try #require(after["val/gap/5"]) > 0.9, "\(after)")
  }

  /// The expected worth of all schedules, each counted by its probability, and what REINFORCE makes
  /// of draws of them, go up in the same direction.
  @Test func theGradientIsThatOfTheExpectedWorth() throws {
    let clip = steps(at: [2, 4], of: 5)
    let parameters = Parameters(seed: 3)
    let network = try PolicyNetwork(size: 3, parameters: parameters)
    for parameter in parameters.all {
      try parameter.tensor.assign(Tensor.normal(parameter.tensor.shape, seed: 8) * 0.5)
      try parameter.tensor.setRequiresGradient(true)
    }
    // Budgets that never bind leave 2⁴ schedules.
    var practice = PolicyTask.RolloutConfiguration()
    (practice.length, practice.budgets, practice.entropy) = (5, 0.8...0.8, 0)
    (practice.stretches, practice.schedules) = (1, 400)
    let task = PolicyTask(network, on: [clip], practice: practice)
    var drawn: [String: [Double]] = [:]
    var used = 0
    for step in 0..<60 {
      let batch = try task.batch(at: step)
      guard batch.terms == [.block(keys: 4, frames: 5)] else { continue }
      used += 1
      for parameter in parameters.all { try parameter.tensor.clearGradient() }
      try task.loss(of: batch, at: step, in: .inference).total.backward()
      for parameter in parameters.all {
        let values = try #require(try parameter.tensor.gradient()).floats().map(Double.init)
        drawn[parameter.name] = zip(
          drawn[parameter.name] ?? .init(repeating: 0, count: values.count), values
        ).map { $0 - $1 }
      }
    }
    #expect(used > 10)
    var (along, here, there) = (0.0, 0.0, 0.0)
    for parameter in parameters.all {
      let (values, shape) = (try parameter.tensor.detached().floats(), parameter.tensor.shape)
      for index in values.indices {
        func reward(_ by: Float) throws -> Double {
          var moved = values
          moved[index] += by
          try withoutGradients { try parameter.tensor.assign(Tensor(moved, shape: shape)) }
          return try expectedWorth(of: clip, by: network)
        }
        let difference = (try reward(0.05) - reward(-0.05)) / 0.1
        try withoutGradients { try parameter.tensor.assign(Tensor(values, shape: shape)) }
        let found = try #require(drawn[parameter.name])[index]
        along += difference * found
        here += difference * difference
        there += found * found
      }
    }
    #expect(along / (here * there).squareRoot() > 0.97)
  }

  /// Over every schedule, with four keys of five frames, the first among them.
  private func expectedWorth(of clip: PolicyEpisode, by network: PolicyNetwork) throws -> Double {
    func rest(
      _ frame: Int, key: Int, _ allowance: KeyframeBudget, _ state: LSTMCell.State
    ) throws -> Double {
      guard frame < clip.count else { return 0 }
      var allowance = allowance
      allowance.advance()
      let seen = clip.sight(frame, from: key)
        .observation(framesSinceKeyframe: frame - key, within: allowance)
      let (logit, next) = try network.step(
        Tensor(seen, shape: [1, seen.count]), after: state, in: .inference)
      let likely = 1 / (1 + exp(-Double(try logit.item())))
      let probability = !allowance.isEnough ? 0 : allowance.isAmple ? 1 : likely
      var sum = 0.0
      if probability > 0 {
        var spent = allowance
        spent.spend()
        sum += probability * (1 + (try rest(frame + 1, key: frame, spent, next)))
      }
      if probability < 1 {
        let own = Double(clip.score(frame, from: key))
        sum += (1 - probability) * (own + (try rest(frame + 1, key: key, allowance, next)))
      }
      return sum
    }
    var allowance = KeyframeBudget(.block(keys: 4, frames: 5))
    allowance.begin()
    return try withoutGradients { try rest(1, key: 0, allowance, network.start(1)) }
  }

  @Test func aBatchAndItsLossFollowFromTheStepAlone() throws {
    let network = try PolicyNetwork(size: 4, parameters: Parameters(seed: 1))
    let task = PolicyTask(network, on: [episode(seed: 1), episode(seed: 2)])
    #expect(try brokenLaws(of: task) == [])
    func loss(_ step: Int) throws -> Float {
      try task.loss(of: task.batch(at: step), at: step, in: .training(seed: 1)).total.item()
    }
    let first = try loss(3)
    #expect(try loss(4) != first)
    #expect(try loss(3) == first)
  }
}
