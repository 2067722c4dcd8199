// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import Testing
import Training
import Video

struct StillPairsTests {
  private func pairs() -> StillPairs {
    let size = PixelSize(width: 96, height: 72)
    let streets = StreetPool(seed: 3, count: 4, framesPerStreet: 1, size: size)
    return StillPairs(
      StillsInMotion(stills: streets, seed: 5), size: PixelSize(width: 64, height: 48), gaps: 1...3)
  }

  @Test func aPairIsTheSameWheneverItIsAskedFor() throws {
    let (one, other) = (pairs(), pairs())
    _ = try other.pair(9)
    for index in [0, 6] {
      let (a, b) = (try one.pair(index), try other.pair(index))
      #expect(a.current == b.current && a.reference == b.reference && a.motion == b.motion)
      #expect(a.currentLabels == b.currentLabels && a.referenceLabels == b.referenceLabels)
    }
  }

  @Test func pairsFillTheirWindowAndDiffer() throws {
    let pairs = pairs()
    let made = try (0..<8).map { try pairs.pair($0) }
    #expect(made.allSatisfy { $0.current.size == PixelSize(width: 64, height: 48) })
    #expect(made.allSatisfy { $0.motion.validFraction > 0.3 && $0.referenceLabels != nil })
    for index in 1..<8 { #expect(made[index].current != made[0].current) }
  }
}

/// Frames whose first pixel tells their number; the stream breaks before some.
private struct Numbered: LabelledClip {
  let name = "numbered", classes = ClassList.camVid, count = 12
  var breaks: Set<Int> = []

  func frame(at index: Int) -> Frame {
    let pixels = Image(width: 4, height: 2, channels: 3, repeating: UInt8(index))
    return Frame(
      index: index, time: Double(index), pixels: pixels, followsBreak: breaks.contains(index))
  }

  func labels(at index: Int) -> Image? {
    index % 2 == 0 ? Image(width: 4, height: 2, channels: 1, repeating: UInt8(index / 2)) : nil
  }
}

struct ClipPairsTests {
  @Test func framesLieAsFarApartAsWanted() throws {
    let pairs = ClipPairs(Numbered(), gaps: 2...4)
    var gaps: Set<Int> = []
    for index in 0..<60 {
      let pair = try pairs.pair(index)
      let (current, reference) = (
        Int(pair.current[x: 0, y: 0]), Int(pair.reference[x: 0, y: 0])
      )
      gaps.insert(current - reference)
      let label = pair.currentLabels.map { Int($0[x: 0, y: 0]) }
      #expect(label == (current % 2 == 0 ? current / 2 : nil))
      #expect(pair.motion.validFraction == 0)
      #expect(try pairs.pair(index).current == pair.current)
    }
    #expect(gaps == [2, 3, 4])
  }

  @Test func noPairSpansABreakThatCanBeAvoided() throws {
    let pairs = ClipPairs(Numbered(breaks: [6]), gaps: 1...2)
    for index in 0..<60 {
      let pair = try pairs.pair(index)
      #expect((pair.current[x: 0, y: 0] < 6) == (pair.reference[x: 0, y: 0] < 6))
    }
  }
}
