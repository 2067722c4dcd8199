// SPDX-License-Identifier: Apache-2.0

import Backbone
import Flow
import Frames
import Layers
import Scheduler
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct LearnedDeviationTests {
  private func changeScore(_ sight: LearnedChangeScore.Sight = .motion, channels: Int = 6) throws
    -> LearnedChangeScore
  {
    try LearnedChangeScore(sight, channels: channels, width: 4, parameters: Parameters(seed: 5))
  }

  /// A frame of 32 × 24 pixels.
  private func frame(_ index: Int, seed: UInt64) -> Frame {
    var draws = Draws(seed: seed)
    let bytes = (0..<32 * 24 * 3).map { _ in UInt8.random(in: 0...255, using: &draws) }
    return Frame(
      index: index, time: Double(index) / 25,
      pixels: Image(width: 32, height: 24, channels: 3, bytes: bytes))
  }

  private func context(
    _ frame: Frame, key: Frame, motion: MotionField, here: Tensor? = nil, there: Tensor? = nil
  ) -> FrameContext {
    FrameContext(
      frame: frame, keyframe: key, framesSinceKeyframe: 1,
      from: GivenAnswers(
        flow: { _ in motion }, features: { try #require($1 == .current ? here : there) }))
  }

  @Test func noChangeScoresNothingAndAnyOtherLessThanOne() throws {
    let key = frame(0, seed: 1), still = MotionField.zero(width: 32, height: 24)
    let same = context(Frame(index: 1, time: 1, pixels: key.pixels), key: key, motion: still)
    #expect(try changeScore().score(at: same) == 0)
    let other = context(frame(1, seed: 2), key: key, motion: still)
    let score = try #require(try changeScore().score(at: other))
    #expect(score > 0 && score < 1)

    let features = try Tensor.normal([1, 3, 12, 16], seed: 1)
    let sight = LearnedChangeScore.Sight.features(after: "stem")
    let equal = context(key, key: key, motion: still, here: features, there: features)
    #expect(try changeScore(sight, channels: 3).score(at: equal) == 0)
    let changed = context(
      key, key: key, motion: still, here: features, there: try .normal([1, 3, 12, 16], seed: 2))
    #expect(try #require(try changeScore(sight, channels: 3).score(at: changed)) > 0)
  }

  @Test func whatCannotBeToldIsNotScored() throws {
    let cut = context(
      frame(1, seed: 2), key: frame(0, seed: 1), motion: .unknown(width: 32, height: 24))
    #expect(try changeScore().score(at: cut) == nil)
  }

  // Each channel at one place, beside what a loop makes of the pictures: the cell to the right of
  // the key's, but where the motion is unknown.
  @Test func theChangeIsWhatTheMotionDoesNotExplain() throws {
    let key = try Tensor.uniform([1, 3, 2, 3], in: 0..<255, seed: 3)
    let frame = try Tensor.uniform([1, 3, 2, 3], in: 0..<255, seed: 4)
    let motion = try Tensor(
      [1, 1, 0, 1, 1, 0] + [Float](repeating: 0, count: 6), shape: [1, 2, 2, 3])
    let known = try Tensor([1, 1, 1, 1, 0, 1] as [UInt8], shape: [1, 2, 3])
    let change = try LearnedChangeScore.change(from: key, to: frame, along: motion, known: known)
      .floats()
    let (before, now) = (try key.floats(), try frame.floats())
    let sources: [Int?] = [1, 2, 2, 4, nil, 5]
    for channel in 0..<3 {
      for cell in 0..<6 {
        var expected: Float = 0
        if let from = sources[cell] {
          expected = (now[6 * channel + cell] - before[6 * channel + from]) / 64
        }
        #expect(abs(change[6 * channel + cell] - expected) < 1e-5)
      }
    }
    #expect(change[18..<24] == [0.25, 0.25, 0, 0.25, 0.25, 0])
    #expect(change[30..<36] == [0, 0, 0, 0, 1, 0])
  }

  @Test func specificationsAreReadAndRefused() throws {
    let text = "name: a\nbackbone: ../b\nchange_score: {kind: features, after: stem, channels: 8}\n"
    let specification = try ChangeScoreSpecification(yaml: text, folder: "Models/a")
    #expect(specification.backbone == "Models/a/../b" && specification.flow == "dis:medium")
    #expect(specification.sight == .features(after: "stem") && specification.width == 8)
    for (wrong, part) in [
      ("kind: motion, after: stem", "after"), ("kind: guess", "kind"), ("kind: features", "after"),
      ("kind: motion, channels: 0", "channels"),
    ] {
      let error = try #require(throws: SpecificationError.self) {
        try ChangeScoreSpecification(
          yaml: "name: a\nbackbone: b\nchange_score: {\(wrong)}", folder: "")
      }
      #expect(error.message.contains(part), "\(error.message)")
    }
  }
}
