// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Datasets
import Flow
import Synchronization
import Synthesis
import Testing
import Video

struct ClipLawsTests {
  private static let street = StreetClip(
    seed: 5, count: 3, size: PixelSize(width: 96, height: 72), threads: 1)

  @Test func aStreetKeepsTheLaws() throws { #expect(try brokenLaws(of: Self.street) == []) }

  @Test func theLawsFindWhatIsWrong() throws {
    #expect(
      try brokenLaws(of: Spoiled(motion: { _, _ in .zero(width: 4, height: 4) }))
        == ["motion is on the frames' grid"])
    #expect(
      try brokenLaws(
        of: Spoiled(motion: { current, reference in
          let exact = Self.street.motion(from: current, to: reference)
          let shifted = exact.displacements.map { $0 + 15 }
          return MotionField(width: exact.width, height: exact.height, displacements: shifted)
        })) == ["motion warps a frame onto its reference"])
    #expect(try brokenLaws(of: Spoiled(changes: true)).contains("same index, same frame"))
    #expect(try brokenLaws(of: Spoiled(crops: true)).contains("frames have one size"))
    #expect(try brokenLaws(of: Spoiled(stops: true)) == ["indices count up"])
    #expect(
      try brokenLaws(of: Spoiled(forgets: true)) == ["a sample is the frame and its target"])
  }

  /// A street with a fault.
  private final class Spoiled: Clip, MotionProvider {
    let name = "spoiled", count = 3
    private let field: @Sendable (Int, Int) throws -> MotionField
    private let changes: Bool, crops: Bool, stops: Bool, forgets: Bool
    private let reads = Atomic(0)

    init(
      changes: Bool = false, crops: Bool = false, stops: Bool = false, forgets: Bool = false,
      motion: @escaping @Sendable (Int, Int) throws -> MotionField = {
        street.motion(from: $0, to: $1)
      }
    ) {
      (self.changes, self.crops, self.stops, self.forgets) = (changes, crops, stops, forgets)
      field = motion
    }

    var groundTruthMotion: (any MotionProvider)? { changes || crops || stops ? nil : self }

    func motion(from current: Int, to reference: Int) throws -> MotionField {
      try field(current, reference)
    }

    func frame(at index: Int) throws -> Frame {
      let read = reads.add(1, ordering: .relaxed).newValue
      let frame = street.frame(at: changes && read > 3 ? 0 : index)
      if stops { return Frame(index: 0, time: 0, pixels: frame.pixels) }
      let size = frame.pixels.size
      guard crops, index == 2 else { return frame }
      return frame.with(
        pixels: frame.pixels.cropped(x: 0, y: 0, width: size.width / 2, height: size.height))
    }

    func target(at index: Int) throws -> Image? { street.labels(at: index) }

    func sample(at index: Int) throws -> Sample<Image> {
      Sample(frame: try frame(at: index), target: forgets ? nil : try target(at: index))
    }
  }
}
