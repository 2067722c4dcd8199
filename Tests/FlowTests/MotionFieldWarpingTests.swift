// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Flow
import Tensors
import TestSupport
import Testing
import Video

/// A plane that is warped along motion which was never written down.
struct MotionFieldWarpingTests {
  private func plane(width: Int, height: Int) throws -> Tensor {
    var draws = Draws(seed: 5)
    return try Tensor(draws.floats(width * height, in: -2...2), shape: [1, 1, height, width])
  }

  // Sizes that are no multiples of a vector or of a cell, and frames smaller than a patch.
  @Test(arguments: DISFlow.Preset.allCases, [(96, 64), (133, 71), (50, 7), (5, 40)])
  func aPlaneIsTheSameToTheLastBit(preset: DISFlow.Preset, size: (Int, Int)) throws {
    let current = movedPicture(index: 1, by: (6.5, -4.25), size: size)
    let reference = movedPicture(index: 0, by: (0, 0), size: size)
    let map = try plane(width: size.0, height: size.1)
    for threads in [1, 3] {
      let field = try DISFlow(preset: preset, threads: threads)
        .motion(from: current, to: reference)
      let short = try #require(try field.warping(map))
      let (motion, known) = try field.tensors()
      let long = try map.warped(along: motion, known: known)
      #expect(short.shape == long.shape)
      let (mine, theirs) = (try short.floats(), try long.floats())
      #expect(mine.map(\.bitPattern) == theirs.map(\.bitPattern))
    }
  }

  @Test func otherMapsAndOtherMotionTakeTheLongWay() throws {
    let size = (64, 48)
    let current = movedPicture(index: 1, by: (2, 1), size: size)
    let field = try DISFlow(preset: .fast).motion(
      from: current, to: movedPicture(index: 0, by: (0, 0), size: size))
    let map = try plane(width: 64, height: 48)
    #expect(try field.warping(plane(width: 48, height: 64)) == nil)
    #expect(try field.warping(Tensor.zeros([1, 2, 48, 64])) == nil)
    #expect(try field.warping(map.requiringGradient()) == nil)
    let written = MotionField(width: 64, height: 48, displacements: field.displacements)
    #expect(written == field)
    #expect(try written.warping(map) == nil)
  }
}
