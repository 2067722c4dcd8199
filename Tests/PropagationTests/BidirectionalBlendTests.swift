// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Frames
import Propagation
import Tensors
import Testing

struct BidirectionalBlendTests {
  private let blend = BidirectionalBlend(tolerance: 15)

  /// Pictures of 12 × 8 pixels, which is 3 × 2 cells, and everything one cell to the right before.
  private let here = pixels(seed: 3), there = pixels(seed: 4)

  private func context(hole: Int? = nil) throws -> FrameContext {
    let motion = try Tensor((0..<12).map { Float($0 < 6 ? 1 : 0) }, shape: [1, 2, 2, 3])
    let known = try Tensor((0..<6).map { UInt8($0 == hole ? 0 : 1) }, shape: [1, 2, 3])
    return FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { _, height, width in
          #expect(height == 2 && width == 3)
          return (motion, hole == nil ? nil : known)
        },
        image: { try Tensor($0 == .current ? here : there, shape: [1, 3, 8, 12]) }))
  }

  /// The mean of a cell of four by four pixels.
  private func mean(of picture: [Float], _ channel: Int, _ row: Int, _ column: Int) -> Double {
    var sum = 0.0
    for y in 0..<4 {
      for x in 0..<4 {
        sum += Double(picture[channel * 96 + (4 * row + y) * 12 + 4 * column + x])
      }
    }
    return sum / 16
  }

  @Test(arguments: [false, true]) func aLikenessIsWhatALoopFinds(hasHole: Bool) throws {
    let found = try blend.likeness(in: context(hole: hasHole ? 4 : nil))
    #expect(found.shape == [1, 1, 2, 3])
    // What differs at each cell; a border's cell reads the border, a hole its own place.
    let changes = (0..<6).map { cell -> Double in
      let (row, column) = (cell / 3, cell % 3)
      let from = hasHole && cell == 4 ? column : min(2, column + 1)
      return (0..<3).reduce(0.0) { sum, channel in
        sum + abs(mean(of: here, channel, row, column) - mean(of: there, channel, row, from)) / 3
      }
    }
    for (cell, likeness) in try found.contiguous().floats().enumerated() {
      let (row, column) = (cell / 3, cell % 3)
      let around = (max(0, row - 1)...min(1, row + 1)).flatMap { y in
        (max(0, column - 1)...min(2, column + 1)).map { changes[3 * y + $0] }
      }
      let expected = exp(-around.reduce(0, +) / Double(around.count) / 15)
      let isHole = hasHole && cell == 4
      #expect(abs(Double(likeness) - (isHole ? 0 : expected)) < 1e-5, "cell \(cell)")
    }
  }

  // On the cells' own grid, on a coarser and on a finer one; all cells alike there.
  @Test(arguments: [(2, 3), (1, 1), (4, 6)])
  func theNearerAndTheLikerSideCountsMore(height: Int, width: Int) throws {
    let count = height * width
    func maps(_ value: Float) throws -> FeatureMaps {
      FeatureMaps(
        try Tensor([Float](repeating: value, count: 2 * count), shape: [1, 2, height, width]),
        after: "last")
    }
    func likeness(_ value: Float) throws -> Tensor {
      try Tensor([Float](repeating: value, count: 6), shape: [1, 1, 2, 3])
    }
    for (before, after, near, far) in [
      (1.0, 1.0, 1, 4), (1.0, 0.25, 2, 2), (0.0, 0.5, 1, 9), (0.0, 0.0, 3, 1),
    ] {
      let joined = try blend(
        maps(10), maps(20), likeness: (likeness(Float(before)), likeness(Float(after))),
        distance: (near, far))
      let (a, b) = (Double(near) * (after + 1e-3), Double(far) * (before + 1e-3))
      let expected = 10 + 10 * a / (a + b)
      let found = try joined.only().floats()
      #expect(found.count == 2 * count)
      #expect(found.allSatisfy { abs(Double($0) - expected) < 1e-4 }, "\(expected): \(found[0])")
    }
  }

  // Shares differ from cell to cell: of a coarser grid they are the means.
  @Test func sharesOfACoarserGridAreMeans() throws {
    let one = try Tensor([Float](repeating: 1, count: 8), shape: [1, 1, 2, 4])
    let halves = try Tensor([0, 0, 1, 1, 0, 0, 1, 1] as [Float], shape: [1, 1, 2, 4])
    let (first, second) = (
      try Tensor([0, 0] as [Float], shape: [1, 1, 1, 2]),
      try Tensor([1, 1] as [Float], shape: [1, 1, 1, 2])
    )
    let joined = try blend(
      FeatureMaps(first, after: "last"), FeatureMaps(second, after: "last"),
      likeness: (one, halves), distance: (1, 1)
    ).only().floats()
    #expect(abs(joined[0] - 1e-3 / 1.002) < 1e-5 && abs(joined[1] - 0.5) < 1e-5)
  }
}

/// Samples from 60 to 190 that look random.
private func pixels(seed: Int) -> [Float] {
  (0..<3 * 96).map { Float(125 + 65 * sin(Double(($0 + 1) * 37 * seed))) }
}
