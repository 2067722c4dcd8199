// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
import Scheduler
import Tensors
import TestSupport
import Testing
import Video

/// A frame of 16 × 8 pixels, each channel as `value` says of column and row.
private func frame(_ index: Int, _ value: (Int, Int) -> UInt8) -> Frame {
  let bytes = (0..<8).flatMap { y in (0..<16).flatMap { x in repeatElement(value(x, y), count: 3) }
  }
  return Frame(
    index: index, time: Double(index) / 25,
    pixels: Image(width: 16, height: 8, channels: 3, bytes: bytes))
}

private func moment(
  _ frame: Frame, key: Frame, motion: MotionField? = nil, here: Tensor? = nil,
  there: Tensor? = nil
) -> Moment {
  let motion = motion ?? .still(width: 16, height: 8)
  return Moment(
    frame: frame, key: key, framesSinceKey: frame.index - key.index, motionToKey: { motion },
    motionToPrevious: { motion }, features: { _ in try #require(here) },
    keyFeatures: { _ in try #require(there) })
}

struct DeviationTests {
  private let key = frame(0) { x, _ in UInt8(x / 4 * 40) }

  @Test func aFrameEqualToItsKeyScoresNothing() throws {
    let features = try Tensor.normal([1, 3, 4, 5], seed: 1)
    let deviations: [any Deviation] = [
      MotionAmount(), UnknownShare(), WarpError(), FeatureChange(after: "a"),
      LabelChange(after: "a"),
    ]
    for deviation in deviations {
      var moment = moment(
        Frame(index: 3, time: 1, pixels: key.pixels), key: key, here: features, there: features)
      #expect(try deviation.score(at: &moment) == 0, "\(deviation.name)")
    }
  }

  // Four pixels to the right, each cell is one to the right: what comes in from the left is unknown.
  @Test func theWarpErrorIsWhatTheMotionDoesNotExplain() throws {
    let moved = frame(1) { x, _ in UInt8(max(0, x / 4 - 1) * 40) }
    let motion = MotionField(
      width: 16, height: 8, displacements: (0..<128).flatMap { _ in [-4, 0] as [Float] },
      known: (0..<128).map { $0 % 16 < 4 ? 0 : 1 })
    var explained = moment(moved, key: key, motion: motion)
    #expect(try WarpError().score(at: &explained) == 0)
    // Taken as still, three of four columns of cells are off by 40.
    var still = moment(moved, key: key)
    #expect(try WarpError().score(at: &still) == 30)
    let unknown = MotionField.unknown(width: 16, height: 8)
    var cut = moment(moved, key: key, motion: unknown)
    #expect(try WarpError().score(at: &cut) == nil)
    #expect(try MotionAmount().score(at: &cut) == nil)
    #expect(try UnknownShare().score(at: &cut) == 1)
  }

  @Test func featuresChangeByTheirOwnMeasure() throws {
    let there = try Tensor([3, 4, 0, 0] as [Float], shape: [1, 1, 2, 2])
    let here = try Tensor([3, 4, 0, 2.5] as [Float], shape: [1, 1, 2, 2])
    var changed = moment(key, key: key, here: here, there: there)
    #expect(try FeatureChange(after: "a").score(at: &changed) == 0.5)
    var fromNothing = moment(key, key: key, here: here, there: try .zeros([1, 1, 2, 2]))
    #expect(try FeatureChange(after: "a").score(at: &fromNothing) == nil)
  }

  @Test func labelsThatChangeAreCounted() throws {
    let there = try Tensor([1, 1, 1, 1, 0, 0, 0, 0] as [Float], shape: [1, 2, 2, 2])
    let here = try Tensor([1, 9, 0, 1, 0, 8, 3, 0] as [Float], shape: [1, 2, 2, 2])
    var changed = moment(key, key: key, here: here, there: there)
    #expect(try LabelChange(after: "a").score(at: &changed) == 0.25)
  }

  @Test func aLimitOnMotionDrawsAsMotionLimitDoes() throws {
    let motion: [Float] = [0, 1, 2, 1, 1, 1, 4, 0, 0, 3]
    let limit = DeviationLimit(MotionAmount(), limit: 2)
    #expect(
      try drawn(limit, frames: 10, motion: motion)
        == drawn(.whenMoved(pixels: 2), frames: 10, motion: motion))
    #expect(brokenLaws(of: limit) == [])
  }
}

struct DeviationAtRateTests {
  private func keys(_ drawing: String) -> Int { drawing.count { $0 == "K" } }

  @Test(arguments: [0.05, 0.1, 0.25, 0.5])
  func evenMotionGivesEvenKeysAtTheRate(rate: Double) throws {
    let scheduler = DeviationAtRate(MotionAmount(), rate: rate)
    let drawing = try drawn(scheduler, frames: 1000, motion: .init(repeating: 3, count: 1000))
    #expect(abs(Double(keys(drawing)) - 1000 * rate) <= 6, "\(keys(drawing))")
    // Once it has settled, distances differ by one at most.
    let gaps = drawing.suffix(500).split(separator: "K").dropFirst().dropLast().map(\.count)
    #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 2, "\(Set(gaps))")
    #expect(brokenLaws(of: scheduler) == [])
  }

  // The rate is held where the motion's scale changes tenfold on the way, and keys come where it moves.
  @Test func theRateIsHeldAndKeysComeWhereThingsMove() throws {
    var draws = Draws(seed: 3)
    let motion = (0..<3000).map { index in
      let base: Float = index % 50 < 10 ? 8 : 0.5
      return base * (index < 1500 ? 1 : 10) * Float.random(in: 0.8...1.2, using: &draws)
    }
    let drawing = Array(
      try drawn(DeviationAtRate(MotionAmount(), rate: 0.1), frames: 3000, motion: motion))
    #expect((270...330).contains(drawing.count { $0 == "K" }))
    let moving = drawing.indices.filter { $0 % 50 < 11 && drawing[$0] == "K" }.count
    #expect(moving > 150)
  }

  @Test func aStillHasNoKeysAndIsFollowedByNoBurst() throws {
    let motion: [Float] =
      .init(repeating: 2, count: 200) + .init(repeating: 0, count: 600)
      + .init(repeating: 2, count: 200)
    let drawing = Array(
      try drawn(DeviationAtRate(MotionAmount(), rate: 0.1), frames: 1000, motion: motion))
    // One at most, for what had moved before.
    #expect(drawing[200..<800].count { $0 == "K" } <= 1)
    #expect(drawing[800..<850].count { $0 == "K" } < 30)
  }
}

struct RandomKeysTests {
  @Test(arguments: [0, 0.1, 0.5, 1])
  func theRateIsThatAskedFor(rate: Double) throws {
    let drawing = try drawn(.random(rate: rate), frames: 4000)
    let keys = drawing.dropFirst().count { $0 == "K" }
    #expect(abs(Double(keys) - 3999 * rate) < 4 * (4000 * rate * (1 - rate)).squareRoot() + 1e-9)
  }

  @Test func seedsDiffer() throws {
    let drawings = try (1...3).map { try drawn(.random(rate: 0.3, seed: UInt64($0)), frames: 60) }
    #expect(Set(drawings).count == 3)
    #expect(brokenLaws(of: RandomKeys(rate: 0.3)) == [])
  }
}

struct GivenKeysTests {
  @Test func keysAreWhereTheyAreGiven() throws {
    #expect(try drawn(GivenKeys([2, 3, 6]), frames: 8) == "K.KK..K.")
    #expect(brokenLaws(of: GivenKeys([1, 5])) == [])
  }

  // Beside all schedules there are, of random scores.
  @Test(arguments: 1...6) func theBestKeysAreTheBestOfAll(count: Int) {
    var draws = Draws(seed: UInt64(count))
    let frames = 9
    let scores = draws.floats(frames * frames, in: 0...1).map(Double.init)
    func score(_ key: Int, _ frame: Int) -> Double { scores[key * frames + frame] }
    func total(_ keys: [Int]) -> Double {
      (0..<frames).reduce(0) { sum, frame in sum + score(keys.last { $0 <= frame } ?? 0, frame) }
    }
    let all = (0..<(1 << (frames - 1))).map { bits in
      [0] + (1..<frames).filter { bits >> ($0 - 1) & 1 == 1 }
    }.filter { $0.count == count }
    let best = bestKeys(count, ofFrames: frames, score: score)
    #expect(best.keys.count == count && best.keys.first == 0)
    #expect(abs(best.total - (all.map(total).max() ?? 0)) < 1e-9)
    #expect(abs(total(best.keys) - best.total) < 1e-9)
  }
}

struct ShotChangeTests {
  private func role(
    _ scheduler: inout ShotChange, _ frame: Frame, key: Frame
  ) throws -> FrameRole {
    var moment = moment(frame, key: key)
    return try scheduler.decision(at: &moment).role
  }

  // Dark frames, then light ones: the first of them is key, and the next is not.
  @Test func aCutIsKeyAndNothingElse() throws {
    var scheduler = ShotChange(FixedInterval(every: 100))
    let frames = (0..<8).map { index in
      frame(index) { x, _ in index < 4 ? UInt8(x + index) : UInt8(200 + x) }
    }
    var (key, drawing) = (frames[0], "K")
    for frame in frames.dropFirst() {
      let role = try role(&scheduler, frame, key: key)
      if role == .key { key = frame }
      drawing += role == .key ? "K" : "."
    }
    #expect(drawing == "K...K...")
  }

  @Test func theBaseGoesOnBelow() throws {
    #expect(try drawn(ShotChange(FixedInterval(every: 3)), frames: 7) == "K..K..K")
    #expect(brokenLaws(of: ShotChange(MotionLimit(pixels: 4))) == [])
  }

  @Test func whatTheCodecCodedOnItsOwnIsKey() throws {
    let types: [PictureType] = [.intra, .predicted, .predicted, .intra, .predicted, .bidirectional]
    let pixels = Image(width: 2, height: 2, channels: 3, repeating: 0)
    let scheduler = CodecKeys(longest: 2)
    var (key, drawing) = (0, "K")
    for index in 1..<6 {
      var moment = moment(
        Frame(index: index, time: 0, pixels: pixels, pictureType: types[index]),
        key: Frame(index: key, time: 0, pixels: pixels))
      let isKey = scheduler.decision(at: &moment).role == .key
      if isKey { key = index }
      drawing += isKey ? "K" : "."
    }
    #expect(drawing == "K.KK.K")
    #expect(try drawn(CodecKeys(), frames: 5) == "K....")
  }
}
