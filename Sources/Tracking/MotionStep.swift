// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// What is known of the way from an earlier frame to a later one, along which boxes are carried.
///
/// Often the earlier frame is the one before; it may be the key frame as well. Boxes live in pixels
/// of the frames; a field may lie on a coarser grid that covers them. `forward` leads the way the
/// boxes go and is read where they are. `backward` is what propagation of feature maps uses; what
/// it says at a place of the earlier frame is found by fixed-point iteration.
public struct MotionStep: Sendable {
  /// Columns and rows of the frames.
  public let size: PixelSize
  /// Where each cell of the earlier frame is in the later one.
  public let forward: MotionField?
  /// Where each cell of the later frame was in the earlier one: the flow to it.
  public let backward: MotionField?
  /// Both pictures, for the photometric check; nil where there is none.
  public let pictures: (earlier: Image, later: Image)?

  /// A step along what is known; where both fields are, forward-backward consistency is checked.
  ///
  /// - Precondition: pictures, where given, are of the frames' size.
  public init(
    size: PixelSize, forward: MotionField? = nil, backward: MotionField? = nil,
    pictures: (earlier: Image, later: Image)? = nil
  ) {
    if let (earlier, later) = pictures {
      precondition(
        earlier.size == size && later.size == size,
        "pictures of \(earlier.size) and \(later.size) for a step at \(size)")
    }
    (self.size, self.forward, self.backward) = (size, forward, backward)
    self.pictures = pictures
  }

  /// A step along the forward flow that an estimator finds, with both pictures.
  ///
  /// One field is estimated, from `earlier`'s pixel grid; it throws what the estimator throws.
  public init(
    from earlier: Frame, to later: Frame, by estimator: some FlowEstimator
  ) throws {
    self.init(
      size: earlier.pixels.size, forward: try estimator.motion(from: earlier, to: later),
      pictures: (earlier.pixels, later.pixels))
  }
}

/// Where a point of the earlier frame went, as a step says.
struct PointStep {
  var displacement: SIMD2<Double>
  /// Zero where nothing is known, less than one where a check failed.
  var reliability: Double
}

extension MotionStep {
  /// What is left of a point that fails a check, or leads out of the picture.
  private static let failed = 0.1, outside = 0.02
  /// How far from a solution the fixed-point iteration may end, in pixels.
  private static let closeEnough = 1.0

  /// The displacement of `place`, in pixels of the frames; `guess` starts the search in a field
  /// that leads back.
  func displacement(of place: SIMD2<Double>, guess: SIMD2<Double>) -> PointStep {
    var step: PointStep
    if let forward {
      step = forward.reading(at: place, in: size)
      if let backward, step.reliability > 0 {
        let back = backward.reading(at: place + step.displacement, in: size)
        if !Self.agree(step.displacement, back.displacement) { step.reliability = Self.failed }
      }
    } else if let backward {
      step = Self.inverse(of: backward, at: place, guess: guess, in: size)
    } else {
      return PointStep(displacement: .zero, reliability: 0)
    }
    let end = place + step.displacement
    let isInside =
      end.x >= 0 && end.y >= 0 && end.x <= Double(size.width) && end.y <= Double(size.height)
    if !isInside { step.reliability = min(step.reliability, Self.outside) }
    return step
  }

  /// Whether one leads back from where the other leads: equation 5 of Sundaram et al., ECCV 2010.
  private static func agree(_ there: SIMD2<Double>, _ back: SIMD2<Double>) -> Bool {
    (there + back).squaredLength <= 0.01 * (there.squaredLength + back.squaredLength) + 0.5
  }

  /// The d for which `place + d` leads back to `place`.
  private static func inverse(
    of field: MotionField, at place: SIMD2<Double>, guess: SIMD2<Double>, in size: PixelSize
  ) -> PointStep {
    var displacement = guess
    for _ in 0..<4 {
      displacement = -field.reading(at: place + displacement, in: size).displacement
    }
    let last = field.reading(at: place + displacement, in: size)
    let error = (displacement + last.displacement).squaredLength
    let isFound = error <= closeEnough * closeEnough
    return PointStep(
      displacement: displacement, reliability: isFound ? last.reliability : failed)
  }

  /// How much a point's grey value differs between the frames, from 0 to 255; nil without pictures.
  func brightnessChange(of place: SIMD2<Double>, movedBy displacement: SIMD2<Double>) -> Double? {
    guard let (earlier, later) = pictures else { return nil }
    return abs(earlier.grey(at: place) - later.grey(at: place + displacement))
  }
}

extension MotionField {
  /// The displacement at a place of a frame of `size`, in its pixels, read bilinearly.
  ///
  /// Beyond the grid's edge it is that of the nearest cells.
  fileprivate func reading(at place: SIMD2<Double>, in size: PixelSize) -> PointStep {
    let unit = SIMD2(
      Double(size.width) / Double(width), Double(size.height) / Double(height))
    let tap = BilinearTap(at: place / unit, width: width, height: height)
    var (sum, weight) = (SIMD2<Double>.zero, 0.0)
    let displacements = displacements
    tap.forEach { cell, share in
      guard known.map({ $0[cell] != 0 }) ?? true else { return }
      sum += share * SIMD2(Double(displacements[2 * cell]), Double(displacements[2 * cell + 1]))
      weight += share
    }
    guard weight > 0.5, sum.x.isFinite, sum.y.isFinite else {
      return PointStep(displacement: .zero, reliability: 0)
    }
    return PointStep(displacement: sum / weight * unit, reliability: 1)
  }
}

extension Image {
  /// The grey value at a place, read bilinearly: BT.601 of BGR, or the first of other channels.
  fileprivate func grey(at place: SIMD2<Double>) -> Double {
    let tap = BilinearTap(at: place, width: width, height: height)
    return withUnsafeBytes { bytes in
      var sum = 0.0
      tap.forEach { cell, share in
        let at = cell * channels
        let value =
          channels == 3
          ? 0.114 * Double(bytes[at]) + 0.587 * Double(bytes[at + 1])
            + 0.299 * Double(bytes[at + 2])
          : Double(bytes[at])
        sum += share * value
      }
      return sum
    }
  }
}

/// The four cells around a place, and the share of each; cells' centres lie at half coordinates.
private struct BilinearTap {
  private let first: Int, right: Int, down: Int
  private let part: SIMD2<Double>

  init(at place: SIMD2<Double>, width: Int, height: Int) {
    let x = min(max(place.x - 0.5, 0), Double(width - 1))
    let y = min(max(place.y - 0.5, 0), Double(height - 1))
    let (column, row) = (Int(x), Int(y))
    first = row * width + column
    right = column + 1 < width ? 1 : 0
    down = row + 1 < height ? width : 0
    part = SIMD2(x - Double(column), y - Double(row))
  }

  @inline(__always)
  func forEach(_ body: (_ cell: Int, _ share: Double) -> Void) {
    body(first, (1 - part.x) * (1 - part.y))
    body(first + right, part.x * (1 - part.y))
    body(first + down, (1 - part.x) * part.y)
    body(first + right + down, part.x * part.y)
  }
}

extension SIMD2<Double> {
  var squaredLength: Double { x * x + y * y }
}

extension MotionStep {
  /// The flow to the frame before of a region's pixels, and how much the grey value changes along
  /// it, from 0 to 255; `usual` where nothing is known, and where only flow from the frame before
  /// is.
  func flow(of region: PixelRegion, otherwise usual: BoxStep) -> RegionFlow {
    var steps = (0..<region.count).map { usual(region.centre(of: $0)) }
    guard let backward else { return RegionFlow(steps: steps, changes: changes(region, steps)) }
    guard (backward.width, backward.height) == (size.width, size.height) else {
      for cell in steps.indices {
        let found = backward.reading(at: SIMD2<Double>(region.centre(of: cell)), in: size)
        if found.reliability > 0 { steps[cell] = SIMD2<Float>(found.displacement) }
      }
      return RegionFlow(steps: steps, changes: changes(region, steps))
    }
    // A cell for each pixel: nothing lies between cells.
    backward.displacements.withUnsafeBufferPointer { field in
      for y in 0..<region.height {
        let row = (region.top + y * region.stride) * size.width + region.left
        for x in 0..<region.width {
          let at = row + x * region.stride
          guard backward.known.map({ $0[at] != 0 }) ?? true else { continue }
          let step = SIMD2(field[2 * at], field[2 * at + 1])
          if step.x.isFinite && step.y.isFinite { steps[y * region.width + x] = step }
        }
      }
    }
    return RegionFlow(steps: steps, changes: changes(region, steps))
  }

  /// How much the grey value of a region's pixels changes along steps to the frame before, from 0
  /// to 255; 0 without pictures.
  private func changes(_ region: PixelRegion, _ steps: [SIMD2<Float>]) -> [Float] {
    guard let (earlier, later) = pictures else {
      return [Float](repeating: 0, count: region.count)
    }
    return earlier.withUnsafeBytes { before in
      later.withUnsafeBytes { now in
        let (before, now) = (
          GreyPlane(before, size, earlier.channels), GreyPlane(now, size, later.channels)
        )
        return (0..<region.count).map { cell in
          let pixel = region.pixel(cell)
          return abs(
            now[pixel.x, pixel.y] - before.value(at: region.centre(of: cell) + steps[cell]))
        }
      }
    }
  }
}

/// Grey values of a picture: BT.601 of BGR, or the first of other channels.
private struct GreyPlane {
  private let bytes: UnsafeRawBufferPointer
  private let size: PixelSize
  private let channels: Int

  init(_ bytes: UnsafeRawBufferPointer, _ size: PixelSize, _ channels: Int) {
    (self.bytes, self.size, self.channels) = (bytes, size, channels)
  }

  @inline(__always)
  subscript(x: Int, y: Int) -> Float {
    let at = (y * size.width + x) * channels
    return channels == 3
      ? 0.114 * Float(bytes[at]) + 0.587 * Float(bytes[at + 1]) + 0.299 * Float(bytes[at + 2])
      : Float(bytes[at])
  }

  /// Read bilinearly; beyond the picture it is that of its edge.
  @inline(__always)
  func value(at place: SIMD2<Float>) -> Float {
    let x = min(max(place.x - 0.5, 0), Float(size.width - 1))
    let y = min(max(place.y - 0.5, 0), Float(size.height - 1))
    let (column, row) = (Int(x), Int(y))
    let (right, down) = (min(column + 1, size.width - 1), min(row + 1, size.height - 1))
    let (across, along) = (x - Float(column), y - Float(row))
    let upper = self[column, row] + across * (self[right, row] - self[column, row])
    let lower = self[column, down] + across * (self[right, down] - self[column, down])
    return upper + along * (lower - upper)
  }
}
