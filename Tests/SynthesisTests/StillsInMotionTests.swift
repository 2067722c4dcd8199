// SPDX-License-Identifier: Apache-2.0

import Datasets
import Dispatch
import Flow
import Foundation
import Synthesis
import TestSupport
import Testing
import Video

/// Clips made of stills: what they repeat, and what they show.
struct StillsInMotionTests {
  private let stills = DrawnStills(count: 5)

  @Test func theSameSeedGivesTheSameBytes() throws {
    let (one, other) = (
      StillsInMotion(stills: stills, seed: 3), StillsInMotion(stills: stills, seed: 3)
    )
    _ = try other.clip(7, count: 3).frame(at: 0)
    for index in [0, 4, 11] {
      let (a, b) = (try one.clip(index, count: 4, gap: 2), try other.clip(index, count: 4, gap: 2))
      for frame in [3, 0] {
        #expect(a.frame(at: frame).pixels == b.frame(at: frame).pixels)
        #expect(a.labels(at: frame) == b.labels(at: frame))
      }
      #expect(a.motion(from: 3, to: 1) == b.motion(from: 3, to: 1))
    }
  }

  @Test func otherSeedsMoveOtherwise() throws {
    let motions = try (UInt64(0)..<4).map { seed in
      try StillsInMotion(stills: stills, seed: seed).pair(0).motion
    }
    for index in 1..<4 { #expect(motions[index] != motions[0]) }
  }

  @Test func manyThreadsMakeTheSameClips() throws {
    let made = StillsInMotion(stills: stills, seed: 8, room: 1 << 18)
    let alone = try (0..<12).map { try made.pair($0).current }
    let together = StillsInMotion(stills: stills, seed: 8, room: 1 << 18)
    nonisolated(unsafe) var differing = [Bool](repeating: true, count: 12)
    differing.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      DispatchQueue.concurrentPerform(iterations: 12) { index in
        buffer[index] = (try? together.pair(index).current) != alone[index]
      }
    }
    #expect(differing == [Bool](repeating: false, count: 12))
  }

  @Test func aPairIsWhatItsClipShows() throws {
    let made = StillsInMotion(stills: stills, seed: 1)
    let (pair, clip) = (try made.pair(2, gap: 3), try made.clip(2, count: 2, gap: 3))
    #expect(pair.current == clip.frame(at: 1).pixels && pair.reference == clip.frame(at: 0).pixels)
    #expect(pair.currentLabels == clip.labels(at: 1) && pair.referenceLabels == clip.labels(at: 0))
    #expect(pair.motion == clip.motion(from: 1, to: 0))
    #expect(abs(clip.frame(at: 1).time - 0.2) < 1e-9)
  }

  /// A single still has no others whose cars could be pasted.
  @Test func oneFrameIsTheStillItself() throws {
    let still = DrawnStills(count: 1)
    let made = StillsInMotion(stills: still, seed: 5)
    for index in 0..<6 {
      let clip = try made.clip(index, count: 4, gap: 2)
      #expect(clip.frame(at: clip.anchor).pixels == (try still.frame(at: 0)).pixels)
      #expect(clip.labels(at: clip.anchor) == (try still.labels(at: 0)))
    }
  }

  @Test func aWindowOfTheStillCanBeTaken() throws {
    let still = DrawnStills(count: 1)
    let picture = try still.frame(at: 0).pixels
    let clip = try StillsInMotion(stills: still, seed: 5)
      .clip(1, count: 3, size: PixelSize(width: 60, height: 40))
    let shown = clip.frame(at: clip.anchor).pixels
    let places = (0...110).flatMap { y in (0...140).map { (x: $0, y: y) } }
    let fits = places.filter { place in
      [(0, 0), (59, 0), (30, 20), (0, 39), (59, 39)].allSatisfy { x, y in
        (0..<3).allSatisfy {
          picture[x: place.x + x, y: place.y + y, channel: $0] == shown[x: x, y: y, channel: $0]
        }
      }
    }
    #expect(fits.count == 1)
  }

  @Test func eachStillComesOnceARound() throws {
    let flat = DrawnStills(count: 7, isLabelled: false)
    let pictures = try (0..<7).map { try flat.frame(at: $0).pixels }
    let made = StillsInMotion(stills: flat, seed: 2)
    for round in 0..<3 {
      let shown = try (0..<7).map { place -> Int? in
        let clip = try made.clip(7 * round + place, count: 2)
        return pictures.firstIndex(of: clip.frame(at: clip.anchor).pixels)
      }
      #expect(Set(shown.compactMap { $0 }) == Set(0..<7))
    }
  }

  @Test func whatOthersStillsHoldIsPastedAndMoves() throws {
    let stills = DrawnStills(count: 2, hasThings: { $0 == 1 })
    let made = StillsInMotion(stills: stills, seed: 6)
    var pasted = 0
    for index in 0..<20 {
      let clip = try made.clip(index, count: 2, gap: 2)
      let labels = try #require(clip.labels(at: clip.anchor)).bytes
      guard !labels.contains(2) else { continue }
      pasted += labels.contains(8) || labels.contains(9) ? 1 : 0
    }
    #expect(pasted >= 2)
  }

  @Test func whatIsRevealedAndWhatLiesBeyondIsVoid() throws {
    let still = DrawnStills(count: 1)
    let clip = try StillsInMotion(stills: still, seed: 1)
      .clip(0, count: 5, gap: 2, size: PixelSize(width: 300, height: 220))
    for index in 0..<5 {
      let labels = try #require(clip.labels(at: index))
      #expect([0, 299].allSatisfy { labels[x: $0, y: 0] == 11 && labels[x: $0, y: 219] == 11 })
      guard index != clip.anchor else { continue }
      let motion = clip.motion(from: index, to: clip.anchor)
      #expect(!motion.isKnown(x: 0, y: 0) && !motion.isKnown(x: 299, y: 219))
    }
  }

  @Test func unlabelledStillsMoveSmoothly() throws {
    let made = StillsInMotion(stills: DrawnStills(count: 3, isLabelled: false), seed: 4)
    for index in 0..<6 {
      let pair = try made.pair(index, gap: 2)
      #expect(pair.currentLabels == nil && pair.referenceLabels == nil)
      #expect(pair.motion.validFraction > 0.7)
      #expect(StillMotionCheck(pair).meanError < 1.5)
    }
  }

  @Test func theRoadRunsFasterTheNearerItIs() throws {
    let made = StillsInMotion(stills: DrawnStills(count: 1, hasThings: { _ in false }), seed: 9)
    var means = [Float](repeating: 0, count: 3)
    for index in 0..<20 {
      let pair = try made.pair(index, gap: 1)
      for (slot, row) in [5, 110, 140].enumerated() {
        let (dx, dy) = pair.motion[x: 100, y: row]
        means[slot] += (dx * dx + dy * dy).squareRoot() / 20
      }
    }
    #expect(means[2] > 1.5 * means[1] && means[1] > 1.5 * means[0], "\(means)")
  }

  @Test(arguments: [(1, 1), (2, 7), (31, 3), (400, 300)])
  func anySizeIsDrawn(width: Int, height: Int) throws {
    let made = StillsInMotion(stills: stills, seed: 3)
    let size = PixelSize(width: width, height: height)
    let pair = try made.pair(1, gap: 3, size: size, scale: 0.5...2)
    #expect(pair.current.size == size && pair.currentLabels?.size == size)
    #expect(pair.motion.width == width && pair.motion.height == height)
  }

  @Test func aLongClipGoesOnMoving() throws {
    let made = StillsInMotion(stills: DrawnStills(count: 1), seed: 3)
    let clip = try made.clip(0, count: 3000, gap: 10)
    for index in [10, 500, 2998] {
      let labels = try #require(clip.labels(at: index)).bytes
      #expect(labels.count { $0 == 3 } > labels.count / 50, "frame \(index) shows no road")
    }
  }

  @Test func aReelShowsClipAfterClip() throws {
    let made = StillsInMotion(stills: stills, seed: 7)
    let reel = StillReel(of: made, count: 9, length: 4, gap: 2)
    let clip = try made.clip(1, count: 4, gap: 2)
    let sample = try reel.sample(at: 6)
    #expect(sample.frame.pixels == clip.frame(at: 2).pixels && sample.labels == clip.labels(at: 2))
    #expect(sample.frame.index == 6)
    #expect(try (0..<9).filter { try reel.frame(at: $0).followsBreak } == [4, 8])
    #expect(try reel.motion(from: 7, to: 5) == clip.motion(from: 3, to: 1))
    #expect(try reel.motion(from: 4, to: 3).validFraction == 0)
  }

  @Test(.enabled(if: sharedData != nil, "CamVid is not on this machine"))
  func theyMoveAsFarAsCamVidDoes() throws {
    let data = try #require(sharedData)
    let stills = try CamVid(root: data.appending(path: "camvid").path, split: "train", limit: 24)
    let made = StillsInMotion(stills: stills, seed: 2)
    for (gap, range) in [(1, Float(4)...7.5), (2, 7.5...14), (5, 14...30)] {
      let lengths = try (0..<24).map { try made.pair($0, gap: gap).motion.meanLength ?? 0 }
      let mean = lengths.reduce(0, +) / 24
      #expect(range ~= mean, "\(mean) pixels at gap \(gap)")
    }
  }
}
