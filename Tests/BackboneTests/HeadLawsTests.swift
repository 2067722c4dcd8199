// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Synchronization
import Tensors
import Testing
import Video

struct HeadLawsTests {
  private let size = PixelSize(width: 24, height: 16)

  private func maps(_ height: Int, _ width: Int) throws -> FeatureMaps {
    FeatureMaps(try .normal([1, 4, height, width], seed: 3), after: "scores")
  }

  @Test func theScoreHeadKeepsTheLaws() throws {
    for (height, width) in [(16, 24), (4, 6)] {
      #expect(try brokenLaws(of: Pixels().head, on: maps(height, width), size: size) == [])
    }
  }

  @Test func theLawsFindWhatIsWrong() throws {
    let maps = try maps(16, 24)
    #expect(
      try brokenLaws(of: Drifting(), on: maps, size: size) == ["same maps, same prediction"])
    #expect(try brokenLaws(of: Shrinking(), on: maps, size: size) == ["scores have the size"])
    let broken = try brokenLaws(of: Mislabelling(), on: maps, size: size)
    #expect(
      broken == ["labels are the best scores", "an identity changes nothing"])
  }
}

/// How often it was asked.
private final class Drifting: Head {
  let inputs: [String] = []
  private let count = Atomic(0)

  func callAsFunction(_: FeatureMaps, size _: PixelSize) -> Int {
    count.add(1, ordering: .relaxed).newValue
  }
}

private struct Shrinking: SegmentationHead {
  var classes: ClassList { Pixels().head.classes }

  func scores(_ features: FeatureMaps, size _: PixelSize) throws -> Tensor {
    try features.only().averagePool(2, stride: 2)
  }
}

private struct Mislabelling: SegmentationHead {
  var classes: ClassList { Pixels().head.classes }

  func scores(_ features: FeatureMaps, size _: PixelSize) throws -> Tensor {
    try features.only() * 2
  }

  func labels(of features: FeatureMaps, size: PixelSize) throws -> Tensor {
    try (scores(features, size: size) * -1).argmaxLabels()
  }

  func isIdentity(on _: Shape, size _: PixelSize) -> Bool { true }
}
