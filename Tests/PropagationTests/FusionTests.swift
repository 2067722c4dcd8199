// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Foundation
import Frames
import Layers
import Propagation
import Synchronization
import Tensors
import TestSupport
import Testing

/// A branch that gives its pictures' means over blocks of two, as many channels as wanted.
private struct Halved: Branch {
  let channels: Int

  func features(of pictures: Tensor, in _: ForwardContext) throws -> Tensor {
    let half = try pictures.averagePool(2, stride: 2)
    return try .concatenate(
      (0..<channels).map { (channel) in
        try half.slice(axis: 1, channel % 3..<channel % 3 + 1) * Float(channel + 1)
      }, axis: 1)
  }
}

private func random(_ shape: Shape, seed: UInt64) throws -> Tensor {
  var draws = Draws(seed: seed)
  return try Tensor(draws.floats(shape.dimensions.reduce(1, *), in: -1...1), shape: shape)
}

private func context(_ picture: Tensor) -> FrameContext {
  FrameContext(ofBatch: 1, from: GivenAnswers(image: { _ in picture }))
}

/// A fusion guided by errors, with four classes, no motion, and pictures of 12 × 16.
private struct GuidedTrial {
  let fusion: ErrorGuidedFusion
  let propagated: Tensor, seen: Tensor
  let context: FrameContext

  init(changingCorner: Bool = false) throws {
    fusion = try ErrorGuidedFusion(
      classes: 4, with: Halved(channels: 4), width: 3, parameters: Parameters(seed: 1))
    propagated = try random([1, 4, 6, 8], seed: 2)
    let current = try (random([1, 3, 12, 16], seed: 3) + 1) * 60
    var corner = [Float](repeating: 0, count: 3 * 12 * 16)
    for channel in 0..<3 {
      for y in 0..<6 { for x in 0..<6 { corner[(channel * 12 + y) * 16 + x] = 64 } }
    }
    let reference =
      changingCorner ? try current - Tensor(corner, shape: [1, 3, 12, 16]) : current
    seen = try Halved(channels: 4).features(of: current, in: .inference)
    context = FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { (try .zeros([1, 2, $1, $2]), nil) },
        image: { $0 == .current ? current : reference }))
  }

  func errors() throws -> Tensor {
    try #require(fusion.fuseTellingErrors(propagated, given: context, in: .inference).errors)
  }
}

struct FusionTests {
  @Test func correctionBeginsAsWhatWasCarried() throws {
    let fusion = try CorrectiveFusion(
      classes: 4, with: Halved(channels: 4), parameters: Parameters(seed: 1))
    let propagated = try random([1, 4, 6, 8], seed: 2)
    let fused = try fusion(propagated, in: context(random([1, 3, 12, 16], seed: 3)))
    #expect(try fused.floats() == propagated.floats())
  }

  // A 1 × 1 convolution and an interpolation of each channel change places.
  @Test func fusingBeforeEnlargingIsFusingAfter() throws {
    let parameters = Parameters(seed: 1)
    let fusion = try CorrectiveFusion(
      classes: 4, with: Halved(channels: 4), start: .noise, parameters: parameters)
    let (propagated, picture) = (
      try random([1, 4, 6, 8], seed: 2), try random([1, 3, 12, 16], seed: 3)
    )
    let before = try fusion(propagated, in: context(picture)).resizedBilinear(
      height: 12, width: 16, grid: .halfPixel)
    func large(_ tensor: Tensor) throws -> Tensor {
      try tensor.resizedBilinear(height: 12, width: 16, grid: .halfPixel)
    }
    let seen = try large(Halved(channels: 4).features(of: picture, in: .inference))
    let weights = try #require(parameters.all.first { $0.name == "mixture.weight" }).tensor
    let after = try Tensor.concatenate([seen, large(propagated)], axis: 1).conv2d(weights)
    #expect(try zip(before.floats(), after.floats()).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  // A fiftieth: σ(-3.9) is 0.0198.
  @Test func guidanceBeginsAsWhatWasCarriedButForAFiftieth() throws {
    let trial = try GuidedTrial()
    let fused = try trial.fusion(trial.propagated, in: trial.context).floats()
    let (propagated, seen) = (try trial.propagated.floats(), try trial.seen.floats())
    let share = Float(1 / (1 + exp(3.9)))
    for at in propagated.indices {
      #expect(abs(fused[at] - propagated[at] - share * (seen[at] - propagated[at])) < 1e-4)
    }
  }

  @Test func whereAllIsWrongTheBranchIsTaken() throws {
    let trial = try GuidedTrial()
    for parameter in trial.fusion.parameters.all where parameter.name == "error.bias" {
      try parameter.tensor.assign(parameter.tensor + 100)
    }
    let fused = try trial.fusion(trial.propagated, in: trial.context).floats()
    #expect(try zip(fused, trial.seen.floats()).allSatisfy { abs($0 - $1) < 1e-5 })
    let errors = try trial.errors()
    #expect(errors.shape == [1, 1, 6, 8])
    #expect(try errors.floats().allSatisfy { $0 == 1 })
  }

  // Of pictures that differ in one corner alone, an error map that reads nothing but their
  // difference.
  @Test func errorsAreSeenWhereThePicturesDisagree() throws {
    let trial = try GuidedTrial(changingCorner: true)
    for parameter in trial.fusion.parameters.all {
      switch parameter.name {
      // The difference is the last three of 4 + 4 + 9 channels.
      case "features.weight":
        var weights = [Float](repeating: 0, count: parameter.tensor.count)
        for channel in 14..<17 { weights[channel * 9 + 4] = 1 }
        try parameter.tensor.assign(Tensor(weights, shape: parameter.tensor.shape))
      case "error.weight":
        var weights = [Float](repeating: 0, count: parameter.tensor.count)
        weights[4] = 10
        try parameter.tensor.assign(Tensor(weights, shape: parameter.tensor.shape))
      default: break
      }
    }
    let errors = try trial.errors().floats()
    for y in 0..<6 {
      for x in 0..<8 { #expect((errors[8 * y + x] > 0.9) == (x < 3 && y < 3), "\(x), \(y)") }
    }
  }

  // Where all around is alike, it does not matter what is found: the sum of both, but for the noise
  // that weights begin with, and that outside the picture is nothing.
  @Test func attentionBeginsAsTheSum() throws {
    let fusion = try CrossResolutionAttention(
      channels: 5, with: Halved(channels: 5), parameters: Parameters(seed: 1))
    let each = (0..<5).map { Float($0) - 2 }
    let propagated = try Tensor(
      each.flatMap { [Float](repeating: $0, count: 12 * 16) }, shape: [1, 5, 12, 16])
    let picture = try random([1, 3, 24, 32], seed: 3)
    let seen = try Halved(channels: 5).features(of: picture, in: .inference).floats()
    let found = try fusion(propagated, in: context(picture)).floats()
    for (channel, value) in each.enumerated() {
      for y in 4..<8 {
        for x in 4..<12 {
          let at = (channel * 12 + y) * 16 + x
          #expect(abs(found[at] - seen[at] - value) < 0.1 * abs(value) + 1e-6)
        }
      }
    }
  }

  // Queries that are nothing find everything alike: a mean over 49 places, those outside zero.
  @Test func attentionWithoutQuestionsIsAMean() throws {
    let parameters = Parameters(seed: 1)
    let fusion = try CrossResolutionAttention(
      channels: 2, with: Halved(channels: 2), parameters: parameters)
    for parameter in parameters.all {
      let isCentre = parameter.name == "value.weight"
      let kernel = (0..<18).map { isCentre && $0 % 9 == 4 ? Float(1) : 0 }
      try parameter.tensor.assign(
        parameter.tensor.count == 18
          ? Tensor(kernel, shape: [2, 1, 3, 3]) : .zeros(parameter.tensor.shape))
    }
    let (propagated, picture) = (
      try random([1, 2, 6, 8], seed: 2), try random([1, 3, 12, 16], seed: 3)
    )
    let found = try fusion(propagated, in: context(picture)).floats()
    let seen = try Halved(channels: 2).features(of: picture, in: .inference).floats()
    let values = try propagated.floats()
    for channel in 0..<2 {
      for y in 0..<6 {
        for x in 0..<8 {
          var sum: Float = 0
          for v in max(0, y - 3)...min(5, y + 3) {
            for u in max(0, x - 3)...min(7, x + 3) { sum += values[(channel * 6 + v) * 8 + u] }
          }
          let at = (channel * 6 + y) * 8 + x
          #expect(abs(found[at] - seen[at] - sum / 49) < 1e-5)
        }
      }
    }
  }

  // Its last convolution is nothing before training: what was copied, whatever the frame shows.
  @Test func independentPartBeginsAsTheCopy() throws {
    let fusion = try IndependentFusion(
      channels: 5, after: "early", giving: 3, stride: 2, width: 4, parameters: Parameters(seed: 1))
    let propagated = try random([1, 5, 6, 8], seed: 2)
    #expect(
      try fusion(propagated, in: early(random([1, 3, 12, 16], seed: 3))).floats()
        == propagated.floats())
  }

  // Every convolution passes its middle on: what is added is the early feature where it is above
  // zero, at each second place, and so is nothing of the frame's elsewhere.
  @Test func independentPartAddsWhatTheFrameShows() throws {
    let parameters = Parameters(seed: 1)
    let fusion = try IndependentFusion(
      channels: 1, after: "early", giving: 1, stride: 2, width: 1, parameters: parameters)
    for parameter in parameters.all where parameter.name.hasSuffix("weight") {
      let shape = parameter.tensor.shape
      guard shape.rank == 4 else { continue }
      var kernel = [Float](repeating: 0, count: parameter.tensor.count)
      kernel[4] = 1  // of the first input alone
      try parameter.tensor.assign(Tensor(kernel, shape: shape))
    }
    let (common, own) = (try random([1, 1, 6, 8], seed: 2), try random([1, 1, 12, 16], seed: 3))
    let fused = try fusion(common, in: early(own)).floats()
    let (before, seen) = (try common.floats(), try own.floats())
    for y in 0..<6 {
      for x in 0..<8 {
        // Normalisations begin with a variance of 1 and an epsilon of 1e-5.
        let expected = before[y * 8 + x] + max(0, seen[2 * y * 16 + 2 * x])
        #expect(abs(fused[y * 8 + x] - expected) < 1e-4)
      }
    }
  }
}

extension FusionTests {
  // With a part that tells something: nothing is added where the key frame's own features, brought
  // here, are the frame's; elsewhere the difference of what is told of the two.
  @Test func aPartThatComparesAddsWhatHasChanged() throws {
    let parameters = Parameters(seed: 1), alone = Parameters(seed: 1)
    let comparing = try IndependentFusion(
      channels: 5, after: "early", giving: 3, stride: 2, width: 4, compares: true,
      parameters: parameters)
    let telling = try IndependentFusion(
      channels: 5, after: "early", giving: 3, stride: 2, width: 4, parameters: alone)
    for (index, pair) in zip(parameters.all, alone.all).enumerated()
    where pair.0.name.hasSuffix("change.weight") || pair.0.name.hasSuffix("change.bias") {
      let values = try random(pair.0.tensor.shape, seed: UInt64(40 + index))
      try pair.0.tensor.assign(values)
      try pair.1.tensor.assign(values)
    }
    let common = try random([1, 5, 6, 8], seed: 2)
    let (key, now) = (try random([1, 3, 12, 16], seed: 3), try random([1, 3, 12, 16], seed: 4))
    // The whole picture moves by two cells of the early stage; what comes in is unknown.
    let shift = try Tensor.zeros([1, 2, 12, 16]) + Tensor([2, 0], shape: [1, 2, 1, 1])
    let moved = try key.warped(along: shift)
    func context(_ own: Tensor) -> FrameContext {
      FrameContext(
        ofBatch: 1,
        from: GivenAnswers(
          gridFlow: { _, _, _ in (shift, nil) },
          features: { _, side in side == .current ? own : key }))
    }
    #expect(comparing.keptStages == ["early"] && telling.keptStages.isEmpty)
    let still = try comparing(common, in: context(moved)).floats()
    #expect(zip(still, try common.floats()).allSatisfy { abs($0 - $1) < 1e-5 })
    let found = try comparing(common, in: context(now)).floats()
    let (told, before) = (
      try telling(common, in: early(now)).floats(), try telling(common, in: early(moved)).floats()
    )
    let rest = try common.floats()
    for index in found.indices {
      #expect(abs(found[index] - (rest[index] + told[index] - before[index])) < 1e-4)
    }
    #expect(zip(found, rest).contains { abs($0 - $1) > 0.01 })
  }
}

/// A frame of which only the features of an early stage can be asked for.
private func early(_ features: Tensor) -> FrameContext {
  FrameContext(ofBatch: 1, from: GivenAnswers(features: { _, _ in features }))
}

struct FusionLawsTests {
  private func maps(_ channels: Int) throws -> FeatureMaps {
    FeatureMaps(try random([1, channels, 8, 12], seed: 2), after: "map")
  }

  @Test func fusionsKeepTheLaws() throws {
    let fusions: [any Fusion] = [
      try IndependentFusion(
        channels: 4, after: "early", giving: 3, stride: 2, parameters: Parameters(seed: 1)),
      try CorrectiveFusion(
        classes: 4, with: Halved(channels: 4), start: .noise, parameters: Parameters(seed: 1)),
      try ErrorGuidedFusion(
        classes: 4, with: Halved(channels: 4), width: 3, parameters: Parameters(seed: 1)),
      try CrossResolutionAttention(
        channels: 4, with: Halved(channels: 4), parameters: Parameters(seed: 1)),
    ]
    for fusion in fusions { #expect(try brokenLaws(of: fusion, on: maps(4)) == []) }
  }

  @Test func theLawsFindWhatIsWrong() throws {
    #expect(try brokenLaws(of: Halving(), on: maps(2)) == ["sizes stay"])
    #expect(try brokenLaws(of: Renaming(), on: maps(2)).contains("stages stay"))
    #expect(try brokenLaws(of: Counting(), on: maps(2)) == ["same input, same output"])
  }
}

private struct Halving: Fusion {
  func callAsFunction(_ propagated: FeatureMaps, in _: FrameContext) throws -> FeatureMaps {
    try propagated.mapped { try $0.averagePool(2, stride: 2) }
  }
}

private struct Renaming: Fusion {
  func callAsFunction(_ propagated: FeatureMaps, in _: FrameContext) throws -> FeatureMaps {
    try FeatureMaps(propagated.only(), after: "other")
  }
}

/// Adds how often it was asked.
private final class Counting: Fusion {
  private let count = Atomic(0)

  func callAsFunction(_ propagated: FeatureMaps, in _: FrameContext) throws -> FeatureMaps {
    let asked = count.add(1, ordering: .relaxed).newValue
    return try propagated.mapped { try $0 + Float(asked) }
  }
}
