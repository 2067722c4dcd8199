// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
import Frames
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

private func context(
  _ frame: Frame, key: Frame, motion: MotionField? = nil, here: Tensor? = nil,
  there: Tensor? = nil, usualTimes: (keyframe: Duration, propagated: Duration)? = nil
) -> FrameContext {
  let motion = motion ?? .zero(width: 16, height: 8)
  return FrameContext(
    frame: frame, keyframe: key, framesSinceKeyframe: frame.index - key.index,
    usualTimes: usualTimes,
    from: GivenAnswers(
      flow: { _ in motion }, features: { try #require($1 == .current ? here : there) },
      scores: { try #require(here) }, keyframeScores: { try #require(there) }))
}

struct DeviationTests {
  private let key = frame(0) { x, _ in UInt8(x / 4 * 40) }

  @Test func aFrameEqualToItsKeyScoresNothing() throws {
    let features = try Tensor.normal([1, 3, 4, 5], seed: 1)
    let changeScores: [any ChangeScore] = [
      MotionMagnitude(), MotionDeviation(), UnknownFraction(), WarpError(),
      FeatureChange(after: "a"),
      LabelChange(after: "a"), UncertaintyIncrease(.confidence), UncertaintyIncrease(.entropy),
    ]
    for changeScore in changeScores {
      let context = context(
        Frame(index: 3, time: 1, pixels: key.pixels), key: key, here: features, there: features)
      #expect(try changeScore.score(at: context) == 0, "\(changeScore.name)")
    }
  }

  // Four pixels to the right, each cell is one to the right: what comes in from the left is
  // unknown.
  @Test func theWarpErrorIsWhatTheMotionDoesNotExplain() throws {
    let moved = frame(1) { x, _ in UInt8(max(0, x / 4 - 1) * 40) }
    let motion = MotionField(
      width: 16, height: 8, displacements: (0..<128).flatMap { _ in [-4, 0] as [Float] },
      known: (0..<128).map { $0 % 16 < 4 ? 0 : 1 })
    let explained = context(moved, key: key, motion: motion)
    #expect(try WarpError().score(at: explained) == 0)
    // Taken as still, three of four columns of cells are off by 40.
    let still = context(moved, key: key)
    #expect(try WarpError().score(at: still) == 30)
    let unknown = MotionField.unknown(width: 16, height: 8)
    let cut = context(moved, key: key, motion: unknown)
    #expect(try WarpError().score(at: cut) == nil)
    #expect(try MotionMagnitude().score(at: cut) == nil)
    #expect(try UnknownFraction().score(at: cut) == 1)
  }

  @Test func featuresChangeByTheirOwnMeasure() throws {
    let there = try Tensor([3, 4, 0, 0] as [Float], shape: [1, 1, 2, 2])
    let here = try Tensor([3, 4, 0, 2.5] as [Float], shape: [1, 1, 2, 2])
    let changed = context(key, key: key, here: here, there: there)
    #expect(try FeatureChange(after: "a").score(at: changed) == 0.5)
    let fromNothing = context(key, key: key, here: here, there: try .zeros([1, 1, 2, 2]))
    #expect(try FeatureChange(after: "a").score(at: fromNothing) == nil)
  }

  @Test func labelsThatChangeAreCounted() throws {
    let there = try Tensor([1, 1, 1, 1, 0, 0, 0, 0] as [Float], shape: [1, 2, 2, 2])
    let here = try Tensor([1, 9, 0, 1, 0, 8, 3, 0] as [Float], shape: [1, 2, 2, 2])
    let changed = context(key, key: key, here: here, there: there)
    #expect(try LabelChange(after: "a").score(at: changed) == 0.25)
    // A head that turns the first class's scores round finds the second everywhere, in both frames.
    let turned = LabelChange(after: "a") { map in
      try map * Tensor([-1, 1] as [Float], shape: [1, 2, 1, 1])
    }
    #expect(try turned.score(at: changed) == 0)
  }

  // Two places of two classes: sure of both, then even at one of them.
  @Test func whatIsLessSureThanTheKeyIsMeasured() throws {
    let sure = try Tensor([30, 30, 0, 0] as [Float], shape: [1, 2, 1, 2])
    let even = try Tensor([30, 0, 0, 0] as [Float], shape: [1, 2, 1, 2])
    for (measure, expected) in [(UncertaintyIncrease.Measure.confidence, 0.25), (.entropy, 0.5)] {
      let lost = context(key, key: key, here: even, there: sure)
      let rise = try #require(try UncertaintyIncrease(measure).score(at: lost))
      #expect(abs(rise - expected) < 1e-6)
      // What is surer than the key has not come far from it.
      let gained = context(key, key: key, here: sure, there: even)
      #expect(try UncertaintyIncrease(measure).score(at: gained) == 0)
    }
  }

  // Half of the picture moves by 6 to the right, half by 2 to the left: 2 on average, 4 apart from
  // that.
  @Test func aPanHasNoSpread() throws {
    let halves = (0..<128).flatMap { [$0 % 16 < 8 ? 6 : -2, 1] as [Float] }
    let apart = MotionField(width: 16, height: 8, displacements: halves)
    let context = context(key, key: key, motion: apart)
    #expect(try MotionDeviation().score(at: context) == 4)
    let pan = MotionField(
      width: 16, height: 8, displacements: (0..<128).flatMap { _ in [7, -3] as [Float] })
    let panned = SchedulerTests.context(key, key: key, motion: pan)
    #expect(try MotionDeviation().score(at: panned) == 0)
  }
}

struct DeviationAtRateTests {
  private func keys(_ drawing: String) -> Int { drawing.count { $0 == "K" } }

  // Of every key the two frames after it are not asked about, as where it is computed in the
  // background.
  @Test(arguments: [0.05, 0.1, 0.2]) func framesThatPassUnaskedCountToo(rate: Double) throws {
    var scheduler = TargetRateScheduler(MotionMagnitude(), rate: rate)
    let pixels = frame(0) { _, _ in 0 }.pixels
    var (key, keys, index) = (0, 0, 1)
    while index < 3000 {
      let since = index - key
      let moved = MotionField(
        width: 1, height: 1, displacements: [3 * Float(since), 0])
      let context = context(
        Frame(index: index, time: 0, pixels: pixels),
        key: Frame(index: key, time: 0, pixels: pixels), motion: moved)
      if try scheduler.decision(at: context).role == .key {
        (key, keys) = (index, keys + 1)
        index += 3
      } else {
        index += 1
      }
    }
    #expect(abs(Double(keys) - 3000 * rate) <= 8, "\(keys)")
  }

  @Test(arguments: [0.05, 0.1, 0.25, 0.5])
  func evenMotionGivesEvenKeysAtTheRate(rate: Double) throws {
    let scheduler = TargetRateScheduler(MotionMagnitude(), rate: rate)
    let drawing = try drawn(scheduler, frames: 1000, motion: .init(repeating: 3, count: 1000))
    #expect(abs(Double(keys(drawing)) - 1000 * rate) <= 6, "\(keys(drawing))")
    // Once it has settled, distances differ by one at most.
    let gaps = drawing.suffix(500).split(separator: "K").dropFirst().dropLast().map(\.count)
    #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 2, "\(Set(gaps))")
    #expect(brokenLaws(of: scheduler) == [])
  }

  // The rate is held where the motion's scale changes tenfold on the way, and keys come where it
  // moves.
  @Test func theRateIsHeldAndKeysComeWhereThingsMove() throws {
    var draws = Draws(seed: 3)
    let motion = (0..<3000).map { index in
      let base: Float = index % 50 < 10 ? 8 : 0.5
      return base * (index < 1500 ? 1 : 10) * Float.random(in: 0.8...1.2, using: &draws)
    }
    let drawing = Array(
      try drawn(TargetRateScheduler(MotionMagnitude(), rate: 0.1), frames: 3000, motion: motion))
    #expect((270...330).contains(drawing.count { $0 == "K" }))
    let moving = drawing.indices.filter { $0 % 50 < 11 && drawing[$0] == "K" }.count
    #expect(moving > 150)
  }

  // Keys take 90 ms, others 10: 26 ms on average are one key in five.
  @Test func aLatencyIsHeldByTheRateThatItLeavesRoomFor() throws {
    let times = (keyframe: Duration.milliseconds(90), propagated: Duration.milliseconds(10))
    let pixels = frame(0) { _, _ in 0 }.pixels
    var scheduler = TargetRateScheduler(MotionMagnitude(), target: .latency(.milliseconds(26)))
    var (key, keys) = (0, 1)
    for index in 1..<1000 {
      let moved = MotionField(
        width: 16, height: 8,
        displacements: (0..<128).flatMap { _ in [Float(index - key), 0] as [Float] })
      let context = context(
        Frame(index: index, time: 0, pixels: pixels),
        key: Frame(index: key, time: 0, pixels: pixels),
        motion: moved, usualTimes: index > 10 ? times : nil)
      guard try scheduler.decision(at: context).role == .key else { continue }
      (key, keys) = (index, keys + 1)
    }
    #expect(abs(keys - 200) < 10, "\(keys)")
  }

  // A wrapper makes every tenth frame key besides: the share stays that asked for, all keys counted
  // once.
  @Test func keysThatAreForcedCountOnce() throws {
    struct Forced: KeyframeScheduler {
      var base: any KeyframeScheduler
      mutating func decision(at context: FrameContext) throws -> Decision {
        let decision = try base.decision(at: context)
        let isForced = context.frame.index % 10 == 0
        return isForced ? Decision(.key, because: Reason("forced")) : decision
      }
    }
    let scheduler = Forced(base: TargetRateScheduler(MotionMagnitude(), rate: 0.3))
    let drawing = try drawn(scheduler, frames: 2000, motion: .init(repeating: 3, count: 2000))
    #expect(abs(keys(drawing) - 600) < 20, "\(keys(drawing))")
  }

  @Test func aStillHasNoKeysAndIsFollowedByNoBurst() throws {
    let motion: [Float] =
      .init(repeating: 2, count: 200) + .init(repeating: 0, count: 600)
      + .init(repeating: 2, count: 200)
    let drawing = Array(
      try drawn(TargetRateScheduler(MotionMagnitude(), rate: 0.1), frames: 1000, motion: motion))
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
    #expect(brokenLaws(of: RandomKeyframes(rate: 0.3)) == [])
  }
}

struct GivenKeysTests {
  @Test func keysAreWhereTheyAreGiven() throws {
    #expect(try drawn(ExplicitKeyframes([2, 3, 6]), frames: 8) == "K.KK..K.")
    #expect(brokenLaws(of: ExplicitKeyframes([1, 5])) == [])
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
    let best = optimalKeyframes(count, ofFrames: frames, score: score)
    #expect(best.keys.count == count && best.keys.first == 0)
    #expect(abs(best.total - (all.map(total).max() ?? 0)) < 1e-9)
    #expect(abs(total(best.keys) - best.total) < 1e-9)
  }
}

struct ShotChangeTests {
  private func role(
    _ scheduler: inout ShotChange, _ frame: Frame, key: Frame
  ) throws -> FrameRole {
    let context = context(frame, key: key)
    return try scheduler.decision(at: context).role
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
    #expect(brokenLaws(of: ShotChange(ThresholdScheduler.whenMoved(pixels: 4))) == [])
  }

  @Test func whatTheCodecCodedOnItsOwnIsKey() throws {
    let types: [PictureType] = [.intra, .predicted, .predicted, .intra, .predicted, .bidirectional]
    let pixels = Image(width: 2, height: 2, channels: 3, repeating: 0)
    let scheduler = CodecKeyframes(longest: 2)
    var (key, drawing) = (0, "K")
    for index in 1..<6 {
      let context = context(
        Frame(index: index, time: 0, pixels: pixels, pictureType: types[index]),
        key: Frame(index: key, time: 0, pixels: pixels))
      let isKey = scheduler.decision(at: context).role == .key
      if isKey { key = index }
      drawing += isKey ? "K" : "."
    }
    #expect(drawing == "K.KK.K")
    #expect(try drawn(CodecKeyframes(), frames: 5) == "K....")
  }
}

struct KeyBudgetTests {
  /// Wants a key wherever its turn in a random order says so.
  struct Greedy: KeyframeScheduler {
    let wish: Double
    func decision(at context: FrameContext) -> Decision {
      var draws = Draws(seed: UInt64(context.frame.index))
      let wants = Double.random(in: 0...1, using: &draws) < wish
      return Decision(wants ? .key : .propagated, because: Reason("drawn"))
    }
  }

  @Test(arguments: [0, 0.1, 0.25, 1.0 / 3, 0.7, 1], [0.05, 0.5, 1])
  func theBudgetIsNeverExceeded(share: Double, wish: Double) throws {
    for saved in [1, 3.0] {
      let budget = BudgetedScheduler(Greedy(wish: wish), share: share, saved: saved)
      let isKey = Array(try drawn(budget, frames: 200)).dropFirst().map { $0 == "K" }
      for length in [1, 7, 50, 199] {
        for start in 0...(199 - length) {
          let keys = isKey[start..<start + length].count { $0 }
          #expect(Double(keys) <= share * Double(length) + saved + 1e-6)
        }
      }
      let keys = isKey.count { $0 }
      #expect(Double(keys) <= share * 199 + 1e-6)
      // Whoever always wants one gets all there are.
      if wish == 1 && saved > 1 { #expect(keys == Int(share * 199 + 1e-6)) }
    }
  }

  @Test func whatIsNotWantedIsSavedUp() throws {
    // Nothing for twenty frames, then all that there is: two saved, and then one in four.
    let motion: [Float] = .init(repeating: 0, count: 20) + .init(repeating: 9, count: 12)
    let budget = BudgetedScheduler(ThresholdScheduler.whenMoved(pixels: 5), share: 0.25, saved: 2)
    let drawing = try drawn(budget, frames: 32, motion: motion)
    #expect(drawing == "K..................." + "KK..K...K...")
    #expect(brokenLaws(of: budget) == [])
  }
}

struct BudgetedLadderTests {
  private func scales(
    _ ladder: BudgetedResolution, frames: Int, motion: @escaping (Int) -> Float = { _ in 0 }
  ) throws -> [Double?] {
    var ladder = ladder
    let pixels = frame(0) { _, _ in 0 }.pixels
    return try (1...frames).map { index in
      let moved = MotionField(
        width: 2, height: 1, displacements: [motion(index), 0, motion(index), 0])
      let context = context(
        Frame(index: index, time: 1, pixels: pixels),
        key: Frame(index: 0, time: 0, pixels: pixels), motion: moved)
      let decision = try ladder.decision(at: context)
      return decision.role == .key ? decision.scale : nil
    }
  }

  @Test(arguments: [0.02, 0.1, 1.0 / 3, 1], [0.05, 0.5, 1])
  func theWorkIsNeverMoreThanTheBudget(share: Double, wish: Double) throws {
    let ladder = BudgetedResolution(
      KeyBudgetTests.Greedy(wish: wish), scales: [0.5, 1, 0.7], share: share, saved: 1.5)
    let work = try scales(ladder, frames: 200).map { ($0 ?? 0) * ($0 ?? 0) }
    for length in [1, 7, 50, 200] {
      for start in 0...(200 - length) {
        let spent = work[start..<start + length].reduce(0, +)
        #expect(spent <= share * Double(length) + 1.5 + 1e-6)
      }
    }
    #expect(work.reduce(0, +) <= share * 200 + 1e-6)
  }

  @Test func whatWasSavedUpBuysWholeKeysAndHasteSmallOnes() throws {
    // Still for twenty frames, then all in motion: two whole keys were saved up, then every other
    // frame buys a quarter.
    let ladder = BudgetedResolution(
      ThresholdScheduler.whenMoved(pixels: 5), scales: [0.5, 1], share: 0.125)
    let found = try scales(ladder, frames: 28) { $0 > 20 ? 9 : 0 }
    #expect(found.prefix(20).allSatisfy { $0 == nil })
    #expect(found.suffix(8) == [1, 1, 0.5, nil, 0.5, nil, 0.5, nil])
    #expect(brokenLaws(of: ladder) == [])
  }
}

struct KeyMannerTests {
  @Test func theBasesKeysAreComputedInTheBackground() throws {
    var scheduler = BackgroundRefresh(FixedInterval(every: 1), frames: 3)
    let pixels = frame(0) { _, _ in 0 }.pixels
    let context = context(
      Frame(index: 1, time: 1, pixels: pixels), key: Frame(index: 0, time: 0, pixels: pixels))
    let decision = try scheduler.decision(at: context)
    #expect(decision.role == .key && decision.refresh == .background(frames: 3))
    #expect(brokenLaws(of: scheduler) == [])
  }

  @Test func shallowStagesRunOnceTheirIntervalHasPassed() throws {
    let pixels = frame(0) { _, _ in 0 }.pixels
    for (since, kind) in [(1, PropagatedKind.scores), (2, .scores), (3, .features), (4, .features)]
    {
      var scheduler = BackgroundRefresh(
        ShallowClock(FixedInterval(every: 9), every: 3), frames: 1)
      let context = FrameContext(
        frame: Frame(index: 5, time: 1, pixels: pixels),
        keyframe: Frame(index: 0, time: 0, pixels: pixels), framesSinceKeyframe: 5,
        framesSinceScores: since, from: GivenAnswers())
      let decision = try scheduler.decision(at: context)
      #expect(decision.role == .propagated && decision.propagated == kind)
      #expect(brokenLaws(of: scheduler) == [])
    }
  }

  @Test func middleStagesRunOnceTheirIntervalHasPassed() throws {
    let pixels = frame(0) { _, _ in 0 }.pixels
    for (since, isRun) in [(1, false), (2, false), (3, true), (4, true)] {
      var scheduler = ShallowClock(
        MiddleClock(FixedInterval(every: 9), through: "layer3", every: 3), every: 9)
      let context = FrameContext(
        frame: Frame(index: 5, time: 1, pixels: pixels),
        keyframe: Frame(index: 0, time: 0, pixels: pixels), framesSinceKeyframe: 5,
        framesSinceScores: 1, framesSinceRefresh: since, from: GivenAnswers())
      let decision = try scheduler.decision(at: context)
      #expect(decision.role == .propagated && decision.refreshed == (isRun ? "layer3" : nil))
      #expect(decision.propagated == (isRun ? .features : .scores))
      #expect(brokenLaws(of: scheduler) == [])
    }
  }

  @Test func allButEveryNthKeyAreOfASmallerPicture() throws {
    var scheduler = AlternatingResolution(FixedInterval(every: 1), scale: 0.5, fullEvery: 3)
    let pixels = frame(0) { _, _ in 0 }.pixels
    let scales = try (1...7).map { index in
      let context = context(
        Frame(index: index, time: 1, pixels: pixels), key: Frame(index: 0, time: 0, pixels: pixels))
      return try scheduler.decision(at: context).scale
    }
    #expect(scales == [0.5, 0.5, 1, 0.5, 0.5, 1, 0.5])
    #expect(brokenLaws(of: scheduler) == [])
  }
}

struct ObjectScoreTests {
  private func score(_ measure: ObjectScore.Measure, _ change: ObjectChange?) throws -> Double? {
    let key = frame(0) { x, _ in UInt8(x) }
    return try ObjectScore(measure).score(
      at: FrameContext(
        frame: frame(2) { x, _ in UInt8(x) }, keyframe: key, framesSinceKeyframe: 2,
        from: GivenAnswers(objects: { change })))
  }

  @Test func eachMeasureIsItsOwnFigure() throws {
    let change = ObjectChange(brightness: 7, spread: 0.25, leaving: 0.5, unsupported: 1.5)
    #expect(
      try ObjectScore.Measure.allCases.map { try score($0, change) } == [7, 0.25, 0.5, 1.5])
  }

  @Test func withoutObjectsNothingChangesAndWithoutPicturesNothingIsTold() throws {
    for measure in ObjectScore.Measure.allCases { #expect(try score(measure, nil) == 0) }
    let change = ObjectChange(brightness: nil, spread: 0, leaving: 0, unsupported: 0)
    #expect(try score(.brightness, change) == nil)
  }

  @Test func aContextAsksOnce() throws {
    var asked = 0
    let key = frame(0) { x, _ in UInt8(x) }
    let context = FrameContext(
      frame: key, keyframe: key, framesSinceKeyframe: 1,
      from: GivenAnswers(objects: {
        asked += 1
        return nil
      }))
    _ = try (context.objectChange(), context.objectChange())
    #expect(asked == 1)
  }

  @Test func noPipelineButOneThatPropagatesBoxesTells() throws {
    let key = frame(0) { x, _ in UInt8(x) }
    #expect(throws: NotAtHand.self) {
      try ObjectScore(.spread).score(at: context(key, key: key))
    }
  }
}

struct WithinTests {
  @Test func aKeyFrameComesAtTheLatestThen() throws {
    func drawing(_ interval: Int, frames: Int) throws -> String {
      try drawn(LongestInterval(FixedInterval(every: interval), frames: 3), frames: frames)
    }
    #expect(try drawing(100, frames: 8) == "K..K..K.")
    #expect(try drawing(2, frames: 7) == "K.K.K.K")
  }
}
