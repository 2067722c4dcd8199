// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing

private let layouts = [false, true]

/// One displaced convolution to try; the kernels are N × k × H × W.
private struct Case: CustomStringConvertible {
  var features: Cells, motion: Cells, vertical: Cells, horizontal: Cells
  let weights: Cells

  /// Motion of up to `reach` cells that keeps away from whole ones, where derivatives jump.
  init(
    _ count: Int, _ channels: Int, _ height: Int, _ width: Int, size: Int, reach: Int, seed: UInt64
  ) {
    var draws = Draws(seed: seed)
    features = Cells(count, channels, height, width, in: -1...1, using: &draws)
    motion = Cells(count, 2, height, width, in: 0.1...0.9, using: &draws)
    motion.values = motion.values.map {
      Double(Float($0 + Double(Int.random(in: -reach..<reach, using: &draws))))
    }
    vertical = Cells(count, size, height, width, in: -1...1, using: &draws)
    horizontal = Cells(count, size, height, width, in: -1...1, using: &draws)
    weights = Cells(count, channels, height, width, in: -1...1, using: &draws)
  }

  var description: String { "\(features), \(vertical.channels) taps" }

  func result(_ border: Border, channelsLast: Bool, known: Tensor? = nil) throws -> [Float] {
    try features.tensor(channelsLast: channelsLast).displaced(
      along: motion.tensor(), vertical: vertical.tensor(), horizontal: horizontal.tensor(),
      border: border, known: known
    ).floats()
  }

  /// To features, motion, vertical and horizontal kernels, of the result times `weights`.
  func gradients(_ border: Border, channelsLast: Bool) throws -> [Tensor] {
    let all = try [
      features.tensor(channelsLast: channelsLast), motion.tensor(), vertical.tensor(),
      horizontal.tensor(),
    ].map { try $0.requiringGradient() }
    let result = try all[0].displaced(
      along: all[1], vertical: all[2], horizontal: all[3], border: border)
    return try Tensors.gradients(of: (result * weights.tensor()).sum(), withRespectTo: all)
  }

  /// Σ over the taps of what is at each of their places: the slow and plain way.
  func reference(_ border: Border) -> Cells {
    let radius = vertical.channels / 2
    return features.mapping(channels: features.channels) { n, c, y, x in
      var sum = 0.0
      for u in -radius...radius {
        for v in -radius...radius {
          let weight = vertical[n, u + radius, y, x] * horizontal[n, v + radius, y, x]
          let row = Double(y + u) + motion[n, 1, y, x], column = Double(x + v) + motion[n, 0, y, x]
          sum += weight * features.value(n, c, y: row, x: column, border)
        }
      }
      return sum
    }
  }

  func loss(_ border: Border) -> Double { reference(border).dot(weights) }
}

extension Cells {
  /// The blend of the four cells around a place.
  fileprivate func value(_ n: Int, _ c: Int, y: Double, x: Double, _ border: Border) -> Double {
    let y = border == .clamp ? min(max(y, 0), Double(height - 1)) : y
    let x = border == .clamp ? min(max(x, 0), Double(width - 1)) : x
    let (top, left) = (y.rounded(.down), x.rounded(.down))
    let (below, right) = (y - top, x - left)
    let (row, column) = (Int(top), Int(left))
    func blend(_ row: Int) -> Double {
      (1 - right) * self[n, c, row, column] + right * self[n, c, row, column + 1]
    }
    return (1 - below) * blend(row) + below * blend(row + 1)
  }
}

@Test(arguments: Border.allCases, layouts)
func aDisplacedConvolutionIsWhatTheSlowReferenceGives(border: Border, channelsLast: Bool) throws {
  for one in [
    Case(1, 1, 1, 1, size: 1, reach: 2, seed: 1), Case(2, 5, 6, 7, size: 3, reach: 3, seed: 2),
    Case(1, 19, 4, 9, size: 5, reach: 12, seed: 3), Case(1, 70, 5, 8, size: 3, reach: 1, seed: 4),
    Case(1, 3, 9, 20, size: 11, reach: 4, seed: 5), Case(2, 16, 2, 5, size: 7, reach: 50, seed: 6),
  ] {
    let found = try one.result(border, channelsLast: channelsLast)
    #expect(one.reference(border).furthest(from: found) < 2e-5, "\(one)")
  }
}

@Test(arguments: Border.allCases, [1, 3, 7])
func withTheCentreTapAloneADisplacedConvolutionIsTheWarp(border: Border, size: Int) throws {
  var one = Case(2, 21, 8, 11, size: size, reach: 4, seed: 7)
  one.motion.values[5] = 2
  one.motion.values[40] = .nan
  one.vertical = one.vertical.mapping(channels: size) { _, c, _, _ in c == size / 2 ? 1 : 0 }
  one.horizontal = one.vertical
  let known = try Tensor((0..<176).map { UInt8($0 % 9 == 0 ? 0 : 1) }, shape: [2, 8, 11])
  for channelsLast in layouts {
    let warped = try one.features.tensor(channelsLast: channelsLast).warped(
      along: one.motion.tensor(), border: border, known: known
    ).floats()
    let found = try one.result(border, channelsLast: channelsLast, known: known)
    #expect(found.bits == warped.bits)
  }
}

@Test(arguments: layouts)
func withoutMotionADisplacedConvolutionIsTheVariantOne(channelsLast: Bool) throws {
  var one = Case(2, 35, 6, 9, size: 5, reach: 1, seed: 8)
  one.motion = Cells(2, 2, 6, 9)
  let (down, right) = (try one.vertical.tensor(), try one.horizontal.tensor())
  let products = try down.unsqueezed(axis: 2) * right.unsqueezed(axis: 1)
  let variant = try one.features.tensor(channelsLast: channelsLast).convolved(
    withKernels: products.reshaped(to: [2, 25, 6, 9])
  ).floats()
  #expect(try one.result(.zero, channelsLast: channelsLast).bits == variant.bits)
}

@Test(arguments: Border.allCases)
func aTapBesideTheCentreMovesTheWarpByOneCell(border: Border) throws {
  var one = Case(1, 6, 7, 9, size: 5, reach: 3, seed: 9)
  one.motion.values = one.motion.values.map { ($0 * 64).rounded() / 64 }
  one.vertical = one.vertical.mapping(channels: 5) { _, c, _, _ in c == 1 ? 1 : 0 }
  one.horizontal = one.vertical.mapping(channels: 5) { _, c, _, _ in c == 4 ? 1 : 0 }
  let moved = one.motion.mapping(channels: 2) { n, c, y, x in
    one.motion[n, c, y, x] + (c == 0 ? 2 : -1)
  }
  let warped = try one.features.tensor().warped(along: moved.tensor(), border: border).floats()
  #expect(try one.result(border, channelsLast: false).bits == warped.bits)
}

@Test(arguments: Border.allCases, layouts)
func theGradientsOfADisplacedConvolutionAreTheFiniteDifferences(
  border: Border, channelsLast: Bool
) throws {
  for one in [
    Case(2, 5, 4, 5, size: 3, reach: 3, seed: 10), Case(1, 18, 3, 4, size: 5, reach: 2, seed: 11),
  ] {
    let found = try one.gradients(border, channelsLast: channelsLast)
    let parts: [WritableKeyPath<Case, Cells>] = [\.features, \.motion, \.vertical, \.horizontal]
    for (part, gradient) in zip(parts, found) {
      let expected = one[keyPath: part].differences { changed in
        var other = one
        other[keyPath: part] = changed
        return other.loss(border)
      }
      #expect(try expected.furthest(from: gradient) < 5e-5, "\(one)")
    }
  }
}

@Test(arguments: Border.allCases, layouts)
func theGradientsOfOneTapAreThoseOfTheWarp(border: Border, channelsLast: Bool) throws {
  var one = Case(2, 9, 6, 7, size: 1, reach: 4, seed: 12)
  one.vertical = Cells(2, 1, 6, 7, fill: 1)
  one.horizontal = one.vertical
  for index in stride(from: 0, to: one.motion.values.count, by: 3) {
    one.motion.values[index] = one.motion.values[index].rounded()
  }
  let found = try one.gradients(border, channelsLast: channelsLast)
  let features = try one.features.tensor(channelsLast: channelsLast).requiringGradient()
  let motion = try one.motion.tensor().requiringGradient()
  let loss = try (features.warped(along: motion, border: border) * one.weights.tensor()).sum()
  let expected = try gradients(of: loss, withRespectTo: [features, motion])
  for (one, other) in zip(found, expected) {
    #expect(try one.floats().furthest(from: other.floats()) < 1e-5)
  }
}

@Test func aDisplacedConvolutionDependsNeitherOnTheLayoutNorOnThreads() throws {
  let one = Case(2, 35, 14, 17, size: 5, reach: 4, seed: 13)
  func all(_ threads: Int, channelsLast: Bool) throws -> [[UInt32]] {
    try onThreads(threads) {
      let out = try one.result(.clamp, channelsLast: channelsLast)
      let others = try one.gradients(.clamp, channelsLast: channelsLast)
      return try [out.bits] + others.map { try $0.floats().bits }
    }
  }
  let alone = try all(1, channelsLast: false)
  #expect(try all(3, channelsLast: false) == alone)
  #expect(try all(3, channelsLast: true) == alone)
}

@Test func displacedKernelsThatDoNotFitAreRefused() throws {
  let features = try Cells(1, 3, 4, 5).tensor(), motion = try Cells(1, 2, 4, 5).tensor()
  for (down, right, code) in [
    (3, 5, TensorError.Code.badShape), (4, 4, .badArgument), (27, 27, .badArgument),
  ] {
    let vertical = try Cells(1, down, 4, 5).tensor()
    let horizontal = try Cells(1, right, 4, 5).tensor()
    let error = #expect(throws: TensorError.self) {
      try features.displaced(along: motion, vertical: vertical, horizontal: horizontal)
    }
    #expect(error?.code == code)
  }
}
