// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import Testing
import Video

/// Motion and occlusion, checked against nothing but the pictures and classes they claim to relate.
struct MovingStreetMotionTests {
  private static let size = (width: 320, height: 240)

  private func street(_ seed: UInt64) -> MovingStreet {
    MovingStreet(seed: seed, width: Self.size.width, height: Self.size.height)
  }

  @Test func aFrameDoesNotMoveToItself() {
    let street = street(1)
    #expect(street.motion(from: 7, to: 7).displacements.allSatisfy { $0 == 0 })
    #expect(street.occlusion(from: 7, to: 7).bytes.allSatisfy { $0 == 0 })
  }

  /// Frames a hair apart in time stand in for one frame: nothing of the shortcut for equal indices.
  @Test func motionFadesWithTheTimeBetween() {
    let street = MovingStreet(seed: 1, width: 160, height: 120, frameRate: 1e9)
    let motion = street.motion(from: 3, to: 4)
    #expect(motion.displacements.allSatisfy { abs($0) < 1e-2 })
    let hidden = street.occlusion(from: 3, to: 4).bytes.reduce(0) { $0 + Int($1) }
    #expect(hidden < 160 * 120 / 200, "\(hidden) pixels hidden between equal frames")
  }

  @Test(arguments: [(0, 3, 1), (1, 40, 1), (2, 90, 3), (3, 15, 5), (4, 200, 10), (5, 77, -4)])
  func theOtherFrameReadAlongTheMotionIsThisFrame(seed: UInt64, frame: Int, gap: Int) {
    let street = street(seed)
    let (here, there) = (street.view(at: frame), street.view(at: frame + gap))
    let motion = street.motion(from: frame, to: frame + gap)
    let hidden = street.occlusion(from: frame, to: frame + gap)
    var (moved, still, count) = (0.0, 0.0, 0)
    for y in 0..<Self.size.height {
      for x in 0..<Self.size.width where hidden[x: x, y: y] == 0 {
        let (dx, dy) = motion[x: x, y: y]
        for channel in 0..<3 {
          let seen = Double(here.image[x: x, y: y, channel: channel])
          let read = bilinear(there.image, Double(x) + Double(dx), Double(y) + Double(dy), channel)
          moved += abs(seen - read)
          still += abs(seen - Double(there.image[x: x, y: y, channel: channel]))
          count += 1
        }
      }
    }
    let (error, copied) = (moved / Double(count), still / Double(count))
    #expect(error < 7.5, "mean error \(error) levels; copying gives \(copied)")
    #expect(error < 0.7 * copied)
  }

  @Test(arguments: [(0, 3, 1), (1, 40, 2), (2, 90, 4), (3, 15, 7), (4, 200, 10), (5, 77, -4)])
  func theOtherFramesClassesReadAlongTheMotionAreThisFrames(seed: UInt64, frame: Int, gap: Int) {
    let street = street(seed)
    let (here, there) = (street.labels(at: frame), street.labels(at: frame + gap))
    let motion = street.motion(from: frame, to: frame + gap)
    let hidden = street.occlusion(from: frame, to: frame + gap)
    var (right, count) = (0, 0)
    for y in 0..<Self.size.height {
      for x in 0..<Self.size.width where hidden[x: x, y: y] == 0 && !isEdge(here, x, y) {
        let (dx, dy) = motion[x: x, y: y]
        let column = min(max(Int((Float(x) + dx).rounded()), 0), Self.size.width - 1)
        let row = min(max(Int((Float(y) + dy).rounded()), 0), Self.size.height - 1)
        right += here[x: x, y: y] == there[x: column, y: row] ? 1 : 0
        count += 1
      }
    }
    let share = Double(right) / Double(count)
    #expect(share >= 0.97, "\(share) of \(count) pixels keep their class")
  }

  @Test(arguments: [(0, 30, 1), (3, 60, 4), (6, 100, -6)])
  func thereAndBackIsWhereOneStarted(seed: UInt64, frame: Int, gap: Int) {
    let street = street(seed)
    let there = street.motion(from: frame, to: frame + gap)
    let back = street.motion(from: frame + gap, to: frame)
    let hidden = street.occlusion(from: frame, to: frame + gap)
    var (near, count, sum) = (0, 0, 0.0)
    for y in 0..<Self.size.height {
      for x in 0..<Self.size.width where hidden[x: x, y: y] == 0 {
        let (dx, dy) = there[x: x, y: y]
        let (u, v) = (Double(x) + Double(dx), Double(y) + Double(dy))
        guard let (ex, ey) = steady(back, u, v) else { continue }
        let miss = (pow2(Double(dx) + ex) + pow2(Double(dy) + ey)).squareRoot()
        (near, count, sum) = (near + (miss < 0.1 ? 1 : 0), count + 1, sum + min(miss, 1))
      }
    }
    #expect(count > Self.size.width * Self.size.height / 3)
    #expect(Double(near) > 0.97 * Double(count), "\(near) of \(count) return")
    #expect(sum / Double(count) < 0.04, "by \(sum / Double(count)) pixels on average")
  }

  @Test func moreIsHiddenTheLongerTheGap() {
    var hidden = [0, 0, 0]
    for seed in UInt64(0)..<5 {
      for (slot, gap) in [1, 5, 15].enumerated() {
        hidden[slot] += street(seed).occlusion(from: 60, to: 60 + gap).bytes.reduce(0) {
          $0 + Int($1)
        }
      }
    }
    #expect(hidden[0] > 0 && hidden[0] * 3 / 2 < hidden[1] && hidden[1] < hidden[2], "\(hidden)")
  }

  @Test func theRoadMovesAsFastAsInCamVid() {
    var means: [Double] = []
    for gap in [1, 10] {
      let lengths = (UInt64(0)..<8).map { seed -> Double in
        let street = street(seed), frame = 100 + 30 * Int(seed)
        let field = street.motion(from: frame + gap, to: frame)
        let hidden = street.occlusion(from: frame + gap, to: frame).bytes
        return meanLength(field, where: hidden) * 480 / Double(Self.size.width)
      }
      means.append(lengths.reduce(0, +) / 8)
    }
    #expect((2.5...8).contains(means[0]), "\(means[0]) pixels a frame at 480 columns")
    #expect((12...45).contains(means[1]), "\(means[1]) pixels in ten frames")
  }

  // MARK: Slow references

  private func pow2(_ value: Double) -> Double { value * value }

  private func meanLength(_ field: MotionField, where hidden: [UInt8]) -> Double {
    var (sum, count) = (0.0, 0)
    for (cell, isHidden) in hidden.enumerated() where isHidden == 0 {
      let (dx, dy) = (field.displacements[2 * cell], field.displacements[2 * cell + 1])
      (sum, count) = (sum + Double(dx * dx + dy * dy).squareRoot(), count + 1)
    }
    return sum / Double(max(count, 1))
  }

  private func bilinear(_ image: Image, _ x: Double, _ y: Double, _ channel: Int) -> Double {
    let (x, y) = (
      min(max(x, 0), Double(image.width - 1)), min(max(y, 0), Double(image.height - 1))
    )
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, image.width - 1), min(top + 1, image.height - 1))
    let (fx, fy) = (x - Double(left), y - Double(top))
    let read = { (x: Int, y: Int) in Double(image[x: x, y: y, channel: channel]) }
    let upper = read(left, top) * (1 - fx) + read(right, top) * fx
    let lower = read(left, bottom) * (1 - fx) + read(right, bottom) * fx
    return upper * (1 - fy) + lower * fy
  }

  /// The field read between its cells, where the four around agree; nil at its jumps.
  private func steady(_ field: MotionField, _ x: Double, _ y: Double) -> (Double, Double)? {
    guard x >= 0, y >= 0, x < Double(field.width - 1), y < Double(field.height - 1) else {
      return nil
    }
    let (left, top) = (Int(x), Int(y))
    let cells = [(0, 0), (1, 0), (0, 1), (1, 1)].map { field[x: left + $0.0, y: top + $0.1] }
    let jump = cells.reduce(Float(0)) {
      max($0, abs($1.dx - cells[0].dx), abs($1.dy - cells[0].dy))
    }
    guard jump < 0.5 else { return nil }
    let (fx, fy) = (Float(x) - Float(left), Float(y) - Float(top))
    let weights = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy]
    let dx = zip(cells, weights).reduce(Float(0)) { $0 + $1.0.dx * $1.1 }
    let dy = zip(cells, weights).reduce(Float(0)) { $0 + $1.0.dy * $1.1 }
    return (Double(dx), Double(dy))
  }

  /// Whether another class lies within two pixels.
  private func isEdge(_ labels: Image, _ x: Int, _ y: Int) -> Bool {
    for j in max(0, y - 2)...min(labels.height - 1, y + 2) {
      for i in max(0, x - 2)...min(labels.width - 1, x + 2)
      where labels[x: i, y: j] != labels[x: x, y: y] { return true }
    }
    return false
  }
}
