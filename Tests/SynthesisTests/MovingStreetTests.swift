// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import Testing
import Video

/// Pictures and classes: what they repeat, what they hold.
struct MovingStreetTests {
  private func small(_ seed: UInt64, threads: Int = 2) -> MovingStreet {
    MovingStreet(seed: seed, width: 161, height: 120, threads: threads)
  }

  @Test func theSameSeedGivesTheSameBytes() {
    let (first, second) = (small(5).view(at: 40), small(5).view(at: 40))
    #expect(first.image == second.image && first.labels == second.labels)
  }

  @Test(arguments: [1, 3, 7]) func theNumberOfThreadsChangesNothing(threads: Int) {
    let (few, many) = (small(9, threads: 2), small(9, threads: threads))
    let (a, b) = (few.view(at: 33), many.view(at: 33))
    #expect(a.image == b.image && a.labels == b.labels)
    #expect(few.motion(from: 33, to: 30) == many.motion(from: 33, to: 30))
    #expect(few.occlusion(from: 33, to: 30) == many.occlusion(from: 33, to: 30))
  }

  @Test func otherSeedsAreOtherStreets() {
    let views = (0..<6).map { small($0).view(at: 10) }
    for a in 0..<6 {
      for b in 0..<a {
        let difference = meanDifference(views[a].image, views[b].image)
        #expect(difference > 8, "streets \(a) and \(b) differ by \(difference) levels")
        #expect(views[a].labels != views[b].labels)
      }
    }
  }

  @Test func imageAndLabelsAreThoseOfTheView() {
    let street = small(2)
    let view = street.view(at: 1234)
    #expect(street.image(at: 1234) == view.image && street.labels(at: 1234) == view.labels)
    #expect(view.image.channels == 3 && view.labels.channels == 1)
  }

  @Test(arguments: [(1, 1), (7, 3), (33, 250), (250, 33)])
  func anySizeIsDrawn(width: Int, height: Int) {
    let street = MovingStreet(seed: 3, width: width, height: height)
    let view = street.view(at: 5)
    #expect(view.image.width == width && view.labels.height == height)
    #expect(street.motion(from: 5, to: 4).width == width)
    #expect(street.occlusion(from: 5, to: 4).height == height)
  }

  @Test func farAndNegativeFramesAreDrawnAtOnce() {
    let street = small(4)
    for index in [-900, 1_000_000] {
      let shares = shares(of: [street.labels(at: index)])
      #expect(shares[3] > 0.08 && shares[1] + shares[5] > 0.05, "frame \(index): \(shares)")
    }
  }

  @Test func everyClassOccursAndNoneTakesOver() {
    let labels = (UInt64(0)..<10).flatMap { seed in
      let street = MovingStreet(seed: seed, width: 240, height: 180)
      return [0, 170, 340, 510].map { street.labels(at: $0) }
    }
    let shares = shares(of: labels)
    let bounds: [ClosedRange<Double>] = [
      0.06...0.30, 0.15...0.45, 0.003...0.04, 0.20...0.42, 0.03...0.14, 0.05...0.30, 0.002...0.03,
      0.005...0.06, 0.015...0.14, 0.003...0.05, 0.002...0.05, 0.0002...0.02,
    ]
    for (label, (share, bound)) in zip(shares, bounds).enumerated() {
      #expect(bound.contains(share), "\(ClassList.camVid.palette.name(of: UInt8(label))): \(share)")
    }
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
  }

  @Test func thePictureUsesItsRange() {
    for seed in UInt64(0)..<4 {
      let bytes = MovingStreet(seed: seed, width: 240, height: 180).image(at: 60).bytes.sorted()
      let (dark, light) = (bytes[bytes.count / 50], bytes[bytes.count * 49 / 50])
      #expect(dark < 70 && light > 150, "seed \(seed) runs from \(dark) to \(light)")
    }
  }

  private func shares(of labels: [Image]) -> [Double] {
    var counts = [Int](repeating: 0, count: 12)
    for image in labels { for label in image.bytes { counts[Int(label)] += 1 } }
    return counts.map { Double($0) / Double(counts.reduce(0, +)) }
  }

  private func meanDifference(_ a: Image, _ b: Image) -> Double {
    let total = zip(a.bytes, b.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return Double(total) / Double(a.bytes.count)
  }
}
