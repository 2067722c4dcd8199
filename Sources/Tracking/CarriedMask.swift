// SPDX-License-Identifier: Apache-2.0

public import Video

/// Carries the mask of one object from a key frame on, along a motion of its own.
///
/// Where each pixel was in the key frame is composed from frame to frame, and the key frame's mask
/// is read there, so that a mask is resampled once, however far it goes. Inside the object the
/// motion is the optical flow. Near its border flow mixes the object's motion with that of what is
/// behind it, so that there the motion of the object's inside goes on: of what the flow of inner
/// pixels differs from the box's own motion, a mean weighted by their distance (normalised
/// convolution; Knutsson and Westin, CVPR 1993). Flow is trusted where it leads into the mask, is
/// near the box's own motion, and the picture stays as it is along it. One motion for each mask
/// rather than one for the frame is the idea of MPVSS (Weng et al., NeurIPS 2023), here without
/// training.
///
/// A value: copies go separate ways.
public struct CarriedMask: Sendable {
  /// The mask in the present frame.
  public private(set) var mask: ObjectMask
  /// The mask of the key frame.
  public let key: ObjectMask
  /// Where pixels around the mask were in the key frame.
  private var ways: PixelWays

  /// The mask of a key frame.
  public init(_ mask: ObjectMask) {
    (self.mask, key) = (mask, mask)
    ways = PixelWays(PixelRegion(empty: ()))
  }

  /// Settings that rendered streets chose.
  enum Tuning {
    /// How far around the mask pixels are looked at, in its length, and at least in pixels.
    static let reach = 0.15, leastReach = 6.0
    /// The radius within which trusted pixels are counted, in the mask's length, and its bounds.
    static let spread = 0.02, spreadBounds = 2.0...12.0
    /// Grey levels by which a pixel may change along its flow before that is not trusted.
    static let brightness: Float = 20
    /// How far flow may be from the box's own motion before it is not trusted, in the mask's
    /// length, and at least in pixels.
    static let deviation = 0.05, leastDeviation = 1.0
    /// What the trust in such a pixel's flow falls to.
    static let doubt: Float = 0.05
    /// The share of trusted pixels around a pixel from which it lies inside: its own flow is taken.
    static let inside: Float = 0.8
    /// The mask's length for each pixel by which those lie apart whose motion is worked out, and
    /// how far they lie apart at most.
    static let grain = 60.0, coarsest = 4
    /// How much farther than that radius the motion of the inside goes on.
    static let reachOfInside = 2
  }

  /// Brings the mask to the later frame of a step, along flow to the frame before.
  ///
  /// `last` and `now` are the object's box on the two frames, as `BoxMotion` has it: where pixels
  /// are looked for, how they move where no flow speaks, and how motion changes with the place. A
  /// step without flow to the frame before moves all as the box.
  public mutating func advance(
    along step: MotionStep, from last: BoundingBox, to now: BoundingBox
  ) {
    guard !mask.isEmpty, last.area > 0, now.area > 0 else { return }
    let length = Double(mask.area).squareRoot()
    let pixels = PixelRegion(
      around: mask, from: last, to: now, reach: max(Tuning.leastReach, Tuning.reach * length))
    guard pixels.count > 0 else { return mask = ObjectMask(emptyOf: mask.size) }
    let region = pixels.every(max(1, min(Int(length / Tuning.grain), Tuning.coarsest)))
    let usual = BoxStep(from: last, to: now)
    var flow = step.flow(of: region, otherwise: usual)
    let deviation = Float(max(Tuning.leastDeviation, Tuning.deviation * length))
    let trust = (0..<region.count).map { cell -> Float in
      let place = ways.place(region.centre(of: cell) + flow.steps[cell])
      guard key.covers(at: place) else { return 0 }
      // What the object uncovers leads into the mask too, and moves as the background does.
      let off = flow.steps[cell] - usual(region.centre(of: cell))
      let isOther = (off * off).sum() > deviation * deviation
      return isOther || flow.changes[cell] > Tuning.brightness ? Tuning.doubt : 1
    }
    let radius = Int(
      min(
        max(Tuning.spread * length, Tuning.spreadBounds.lowerBound), Tuning.spreadBounds.upperBound)
    )
    flow.goOn(trust, over: region, radius: max(1, radius / region.stride), beside: usual)
    ways = ways.composed(with: flow.steps, over: region)
    mask = read(pixels)
  }

  /// Moves the mask as a box moved: the whole of the key frame's, scaled and shifted.
  mutating func move(from found: BoundingBox, to box: BoundingBox) {
    guard found.area > 0, box.area > 0 else { return mask = ObjectMask(emptyOf: key.size) }
    let scale = found.size / box.size
    let region = PixelRegion(covering: box, of: key.size)
    let cells = (0..<region.count).map { cell -> UInt8 in
      let place = SIMD2<Double>(region.centre(of: cell))
      return key.covers(at: SIMD2<Float>((place - box.centre) * scale + found.centre)) ? 1 : 0
    }
    mask = ObjectMask(
      size: key.size, left: region.left, top: region.top, width: region.width, cells: cells)
  }

  /// The key frame's mask, read where the pixels of a region were.
  private func read(_ region: PixelRegion) -> ObjectMask {
    let cells = (0..<region.count).map { cell -> UInt8 in
      key.covers(at: ways.place(region.centre(of: cell))) ? 1 : 0
    }
    return ObjectMask(
      size: key.size, left: region.left, top: region.top, width: region.width, cells: cells)
  }
}

/// Where the pixels of a box were on the frame before, if all moved as the box: shifted and scaled.
struct BoxStep {
  private let centre: SIMD2<Float>, shift: SIMD2<Float>, growth: SIMD2<Float>

  /// - Precondition: the boxes have an inside.
  init(from last: BoundingBox, to now: BoundingBox) {
    centre = SIMD2<Float>(now.centre)
    shift = SIMD2<Float>(last.centre - now.centre)
    growth = SIMD2<Float>(last.size / now.size) - 1
  }

  /// The displacement to the frame before of a place of the present one.
  @inline(__always)
  func callAsFunction(_ place: SIMD2<Float>) -> SIMD2<Float> { shift + growth * (place - centre) }
}

/// The flow of a region's pixels to the frame before, and how much the picture changes along it.
struct RegionFlow {
  var steps: [SIMD2<Float>]
  let changes: [Float]

  /// Lets the flow of trusted pixels go on over those that are not, whose own is dropped.
  ///
  /// Those in the middle of trusted ones are kept and go on first; where there are none near, those
  /// at the border do.
  mutating func goOn(
    _ trust: [Float], over region: PixelRegion, radius: Int, beside usual: BoxStep
  ) {
    let density = BellMeans(width: region.width, height: region.height, radius: radius)
      .means(trust)
    let around = MotionAround(
      region, steps, trust, usual, isInside: density.map { $0 >= CarriedMask.Tuning.inside },
      radius: CarriedMask.Tuning.reachOfInside * radius)
    for cell in steps.indices
    where density[cell] < CarriedMask.Tuning.inside || trust[cell] <= 0.5 {
      steps[cell] = usual(region.centre(of: cell)) + around.told(cell)
    }
  }
}

/// How the motion of trusted pixels differs from the box's own, about each pixel of a region.
///
/// What the box's own growth explains does not bend what goes on. As the mean is smooth, it is
/// taken of squares of four pixels.
private struct MotionAround {
  private let width: Int, columns: Int
  /// Of pixels inside and of all that are trusted: weight, and weighted difference.
  private let sums: [SIMD8<Float>]
  /// The mean of all, which is told where nothing is near.
  private let mean: SIMD2<Float>

  init(
    _ region: PixelRegion, _ steps: [SIMD2<Float>], _ trust: [Float], _ usual: BoxStep,
    isInside: [Bool], radius: Int
  ) {
    width = region.width
    columns = (region.width + 1) / 2
    let rows = (region.height + 1) / 2
    var sums = [SIMD8<Float>](repeating: .zero, count: columns * rows)
    var total = SIMD8<Float>.zero
    for y in 0..<region.height {
      for x in 0..<region.width where trust[y * region.width + x] > 0 {
        let cell = y * region.width + x, weight = trust[cell]
        let off = weight * (steps[cell] - usual(region.centre(of: cell)))
        let all = SIMD4(weight, off.x, off.y, 0)
        let both = SIMD8(lowHalf: isInside[cell] ? all : .zero, highHalf: all)
        sums[y / 2 * columns + x / 2] += both
        total += both
      }
    }
    mean = total[4] >= 1 ? SIMD2(total[5], total[6]) / total[4] : .zero
    self.sums = BellMeans(width: columns, height: rows, radius: max(1, radius / 2)).means(sums)
  }

  /// The motion near a pixel beyond the box's own.
  @inline(__always)
  func told(_ cell: Int) -> SIMD2<Float> {
    let near = sums[cell / width / 2 * columns + cell % width / 2]
    if near[0] > 4e-3 { return SIMD2(near[1], near[2]) / near[0] }
    return near[4] > 4e-3 ? SIMD2(near[5], near[6]) / near[4] : mean
  }
}

/// What can be averaged: a number, or several at once.
private protocol Averaged {
  static var zero: Self { get }
  static func += (sum: inout Self, value: Self)
  static func -= (sum: inout Self, value: Self)
  static func * (value: Self, share: Float) -> Self
}

extension Float: Averaged {}
extension SIMD8: Averaged where Scalar == Float {}

/// Means of a plane about every cell, of weights that fall as a bell does: three box means.
private struct BellMeans {
  let width: Int, height: Int, radius: Int

  func means<Value: Averaged>(_ plane: [Value]) -> [Value] {
    var (now, other) = (plane, plane)
    now.withUnsafeMutableBufferPointer { now in
      other.withUnsafeMutableBufferPointer { other in
        for _ in 0..<3 {
          across(now, to: other)
          down(other, to: now)
        }
      }
    }
    return now
  }

  private var share: Float { 1 / Float(2 * radius + 1) }

  private func across<Value: Averaged>(
    _ from: UnsafeMutableBufferPointer<Value>, to: UnsafeMutableBufferPointer<Value>
  ) {
    for row in stride(from: 0, to: width * height, by: width) {
      var sum = Value.zero
      for x in 0..<min(radius, width) { sum += from[row + x] }
      for x in 0..<width {
        if x + radius < width { sum += from[row + x + radius] }
        if x > radius { sum -= from[row + x - radius - 1] }
        to[row + x] = sum * share
      }
    }
  }

  private func down<Value: Averaged>(
    _ from: UnsafeMutableBufferPointer<Value>, to: UnsafeMutableBufferPointer<Value>
  ) {
    // All columns at once, as rows lie in memory.
    var sums = [Value](repeating: .zero, count: width)
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<min(radius, height) {
        for x in 0..<width { sums[x] += from[row * width + x] }
      }
      for row in 0..<height {
        let (entering, leaving) = ((row + radius) * width, (row - radius - 1) * width)
        if row + radius < height {
          for x in 0..<width { sums[x] += from[entering + x] }
        }
        if row > radius {
          for x in 0..<width { sums[x] -= from[leaving + x] }
        }
        for x in 0..<width { to[row * width + x] = sums[x] * share }
      }
    }
  }
}

extension ObjectMask {
  /// Whether a place, in pixels of the picture, is the object's: half or more of its four nearest
  /// pixels, by their shares.
  @inline(__always)
  func covers(at place: SIMD2<Float>) -> Bool {
    let (x, y) = (place.x - 0.5 - Float(left), place.y - 0.5 - Float(top))
    guard x > -1, y > -1, x < Float(width), y < Float(height) else { return false }
    let (column, row) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
    let (across, down) = (x - Float(column), y - Float(row))
    @inline(__always)
    func cell(_ column: Int, _ row: Int) -> Float {
      column >= 0 && row >= 0 && column < width && row < height
        ? Float(cells[row * width + column]) : 0
    }
    let upper = (1 - across) * cell(column, row) + across * cell(column + 1, row)
    let lower = (1 - across) * cell(column, row + 1) + across * cell(column + 1, row + 1)
    return (1 - down) * upper + down * lower >= 0.5
  }
}
