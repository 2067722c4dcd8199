// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import TestSupport
import Testing
import Video

/// What a pair's motion says, checked against nothing but the pictures and classes it relates.
struct StillMotionCheck {
  let pair: MotionPair

  init(_ pair: MotionPair) { self.pair = pair }

  /// Calls `body` for each pixel with where it leads, if that is inside.
  func forEachPixel(_ body: (_ x: Int, _ y: Int, _ u: Double, _ v: Double, _ known: Bool) -> Void) {
    let motion = pair.motion
    for y in 0..<motion.height {
      for x in 0..<motion.width {
        let (dx, dy) = motion[x: x, y: y]
        let (u, v) = (Double(x) + Double(dx), Double(y) + Double(dy))
        guard u >= 0, v >= 0, u <= Double(motion.width - 1), v <= Double(motion.height - 1) else {
          continue
        }
        body(x, y, u, v, motion.isKnown(x: x, y: y))
      }
    }
  }

  /// How far the colours of a pixel are from those where it leads, in levels.
  func error(_ x: Int, _ y: Int, _ u: Double, _ v: Double) -> Double {
    (0..<3).reduce(0) {
      $0 + abs(Double(pair.current[x: x, y: y, channel: $1]) - pair.reference.bilinear(u, v, $1))
        / 3
    }
  }

  /// The mean of that over what is known.
  var meanError: Double {
    var (sum, count) = (0.0, 0)
    forEachPixel { x, y, u, v, known in
      guard known else { return }
      (sum, count) = (sum + error(x, y, u, v), count + 1)
    }
    return sum / Double(max(count, 1))
  }
}

struct StillMotionTests {
  private let made = StillsInMotion(stills: DrawnStills(count: 6), seed: 12)

  @Test(arguments: [1, 2, 5])
  func theOtherFrameReadAlongTheMotionIsThisFrame(gap: Int) throws {
    for index in 0..<6 {
      let check = StillMotionCheck(try made.pair(index, gap: gap))
      var (good, count) = (0, 0)
      check.forEachPixel { x, y, u, v, known in
        // Two things of one class may overlap: not every edge is left out.
        guard known, check.pair.currentLabels?.isEdge(x, y, reach: 4) == false else { return }
        (good, count) = (good + (check.error(x, y, u, v) < 4 ? 1 : 0), count + 1)
      }
      #expect(count > 6000)
      #expect(Double(good) > 0.975 * Double(count), "\(good) of \(count) pixels agree")
      #expect(check.meanError < 2)
    }
  }

  @Test(arguments: [0.6...0.6, 1.4...1.4]) func scaledStillsMoveAsExactly(
    scale: ClosedRange<Double>
  ) throws {
    for index in 0..<4 {
      let size = PixelSize(width: 120, height: 90)
      let check = StillMotionCheck(try made.pair(index, gap: 2, size: size, scale: scale))
      #expect(check.meanError < 2.5)
    }
  }

  @Test(arguments: [1, 2, 5])
  func classesReadAlongTheMotionAreThisFrames(gap: Int) throws {
    for index in 0..<6 {
      let pair = try made.pair(index, gap: gap)
      let (here, there) = (try #require(pair.currentLabels), try #require(pair.referenceLabels))
      var (right, count) = (0, 0)
      StillMotionCheck(pair).forEachPixel { x, y, u, v, known in
        guard known, !here.isEdge(x, y, reach: 1), here[x: x, y: y] != 11 else { return }
        right += here[x: x, y: y] == there[x: Int(u.rounded()), y: Int(v.rounded())] ? 1 : 0
        count += 1
      }
      #expect(Double(right) > 0.995 * Double(count), "\(right) of \(count) pixels keep their class")
    }
  }

  /// Colours tell what is seen: a hidden thing's are not found where it is.
  @Test func whatIsSaidToBeHiddenIsHidden() throws {
    var (differing, hidden) = (0, 0)
    for index in 0..<30 {
      let check = StillMotionCheck(try made.pair(index, gap: 4))
      check.forEachPixel { x, y, u, v, known in
        guard !known, check.pair.currentLabels?[x: x, y: y] != 11 else { return }
        (differing, hidden) = (differing + (check.error(x, y, u, v) > 4 ? 1 : 0), hidden + 1)
      }
    }
    #expect(hidden > 2000)
    #expect(Double(differing) > 0.9 * Double(hidden), "\(differing) of \(hidden) look otherwise")
  }

  @Test(arguments: [(0, 1), (3, 4), (5, 2)])
  func thereAndBackIsWhereOneStarted(index: Int, gap: Int) throws {
    let clip = try made.clip(index, count: 2, gap: gap)
    let (there, back) = (clip.motion(from: 1, to: 0), clip.motion(from: 0, to: 1))
    let steady = try there.consistent(with: back, relative: 0, absolute: 0.01)
    let (known, returning) = (there.validFraction, steady.validFraction)
    #expect(known > 0.6)
    // Beside the edges of things the way back is read from two of them, and leads nowhere.
    #expect(returning > 0.9 * known, "\(returning) of \(known) returns")
  }

  @Test func motionAddsUpOverFrames() throws {
    let clip = try made.clip(4, count: 7, gap: 1)
    let whole = clip.motion(from: 6, to: 0)
    let parts = try clip.motion(from: 6, to: 3).composed(with: clip.motion(from: 3, to: 0))
    let gaps = (0..<whole.height).flatMap { y in
      (0..<whole.width).compactMap { x -> Float? in
        guard whole.isKnown(x: x, y: y), parts.isKnown(x: x, y: y) else { return nil }
        let (a, b) = (whole[x: x, y: y], parts[x: x, y: y])
        return max(abs(a.dx - b.dx), abs(a.dy - b.dy))
      }
    }.sorted()
    #expect(gaps.count > 8000)
    #expect(gaps[gaps.count * 9 / 10] < 0.1, "\(gaps[gaps.count * 9 / 10]) pixels apart")
  }

  @Test func aFrameDoesNotMoveToItself() throws {
    let motion = try made.clip(0, count: 3).motion(from: 1, to: 1)
    #expect(motion == .zero(width: 200, height: 150))
  }
}
