// SPDX-License-Identifier: Apache-2.0

import Layers
import Propagation
import Tensors
import TestSupport
import Testing

/// A branch that gives its pictures' means over blocks of two, as many channels as wanted.
private struct Halved: Branch {
  let channels: Int

  func scores(of pictures: Tensor, in _: Pass) throws(TensorError) -> Tensor {
    let half = try pictures.averagePool(2, stride: 2)
    return try .concatenate(
      (0..<channels).map { (channel) throws(TensorError) in
        try half.slice(axis: 1, channel % 3..<channel % 3 + 1) * Float(channel + 1)
      }, axis: 1)
  }
}

private func random(_ shape: Shape, seed: UInt64) throws -> Tensor {
  var draws = Draws(seed: seed)
  return try Tensor(draws.floats(shape.dimensions.reduce(1, *), in: -1...1), shape: shape)
}

private func evidence(_ picture: Tensor) -> Evidence {
  Evidence(motion: { _, _ in throw PropagationError("no motion here") }, picture: { _ in picture })
}

struct FusionTests {
  @Test func correctionBeginsAsWhatWasCarried() throws {
    let fusion = try CorrectiveFusion(
      classes: 4, with: Halved(channels: 4), parameters: Parameters(seed: 1))
    let carried = try random([1, 4, 6, 8], seed: 2)
    let fused = try fusion(carried, given: evidence(random([1, 3, 12, 16], seed: 3)))
    #expect(try fused.floats() == carried.floats())
  }

  // A 1 × 1 convolution and an interpolation of each channel change places.
  @Test func fusingBeforeEnlargingIsFusingAfter() throws {
    let parameters = Parameters(seed: 1)
    let fusion = try CorrectiveFusion(
      classes: 4, with: Halved(channels: 4), start: .noise, parameters: parameters)
    let (carried, picture) = (
      try random([1, 4, 6, 8], seed: 2), try random([1, 3, 12, 16], seed: 3)
    )
    let before = try fusion(carried, given: evidence(picture)).resizedBilinear(
      height: 12, width: 16, grid: .halfPixel)
    func large(_ tensor: Tensor) throws -> Tensor {
      try tensor.resizedBilinear(height: 12, width: 16, grid: .halfPixel)
    }
    let seen = try large(Halved(channels: 4).scores(of: picture, in: .inference))
    let weights = try #require(parameters.all.first { $0.name == "mixture.weight" }).tensor
    let after = try Tensor.concatenate([seen, large(carried)], axis: 1).conv2d(weights)
    #expect(try zip(before.floats(), after.floats()).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func attentionBeginsAsTheBranchAlone() throws {
    let fusion = try CrossResolutionAttention(
      channels: 5, with: Halved(channels: 5), parameters: Parameters(seed: 1))
    let (carried, picture) = (
      try random([1, 5, 6, 8], seed: 2), try random([1, 3, 12, 16], seed: 3)
    )
    let expected = try Halved(channels: 5).scores(of: picture, in: .inference)
    #expect(try fusion(carried, given: evidence(picture)).floats() == expected.floats())
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
    let (carried, picture) = (
      try random([1, 2, 6, 8], seed: 2), try random([1, 3, 12, 16], seed: 3)
    )
    let found = try fusion(carried, given: evidence(picture)).floats()
    let seen = try Halved(channels: 2).scores(of: picture, in: .inference).floats()
    let values = try carried.floats()
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
}
