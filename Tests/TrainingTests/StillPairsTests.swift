// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
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
    #expect(made.allSatisfy { $0.motion.knownShare > 0.3 && $0.referenceLabels != nil })
    for index in 1..<8 { #expect(made[index].current != made[0].current) }
  }
}
