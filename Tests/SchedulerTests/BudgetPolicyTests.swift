// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Layers
import Scheduler
import Tensors
import Testing

struct KeyAllowanceTests {
  @Test func aShareIsSavedUpToItsBoundAndNeverOwed() {
    var allowance = KeyframeBudget(.rate(0.25, saved: 2))
    #expect(!allowance.isEnough && allowance.framesLeft == nil && allowance.spare == -1)
    for _ in 0..<3 { allowance.advance() }
    #expect(!allowance.isEnough)
    allowance.advance()
    #expect(allowance.isEnough && !allowance.isAmple)
    allowance.spend()
    allowance.spend()
    #expect(allowance.left == 0)
    allowance.advance(by: 100)
    #expect(allowance.left == 2 && allowance.spare == 1)
  }

  @Test func aBlockHasItsKeysAndThenComesAnother() {
    var allowance = KeyframeBudget(.block(keys: 2, frames: 5))
    var seen: [String] = []
    for _ in 0..<11 {
      allowance.advance()
      seen.append("\(allowance.framesLeft ?? 0) \(Int(allowance.left))")
      if allowance.left == 2 { allowance.spend() }
    }
    #expect(
      seen == [
        "5 2", "4 1", "3 1", "2 1", "1 1", "5 2", "4 1", "3 1", "2 1", "1 1", "5 2",
      ])
    #expect(allowance.rate == 0.4)
    // One key and one frame left: nothing is gained by waiting.
    allowance.advance(by: 4)
    #expect(allowance.framesLeft == 1 && allowance.isAmple)
    // Two blocks on, at their third frame.
    allowance.advance(by: 13)
    #expect(allowance.framesLeft == 3 && allowance.left == 2)
  }

  @Test func theSpareIsWhatAnEvenPaceLeaves() {
    var allowance = KeyframeBudget(.block(keys: 2, frames: 10))
    allowance.advance()
    #expect(abs(allowance.spare) < 1e-12)
    allowance.spend()
    allowance.advance(by: 5)
    #expect(abs(allowance.spare) < 1e-12)
    allowance.advance()
    #expect(abs(allowance.spare - 0.2) < 1e-12)
  }
}

struct BudgetPolicyTests {
  /// A network that adds `logit` to an even pace, whatever it sees.
  private func network(saying logit: Double) throws -> PolicyNetwork {
    let parameters = Parameters(seed: 3)
    let network = try PolicyNetwork(size: 4, parameters: parameters)
    let exit = try #require(parameters.all.first { $0.name == "exit.bias" })
    try exit.tensor.assign(.full([1], of: logit))
    return network
  }

  /// One whose answers follow from what it sees.
  private func drawnNetwork(seed: UInt64) throws -> PolicyNetwork {
    let parameters = Parameters(seed: seed)
    let network = try PolicyNetwork(size: 8, parameters: parameters)
    for parameter in parameters.all {
      try parameter.tensor.assign(.normal(parameter.tensor.shape, seed: seed + 1))
    }
    return network
  }

  @Test func schedulesAreDrawn() throws {
    let (eager, lazy) = (try network(saying: 1000), try network(saying: -1000))
    // All at once, then none: a block's keys, its first frame's among them.
    let block = KeyframeBudget.Terms.block(keys: 3, frames: 8)
    #expect(try drawn(BudgetPolicy(eager, within: block), frames: 16) == "KKK.....KKK.....")
    // It waits until every frame that is left can be afforded.
    #expect(try drawn(BudgetPolicy(lazy, within: block), frames: 16) == "K.....KK.....KKK")
    let share = KeyframeBudget.Terms.rate(0.25, saved: 2)
    #expect(try drawn(BudgetPolicy(eager, within: share), frames: 13) == "K...K...K...K")
    #expect(try drawn(BudgetPolicy(lazy, within: share), frames: 13) == "K............")
    #expect(try drawn(BudgetPolicy(lazy, within: .rate(1)), frames: 4) == "KKKK")
    // Where nothing was learned it is a fixed interval.
    let drawnOnly = try network(saying: 0)
    let even = KeyframeBudget.Terms.block(keys: 3, frames: 9)
    #expect(try drawn(BudgetPolicy(drawnOnly, within: even), frames: 18) == "K..K..K..K..K..K..")
    #expect(
      try drawn(BudgetPolicy(drawnOnly, within: .rate(0.25)), frames: 13) == "K...K...K...K")
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func whateverTheNetworkSaysTheBudgetHolds(seed: UInt64) throws {
    let network = try drawnNetwork(seed: seed)
    let motion = (0..<60).map { Float(($0 * Int(seed) * 7) % 11) }
    let blocks = try drawn(
      BudgetPolicy(network, within: .block(keys: 4, frames: 20)), frames: 60, motion: motion)
    for start in [0, 20, 40] {
      #expect(blocks.dropFirst(start).prefix(20).count { $0 == "K" } <= 4)
    }
    let held = Array(
      try drawn(
        BudgetPolicy(network, within: .rate(0.2, saved: 2)), frames: 60, motion: motion))
    for start in 1..<60 {
      for end in start + 1...60 {
        let keys = held[start..<end].count { $0 == "K" }
        #expect(Double(keys) <= 0.2 * Double(end - start) + 2 + 1e-6)
      }
    }
  }

  @Test func keepsTheLaws() throws {
    let network = try drawnNetwork(seed: 7)
    #expect(brokenLaws(of: BudgetPolicy(network, within: .block(keys: 5, frames: 12))) == [])
    #expect(brokenLaws(of: BudgetPolicy(network, within: .rate(0.4))) == [])
  }
}

struct PolicyEpisodeTests {
  private func sight(_ value: Float) -> PolicyObservation {
    PolicyObservation([Float](repeating: value, count: PolicyObservation.count))
  }

  @Test func beyondTheHorizonTheLastStays() {
    let episode = PolicyEpisode(
      scores: [[1, 0.8], [1, 0.5], [1, 0.4], [1]],
      sights: [[sight(1)], [sight(2)], [sight(3)], []])
    #expect(episode.isSound && episode.count == 4)
    #expect(episode.score(1, from: 0) == 0.8 && episode.score(3, from: 0) == 0.8)
    #expect(episode.score(2, from: 2) == 1)
    #expect(episode.sight(3, from: 1) == sight(2) && episode.sight(2, from: 1) == sight(2))
    #expect((0..<4).allSatisfy { !episode.isBreak($0) })
  }

  @Test func aKeyWithNothingAfterItStandsBeforeABreak() {
    let episode = PolicyEpisode(
      scores: [[1, 0.8], [1], [1, 0.4], [1]], sights: [[sight(1)], [], [sight(3)], []])
    #expect((0..<4).map { episode.isBreak($0) } == [false, false, true, false])
  }
}
