// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Foundation
import Tensors
import TestSupport
import Testing

/// Scores mixed with earlier ones where the pictures agree, against a loop over a slow warp.
struct MixedScoresTests {
  @Test(arguments: [1, 3, 7, 8, 11, 19, 4097], [false, true])
  func scoresAreMixedAsALoopMixesThem(channels: Int, channelsLast: Bool) throws {
    for (height, width) in channels > 100 ? [(2, 3)] : [(1, 1), (5, 9), (17, 61), (3, 700)] {
      for hasHoles in [false, true] {
        let one = Mixture(channels: channels, height: height, width: width, hasHoles: hasHoles)
        let found = try one.mixed(channelsLast: channelsLast).contiguous().floats()
        #expect(
          found.furthest(from: one.wanted()) < 2e-5, "\(height)×\(width), holes: \(hasHoles)")
      }
    }
  }

  @Test func withGradientsItIsTheSame() throws {
    let one = Mixture(channels: 11, height: 5, width: 9, hasHoles: true)
    let (own, before) = try (
      one.own.tensor.requiringGradient(), one.before.tensor.requiringGradient()
    )
    let mixed = try one.mixed(own, before)
    #expect(try mixed.floats().furthest(from: one.wanted()) < 2e-5)
    let gradients = try gradients(of: mixed.sum(), withRespectTo: [own, before])
    // All of what is mixed is kept: what the two receive adds up to what the result holds.
    let sum = try gradients[0].sum().item() + gradients[1].sum().item()
    #expect(abs(sum - Float(one.own.features.count)) < 1e-2)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let one = Mixture(channels: 3, height: 4, width: 5, hasHoles: false)
    let other = Mixture(channels: 3, height: 4, width: 6, hasHoles: false)
    for (before, picture) in [(other.before, one.here), (one.before, other.here)] {
      let error = try #require(throws: TensorError.self) {
        try one.own.tensor.mixed(
          with: before.tensor, along: one.own.motionTensor(), here: picture.tensor,
          there: one.there.tensor, weight: 0.5, tolerance: 10)
      }
      #expect(error.code == .badShape)
    }
    for (weight, tolerance) in [(1.5, 10.0), (-0.1, 10), (.nan, 10), (0.5, 0)] {
      let error = try #require(throws: TensorError.self) {
        try one.mixed(one.own.tensor, one.before.tensor, weight: weight, tolerance: tolerance)
      }
      #expect(error.code == .badArgument)
    }
  }
}

/// Scores, earlier ones, and pictures of both; the motion is that of the first.
private struct Mixture {
  var own: WarpCase, before: WarpCase, here: WarpCase, there: WarpCase

  init(channels: Int, height: Int, width: Int, hasHoles: Bool) {
    func made(_ channels: Int, reach: Float, seed: UInt64) -> WarpCase {
      WarpCase(channels: channels, height: height, width: width, reach: reach, seed: seed)
    }
    (own, before) = (made(channels, reach: 3, seed: 1), made(channels, reach: 0, seed: 2))
    (here, there) = (made(3, reach: 0, seed: 3), made(3, reach: 0, seed: 4))
    for at in here.features.indices {
      here.features[at] = 128 + 40 * here.features[at]
      there.features[at] = 128 + 40 * there.features[at]
    }
    // Runs of whole and of half-whole steps, as a codec's blocks have them.
    for cell in 0..<(height * width) where cell % 50 < 30 {
      own.motion[2 * cell] = 1
      own.motion[2 * cell + 1] = cell % 50 < 15 ? -1 : 0.5
    }
    if hasHoles { own.known = (0..<(height * width)).map { $0 % 7 == 2 ? 0 : 1 } }
  }

  func mixed(channelsLast: Bool) throws -> Tensor {
    try mixed(
      own.featureTensor(channelsLast: channelsLast), before.featureTensor(channelsLast: false))
  }

  func mixed(
    _ own: Tensor, _ before: Tensor, weight: Double = 0.6, tolerance: Double = 30
  ) throws -> Tensor {
    try own.mixed(
      with: before, along: self.own.motionTensor(), known: self.own.knownTensor(),
      here: here.tensor, there: there.tensor, weight: weight, tolerance: tolerance)
  }

  func wanted() -> [Float] {
    func carried(_ one: WarpCase) -> [Float] {
      referenceWarp(
        features: one.features, channels: one.channels, height: one.height, width: one.width,
        motion: own.motion, border: .clamp, known: own.known)
    }
    let (earlier, picture) = (carried(before), carried(there))
    let cells = own.height * own.width
    return own.features.indices.map { at in
      let cell = at % cells
      let change = (0..<3).reduce(0.0) {
        $0 + Double(abs(here.features[$1 * cells + cell] - picture[$1 * cells + cell])) / 3
      }
      let gate = own.known?[cell] == 0 ? 0 : 0.6 * exp(-change / 30)
      let mine = Double(own.features[at])
      return Float(mine + gate * (Double(earlier[at]) - mine))
    }
  }
}

extension WarpCase {
  fileprivate var tensor: Tensor { get throws { try featureTensor(channelsLast: false) } }
}
