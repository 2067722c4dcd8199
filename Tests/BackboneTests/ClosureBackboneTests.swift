// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Tensors
import Testing
import Video

struct ClosureBackboneTests {
  private let frame = Frame(
    index: 0, time: 0,
    pixels: Image(
      width: 12, height: 8, channels: 3, bytes: (0..<288).map { UInt8(($0 * 37) % 251) }))

  @Test func aClosureIsABackboneLikeAnyOther() throws {
    let backbone = ClosureBackbone(stride: 2) { picture in
      try picture.resizedNearest(height: picture.shape[2] / 2, width: picture.shape[3] / 2)
    }
    #expect(backbone.stages == [Stage("features", stride: 2)])
    #expect(try brokenLaws(of: backbone, on: frame) == [])
  }

  @Test func whatIsNoMapOfTheStrideIsRefused() throws {
    let backbone = ClosureBackbone(stage: "mine", stride: 4) { $0 }
    let input = try backbone.input(for: frame)
    let error = try #require(throws: BackboneError.self) {
      try backbone.run(0..<1, on: Features(input))
    }
    #expect(error.code == .badOutput && error.message.contains("'mine'"))
  }
}
