// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Video

struct DepthHeadTests {
  private let inputs = [
    HeadInput(stage: "context", channels: 3, stride: 8),
    HeadInput(stage: "decoder", channels: 2, stride: 2),
  ]

  private func head(_ settings: DepthHead.Settings = .init(channels: 4)) throws -> DepthHead {
    let head = try DepthHead(settings, reading: inputs, parameters: Parameters(seed: 2))
    try redraw(head.parameters, seed: 9)
    return head
  }

  private func maps(_ count: Int = 1) throws -> FeatureMaps {
    var maps = FeatureMaps(try randomMap([count, 3, 3, 4], seed: 1), after: "context")
    maps["decoder"] = try randomMap([count, 2, 12, 16], seed: 2)
    return maps
  }

  // With no block, a last convolution that takes the middle of its window, and one channel.
  @Test func depthIsTheInterpolatedLogarithmRaised() throws {
    let input = HeadInput(stage: "a", channels: 1, stride: 4)
    let settings = DepthHead.Settings(channels: 1, blocks: 0, range: 2...50)
    let head = try DepthHead(settings, reading: [input], parameters: Parameters(seed: 1))
    for parameter in head.parameters.all where parameter.kind == .weight {
      let count = parameter.tensor.count
      let values = (0..<count).map { $0 == count / 2 ? 1 : 0 as Float }
      try parameter.tensor.assign(Tensor(values, shape: parameter.tensor.shape))
    }
    let map = try randomMap([1, 1, 3, 4], seed: 5) * 6
    let size = PixelSize(width: 14, height: 11)
    let depth = try head(FeatureMaps(map, after: "a"), size: size)
    #expect(depth.size == size)
    // The lateral normalisation divides by the root of 1 + 10⁻⁵.
    let rectified = try planes(map).map { $0.map { $0.map { max(0, $0) / 1.000005 } } }
    let logarithms = slowResize(rectified, height: 11, width: 14)[0].joined()
    var clamped = 0
    for (found, logarithm) in zip(depth.metres, logarithms) {
      let expected = min(max(exp(logarithm) * 10, 2), 50)
      clamped += expected == 50 ? 1 : 0
      #expect(abs(Double(found) - expected) < 1e-3 * expected)
    }
    #expect(clamped > 0 && clamped < depth.metres.count)
  }

  @Test(arguments: [nil, 4, 8]) func depthsHaveTheSizeAskedFor(stride: Int?) throws {
    let head = try head(.init(channels: 4, blocks: 1, stride: stride, range: 3...9))
    for (width, height) in [(32, 24), (31, 23), (50, 70)] {
      let depth = try head(maps(), size: PixelSize(width: width, height: height))
      #expect(depth.width == width && depth.height == height)
      #expect(depth.metres.allSatisfy { $0 >= 3 && $0 <= 9 })
    }
    let grid = try head.logDepth(of: maps(), in: .inference)
    #expect(grid.shape == [1, 1, 24 / (stride ?? 2), 32 / (stride ?? 2)])
  }

  @Test func foldingChangesNothingAndPicturesOfABatchAreApart() throws {
    let head = try head()
    let both = try maps(2)
    let one = try head.logDepth(of: both, in: .inference)
    let other = try head.folded().logDepth(of: both, in: .inference)
    #expect(zip(try one.floats(), try other.floats()).allSatisfy { abs($0 - $1) < 1e-4 })
    var second = FeatureMaps()
    for stage in both.stages { second[stage] = try both.map(after: stage).slice(axis: 0, 1..<2) }
    let alone = try head.logDepth(of: second, in: .inference).floats()
    #expect(zip(try one.floats().suffix(alone.count), alone).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func untrainedDepthsAreNearTheMiddleOfTheRange() throws {
    let head = try DepthHead(
      .init(channels: 4, range: 1...100), reading: inputs, parameters: Parameters(seed: 2))
    let depth = try head(maps(), size: PixelSize(width: 32, height: 24))
    #expect(depth.metres.allSatisfy { $0 > 7 && $0 < 14 })
  }

  @Test func workIsCounted() throws {
    let ledger = MACCounter()
    let head = try head(.init(channels: 4, blocks: 2))
    _ = try head.logDepth(
      of: maps(), size: PixelSize(width: 32, height: 24), in: .counting(in: ledger))
    let cells = 12 * 16
    let lateral = 3 * 4 * 12 + cells * 4 * 2 + 4 * cells * 4
    #expect(ledger.macs == lateral + cells * (2 * 4 * 4 * 9 + 4 * 9) + 4 * 32 * 24)
    #expect(ledger.stages.map(\.name) == ["head"])
  }
}
