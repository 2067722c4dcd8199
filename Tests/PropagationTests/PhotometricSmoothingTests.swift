// SPDX-License-Identifier: Apache-2.0

import Foundation
import Frames
import Propagation
import Tensors
import Testing

struct PhotometricMemoryTests {
  /// Scores and pictures of 3 × 4 cells, where everything was one cell to the right before.
  private let own = numbers(2 * 12, seed: 1), before = numbers(2 * 12, seed: 2)
  private let here = numbers(3 * 12, seed: 3).map { 128 + 20 * $0 }
  private let there = numbers(3 * 12, seed: 4).map { 128 + 20 * $0 }

  @Test(arguments: [false, true]) func scoresAreMixedAsALoopMixesThem(hasHole: Bool) throws {
    let memory = PhotometricSmoothing(weight: 0.6, tolerance: 15)
    let found = try mixed(memory, hole: hasHole ? 5 : nil)
    for cell in 0..<12 {
      // The border's cells read the border.
      let from = cell / 4 * 4 + min(3, cell % 4 + 1)
      let change = (0..<3).reduce(0.0) {
        $0 + Double(abs(here[$1 * 12 + cell] - there[$1 * 12 + from])) / 3
      }
      let gate = hasHole && cell == 5 ? 0 : 0.6 * exp(-change / 15)
      for channel in 0..<2 {
        let (mine, old) = (Double(own[channel * 12 + cell]), Double(before[channel * 12 + from]))
        #expect(abs(Double(found[channel * 12 + cell]) - (mine + gate * (old - mine))) < 1e-4)
      }
    }
  }

  @Test func aWeightOfNothingLeavesScoresAsTheyAre() throws {
    #expect(try mixed(PhotometricSmoothing(weight: 0)) == own)
  }

  private func mixed(_ memory: PhotometricSmoothing, hole: Int? = nil) throws -> [Float] {
    let motion = try Tensor(
      (0..<24).map { Float($0 < 12 ? 1 : 0) }, shape: [1, 2, 3, 4])
    let known = try Tensor((0..<12).map { UInt8($0 == hole ? 0 : 1) }, shape: [1, 3, 4])
    let context = FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { _, _, _ in (motion, hole == nil ? nil : known) },
        image: { try Tensor($0 == .current ? here : there, shape: [1, 3, 3, 4]) }))
    return try memory(
      Tensor(own, shape: [1, 2, 3, 4]), remembering: Tensor(before, shape: [1, 2, 3, 4]),
      in: context
    ).contiguous().floats()
  }
}

/// Numbers from -1 to 1 that look random.
private func numbers(_ count: Int, seed: Int) -> [Float] {
  (0..<count).map { Float(sin(Double(($0 + 1) * 37 * seed))) }
}
