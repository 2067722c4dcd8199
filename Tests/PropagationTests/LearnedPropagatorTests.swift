// SPDX-License-Identifier: Apache-2.0

import Flow
import Foundation
import Frames
import Layers
import Propagation
import Tensors
import TestSupport
import Testing

/// Tensors that a propagator is given, as parts of one trial.
private struct Trial {
  let height = 6, width = 7
  var motion: Tensor
  var pictures: [Side: Tensor] = [:]
  var features: [Side: Tensor] = [:]

  enum Side: CaseIterable { case current, reference }
  let stages = ["early", "middle", "between", "tap"]

  init(moving displacement: (Float, Float) = (0, 0)) throws {
    let planes = [displacement.0, displacement.1].flatMap { [Float](repeating: $0, count: 42) }
    motion = try Tensor(planes, shape: [1, 2, 6, 7])
  }

  var context: FrameContext {
    FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { _, _, _ in (motion, nil) },
        image: { try #require(pictures[$0 == .current ? .current : .reference]) },
        features: { try #require(features[$1 == .current ? .current : .reference]) },
        // Stages between are three times the map and one more, each.
        changedFeatures: { later, map, stage in
          let steps = (stages.firstIndex(of: later) ?? 0) - (stages.firstIndex(of: stage) ?? 0)
          return try (0..<steps).reduce(map) { map, _ in try map * 3 + 1 }
        }))
  }
}

private func random(_ shape: Shape, seed: UInt64, in range: ClosedRange<Float> = -1...1) throws
  -> Tensor
{
  var draws = Draws(seed: seed)
  return try Tensor(draws.floats(shape.dimensions.reduce(1, *), in: range), shape: shape)
}

extension Parameters {
  /// Puts other numbers in the place of a parameter's.
  fileprivate func set(_ name: String, _ values: (Tensor) throws -> Tensor) throws {
    let parameter = try #require(all.first { $0.name == name })
    try parameter.tensor.assign(values(parameter.tensor))
  }
}

/// Times `scale` at the middle of a kernel from each channel to itself, 0 elsewhere.
private func identity(_ channels: Int, size: Int, scale: Float) throws -> Tensor {
  var values = [Float](repeating: 0, count: channels * channels * size * size)
  for channel in 0..<channels {
    values[(channel * channels + channel) * size * size + size * size / 2] = scale
  }
  return try Tensor(values, shape: [channels, channels, size, size])
}

/// Whether gradients of all parameters are those of finite differences, at three places each.
private func gradientsAreDifferences(
  of parameters: Parameters, _ output: () throws -> Tensor
) throws {
  for parameter in parameters.all { try parameter.tensor.setRequiresGradient(true) }
  let weights = try random(output().shape, seed: 99)
  try (output() * weights).sum().backward()
  for parameter in parameters.all {
    let gradient = try #require(try parameter.tensor.gradient()).floats()
    let values = try parameter.tensor.detached().floats(), step: Float = 1e-2
    for at in Set([0, values.count / 2, values.count - 1]) {
      func sum(_ change: Float) throws -> Double {
        var changed = values
        changed[at] += change
        let other = try Tensor(changed, shape: parameter.tensor.shape)
        try withoutGradients { try parameter.tensor.assign(other) }
        let result = try zip(output().detached().floats(), weights.floats())
        return result.reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      let slope = try (sum(step) - sum(-step)) / Double(2 * step)
      _ = try sum(0)
      #expect(
        abs(slope - Double(gradient[at])) < 2e-2 * max(1, abs(slope)),
        "\(parameter.name)[\(at)]: \(gradient[at]), not \(slope)")
    }
  }
}

struct GatedRecurrenceTests {
  private let classes = 4

  private func unit() throws -> GatedRecurrence {
    try GatedRecurrence(
      classes: classes, scoresAfter: "scores", parameters: Parameters(seed: 2))
  }

  private func trial(moving displacement: (Float, Float) = (0, 0)) throws -> Trial {
    var trial = try Trial(moving: displacement)
    let picture = try random([1, 3, 6, 7], seed: 5)
    trial.pictures = [.current: picture, .reference: picture]
    trial.features = [.current: try random([1, 4, 6, 7], seed: 6, in: -3...3)]
    return trial
  }

  private func clearNoise(_ unit: GatedRecurrence) throws {
    for name in ["from_scores.weight", "from_state.weight"] {
      try unit.parameters.set(name) { _ in try identity(classes, size: 7, scale: 6) }
    }
    for name in ["reset.weight", "update_by_scores.weight", "update_by_state.weight"] {
      try unit.parameters.set(name) { try $0 * 0 }
    }
  }

  // By hand: z is a half, h̃ six times the sum of both, λ is 2.
  @Test func itBeginsAsAFixedMixture() throws {
    let (unit, trial) = (try unit(), try trial())
    try clearNoise(unit)
    let state = try random([1, 4, 6, 7], seed: 7, in: -3...3)
    let result = try unit.propagate(state, given: trial.context, in: .inference).floats()
    let own = try #require(trial.features[.current]).softmax(axis: 1) - 0.25
    let before = try state.softmax(axis: 1) - 0.25
    let expected = try (own * 3 + before * 4).floats()
    #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  // Where pictures do not fit, what was propagated is forgotten, and h is 6 z x̂.
  @Test func whatLooksOtherwiseIsForgotten() throws {
    let unit = try unit()
    var trial = try trial()
    try clearNoise(unit)
    try unit.parameters.set("reset.weight") { _ in try .full([1, 3, 7, 7], of: 10) }
    trial.pictures[.reference] = try #require(trial.pictures[.current]) + 50
    let state = try random([1, 4, 6, 7], seed: 7, in: -3...3)
    let result = try unit.propagate(state, given: trial.context, in: .inference).floats()
    let own = try (#require(trial.features[.current]).softmax(axis: 1) - 0.25) * 3
    #expect(try zip(result, own.floats()).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  // Outside the picture every class is as likely as any other: it adds nothing.
  @Test func whatComesFromOutsideAddsNothing() throws {
    let (unit, trial) = (try unit(), try trial(moving: (100, 0)))
    try clearNoise(unit)
    let state = try random([1, 4, 6, 7], seed: 7, in: -3...3)
    let own = try (#require(trial.features[.current]).softmax(axis: 1) - 0.25) * 3
    let result = try unit.propagate(state, given: trial.context, in: .inference).floats()
    #expect(try zip(result, own.floats()).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func itsGradientsAreDifferences() throws {
    let unit = try unit()
    var trial = try trial(moving: (0.3, -0.6))
    trial.pictures[.reference] = try random([1, 3, 6, 7], seed: 8)
    // Away from where the modulus has no derivative.
    try unit.parameters.set("reset.weight") { try $0 * 5 }
    try unit.parameters.set("reset.bias") { try $0 + 0.5 }
    let state = try random([1, 4, 6, 7], seed: 7, in: -3...3)
    try gradientsAreDifferences(of: unit.parameters) {
      try unit.propagate(state, given: trial.context, in: .inference)
    }
  }
}

struct TapBlendTests {
  private func trial() throws -> Trial {
    var trial = try Trial()
    for (index, side) in Trial.Side.allCases.enumerated() {
      trial.features[side] = try random([1, 5, 6, 7], seed: 20 + UInt64(index))
      trial.pictures[side] = try random(
        [1, 3, 12, 14], seed: 30 + UInt64(index), in: 0...255)
    }
    return trial
  }

  @Test func itBeginsAsTheFramesOwnFeatures() throws {
    let (trial, cached) = (try trial(), try random([1, 5, 6, 7], seed: 4))
    let blend = try NetWarpBlend(channels: 5, after: "tap", parameters: Parameters(seed: 1))
    #expect(
      try blend.propagate(cached, given: trial.context, in: .inference).floats()
        == trial.features[.current]?.floats())
    #expect(!blend.readsKeyframeDirectly)
  }

  @Test func halvesOfEqualFeaturesAreThese() throws {
    let trial = try trial()
    let blend = try NetWarpBlend(
      channels: 5, after: "tap", start: 0.5, refinesMotion: false, parameters: Parameters(seed: 1))
    let own = try #require(trial.features[.current])
    #expect(
      try blend.propagate(own, given: trial.context, in: .inference).floats() == own.floats())
  }

  @Test func theRefinerBeginsAsTheMotionItself() throws {
    let parameters = Parameters(seed: 3)
    let refiner = try MotionRefiner(in: parameters.root)
    try parameters.set("fusion.weight") { weight in
      let two = try identity(2, size: 3, scale: 1)
      return try .concatenate([.zeros([2, 2, 3, 3]), two], axis: 1)
    }
    let motion = try random([1, 2, 6, 7], seed: 9, in: -3...3)
    let pictures = try (1...2).map { try random([1, 3, 12, 14], seed: $0, in: 0...255) }
    let refined = try refiner(motion, pictures[0], pictures[1], in: .inference)
    #expect(try zip(refined.floats(), motion.floats()).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  // Each cell of a row was one cell further to the right in the frame before.
  @Test func severalTapsAreReadOneAfterTheOther() throws {
    var trial = try trial()
    trial.motion = try Trial(moving: (1, 0)).motion
    let blend = try NetWarpBlend(
      channels: 5, after: "tap",
      earlier: [.init("early", channels: 5), .init("middle", channels: 5)], start: 0.25,
      refinesMotion: false, parameters: Parameters(seed: 1))
    #expect(blend.keptStages == ["early", "middle"] && blend.parameters.all.count == 6)
    let before = try random([1, 5, 6, 7], seed: 4)
    func read(_ map: Tensor) throws -> [Float] {
      let values = try map.floats()
      return values.indices.map { $0 % 7 == 6 ? values[$0] : values[$0 + 1] }
    }
    func mixed(_ now: [Float], _ before: [Float]) -> [Float] {
      zip(now, before).map { 0.25 * $0 + 0.75 * $1 }
    }
    let now = try #require(trial.features[.current]).floats()
    let there = try read(#require(trial.features[.reference]))
    let early = mixed(now, there).map { 3 * $0 + 1 }
    let own = mixed(early, there).map { 3 * (3 * $0 + 1) + 1 }
    let expected = mixed(own, try read(before))
    let context = trial.context
    let given = try blend.propagate(before, given: context, in: .inference)
    for (value, wanted) in zip(try given.floats(), expected) { #expect(abs(value - wanted) < 1e-4) }
    // The next frame is given what was not blended at the last tap, asked in time or not.
    for context in [context, trial.context] {
      let next = try blend.next(after: before, propagated: given, given: context).floats()
      for (value, wanted) in zip(next, own) { #expect(abs(value - wanted) < 1e-4) }
    }
  }

  @Test func gradientsReachEarlierTaps() throws {
    let trial = try trial()
    let blend = try NetWarpBlend(
      channels: 5, after: "tap", earlier: [.init("early", channels: 5)], start: 0.5,
      parameters: Parameters(seed: 1))
    try blend.parameters.set("refiner.fusion.bias") { try $0 + 0.7 }
    let cached = try random([1, 5, 6, 7], seed: 4)
    try gradientsAreDifferences(of: blend.parameters) {
      try blend.propagate(cached, given: trial.context, in: .inference)
    }
  }

  @Test func itsGradientsAreDifferences() throws {
    let trial = try trial()
    let blend = try NetWarpBlend(
      channels: 5, after: "tap", start: 0.5, parameters: Parameters(seed: 1))
    // Away from whole cells, where the motion has no derivative.
    try blend.parameters.set("refiner.fusion.bias") { try $0 + 0.7 }
    let cached = try random([1, 5, 6, 7], seed: 4)
    try gradientsAreDifferences(of: blend.parameters) {
      try blend.propagate(cached, given: trial.context, in: .inference)
    }
  }
}

struct VariantConvolutionTests {
  private func trial() throws -> Trial {
    var trial = try Trial()
    for (index, side) in Trial.Side.allCases.enumerated() {
      trial.features[side] = try random([1, 4, 12, 14], seed: 40 + UInt64(index))
    }
    return trial
  }

  private func propagator(size: Int = 3) throws -> VariantConvolution {
    try VariantConvolution(
      channels: 4, after: "low", size: size, width: 6, parameters: Parameters(seed: 1))
  }

  @Test func itBeginsAsACopyButForAHundredth() throws {
    let cached = try random([1, 5, 6, 7], seed: 4)
    let propagated = try propagator(size: 5).propagate(
      cached, given: trial().context, in: .inference
    ).floats()
    let furthest = zip(propagated, try cached.floats()).map { abs($0 - $1) }.max() ?? 1
    #expect(furthest > 0 && furthest < 0.06)
  }

  @Test(arguments: [0.2, 0.99]) func theCentreHasItsShareAtFirst(share: Double) throws {
    let propagator = try VariantConvolution(
      channels: 4, after: "low", size: 5, width: 6, centre: share, parameters: Parameters(seed: 1))
    let kernels = try propagator.kernels(
      given: trial().context, like: .zeros([1, 1, 6, 7]), in: .inference
    ).floats()
    for place in 0..<42 {
      for tap in 0..<25 {
        let expected = tap == 12 ? share : (1 - share) / 24
        #expect(abs(Double(kernels[tap * 42 + place]) - expected) < 1e-5)
      }
    }
  }

  // The adaptor's last convolution is nothing before training; then it adds what it says.
  @Test func whatTheFrameTellsIsAdded() throws {
    let parameters = Parameters(seed: 1)
    let adaptor = try IndependentFusion(
      channels: 5, after: "low", giving: 4, stride: 2, width: 3, parameters: parameters,
      in: parameters.root["adaptor"])
    let adapted = try VariantConvolution(
      channels: 4, after: "low", size: 3, width: 6, adaptor: adaptor, parameters: parameters)
    let cached = try random([1, 5, 6, 7], seed: 4)
    let plain = try propagator().propagate(cached, given: trial().context, in: .inference).floats()
    func found() throws -> [Float] {
      try adapted.propagate(cached, given: trial().context, in: .inference).floats()
    }
    #expect(try found() == plain)
    try parameters.set("adaptor.change.bias") { _ in try .full([5], of: 2) }
    #expect(try zip(found(), plain).allSatisfy { abs($0 - $1 - 2) < 1e-5 })
  }

  @Test func aConstantStaysToTheEdge() throws {
    let propagator = try propagator(size: 5)
    try propagator.parameters.set("kernels.weight") { try random($0.shape, seed: 8) }
    let propagated = try propagator.propagate(
      .full([1, 5, 6, 7], of: 0.7), given: trial().context, in: .inference
    ).floats()
    #expect(propagated.allSatisfy { abs($0 - 0.7) < 1e-5 })
  }

  // A kernel that is all at the right of the upper row reads one up and one to the right.
  @Test func aKernelOfOneTapShifts() throws {
    let propagator = try propagator()
    try propagator.parameters.set("kernels.bias") { _ in
      try Tensor([0, 0, 1000, 0, 0, 0, 0, 0, 0] as [Float], shape: [9])
    }
    let cached = try random([1, 5, 6, 7], seed: 4)
    let (propagated, values) = (
      try propagator.propagate(cached, given: trial().context, in: .inference).floats(),
      try cached.floats()
    )
    for channel in 0..<5 {
      for y in 1..<6 {
        for x in 0..<6 {
          let at = (channel * 6 + y) * 7 + x
          #expect(propagated[at] == values[at - 7 + 1])
        }
      }
    }
  }

  @Test func itsGradientsAreDifferences() throws {
    let (propagator, trial) = (try propagator(), try trial())
    try propagator.parameters.set("kernels.weight") { try random($0.shape, seed: 8) }
    let cached = try random([1, 5, 6, 7], seed: 4)
    try gradientsAreDifferences(of: propagator.parameters) {
      try propagator.propagate(cached, given: trial.context, in: .inference)
    }
  }
}

struct DisplacedConvolutionTests {
  private func trial(moving displacement: (Float, Float) = (0, 0)) throws -> Trial {
    var trial = try Trial(moving: displacement)
    for (index, side) in Trial.Side.allCases.enumerated() {
      trial.pictures[side] = try random(
        [1, 3, 12, 14], seed: 50 + UInt64(index), in: 0...255)
    }
    return trial
  }

  // 0.99 each way, and the rest from neighbours no further than 2 away.
  @Test func itBeginsAsAWarpButForAFiftieth() throws {
    let trial = try trial(moving: (1.5, -0.25))
    let propagator = try DisplacedConvolution(size: 5, width: 4, parameters: Parameters(seed: 1))
    let cached = try random([1, 5, 6, 7], seed: 4)
    let propagated = try propagator.propagate(cached, given: trial.context, in: .inference).floats()
    let warped = try cached.warped(along: trial.motion).floats()
    let furthest = zip(propagated, warped).map { abs($0 - $1) }.max() ?? 1
    #expect(furthest > 0 && furthest < 0.04)
  }

  // A correction of one cell to the right, and kernels that are all at one place.
  @Test func aCorrectionAndKernelsOfOneTapShift() throws {
    let propagator = try DisplacedConvolution(size: 3, width: 4, parameters: Parameters(seed: 1))
    try propagator.parameters.set("correction.bias") { _ in
      try Tensor([1, 0] as [Float], shape: [2])
    }
    // Rows: the one below. Columns: the one to the right.
    try propagator.parameters.set("kernels.bias") { _ in
      try Tensor([0, 0, 1000, 0, 0, 1000] as [Float], shape: [6])
    }
    let cached = try random([1, 5, 6, 7], seed: 4)
    let propagated = try propagator.propagate(cached, given: trial().context, in: .inference)
      .floats()
    let values = try cached.floats()
    for channel in 0..<5 {
      for y in 0..<5 {
        for x in 0..<5 {
          let at = (channel * 6 + y) * 7 + x
          #expect(abs(propagated[at] - values[at + 7 + 2]) < 1e-5)
        }
      }
    }
  }

  @Test func itsGradientsAreDifferences() throws {
    // Away from whole cells, where the motion has no derivative.
    let trial = try trial(moving: (0.4, -0.3))
    let propagator = try DisplacedConvolution(size: 3, width: 4, parameters: Parameters(seed: 1))
    for name in ["correction.weight", "kernels.weight"] {
      try propagator.parameters.set(name) { try random($0.shape, seed: 8, in: -0.02...0.02) }
    }
    let cached = try random([1, 5, 6, 7], seed: 4)
    try gradientsAreDifferences(of: propagator.parameters) {
      try propagator.propagate(cached, given: trial.context, in: .inference)
    }
  }
}

struct ScaledWarpTests {
  private let flow = FlowNetSpecification(width: 0.05, finest: 2)

  private func context(_ current: Tensor, _ reference: Tensor) -> FrameContext {
    FrameContext(
      ofBatch: 1, from: GivenAnswers(image: { $0 == .current ? current : reference }))
  }

  private func pictures() throws -> FrameContext {
    try context(
      random([1, 3, 64, 96], seed: 1, in: 0...255), random([1, 3, 64, 96], seed: 2, in: 0...255))
  }

  @Test func itBeginsAsAWarpAlongItsOwnFlow() throws {
    let warp = try ScaledWarp(channels: 5, flow: flow, parameters: Parameters(seed: 1))
    // Motions worth the name.
    try warp.parameters.set("flow.predict_flow2.weight") { try random($0.shape, seed: 3) }
    let context = try pictures(), cached = try random([1, 5, 16, 24], seed: 4)
    let steps = try warp.flow.steps(
      from: context.image(.current).scaled(by: flow.scaling),
      to: context.image(.keyframe).scaled(by: flow.scaling), in: .inference)
    let motion = try #require(steps.last?.levels.last)
    #expect(motion.stride == 4 && motion.motion.shape == [1, 2, 16, 24])
    #expect(try motion.motion.floats().contains { abs($0) > 1 })
    let expected = try cached.warped(along: motion.motion / 4)
    #expect(
      try warp.propagate(cached, given: context, in: .inference).floats() == expected.floats())
  }

  @Test func scalesMultiplyWhatIsCarried() throws {
    let warp = try ScaledWarp(channels: 5, flow: flow, parameters: Parameters(seed: 1))
    let context = try pictures(), cached = try Tensor.full([1, 5, 8, 12], of: 1)
    #expect(
      try warp.propagate(cached, given: context, in: .inference).floats().allSatisfy {
        abs($0 - 1) < 1e-5
      })
    try warp.parameters.set("scale.weight") { try random($0.shape, seed: 6) }
    let scaled = try warp.propagate(cached, given: context, in: .inference).floats()
    #expect(Set(scaled).count > 100)
  }

  @Test func theLossReachesTheFlowNetwork() throws {
    let warp = try ScaledWarp(channels: 5, flow: flow, parameters: Parameters(seed: 1))
    for parameter in warp.parameters.all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(true)
    }
    let cached = try random([1, 5, 16, 24], seed: 4)
    try
      (warp.propagate(cached, given: pictures(), in: .inference) * random([1, 5, 16, 24], seed: 5))
      .sum().backward()
    for name in ["scale.weight", "flow.predict_flow2.weight", "flow.conv1.0.weight"] {
      let parameter = try #require(warp.parameters.all.first { $0.name == name })
      #expect(try #require(try parameter.tensor.gradient()).floats().contains { $0 != 0 })
    }
  }
}

struct DifferenceConvolutionTests {
  private func context(change: Float = 0) throws -> FrameContext {
    let picture = try random([1, 3, 12, 14], seed: 60, in: 0...200)
    let other = try picture + change
    return FrameContext(
      ofBatch: 1, from: GivenAnswers(image: { $0 == .current ? other : picture }))
  }

  @Test func itBeginsAsTheKeysProbabilities() throws {
    let propagator = try DifferenceConvolution(classes: 4, parameters: Parameters(seed: 1))
    let cached = try random([1, 4, 6, 7], seed: 4, in: -3...3)
    let propagated = try propagator.propagate(
      cached, given: context(change: 20), in: .inference
    ).floats()
    let expected = try (cached.softmax(axis: 1) * 7).floats()
    #expect(zip(propagated, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func itSeesWhatChanged() throws {
    let propagator = try DifferenceConvolution(classes: 4, parameters: Parameters(seed: 1))
    try propagator.parameters.set("convolution.weight") { try random($0.shape, seed: 2) }
    let cached = try random([1, 4, 6, 7], seed: 4, in: -3...3)
    let propagated = try [0, 20].map {
      try propagator.propagate(
        cached, given: context(change: $0), in: .inference
      ).floats()
    }
    #expect(propagated[0] != propagated[1])
    try gradientsAreDifferences(of: propagator.parameters) {
      try propagator.propagate(cached, given: context(change: 20), in: .inference)
    }
  }
}
