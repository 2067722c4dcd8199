// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Video

/// Carries the box of one object along the flow inside it, from a key frame on.
///
/// Points of the key frame's box are followed from frame to frame. What moves the box is a fit of
/// their way since the key: a shift, a scale for each axis and, where the flow supports it, shear.
/// Errors of single steps do not add up in the box as they would if it were moved step by step.
///
/// The fit is robust in three ways. The *background*'s motion is fitted to a ring around the box;
/// points that move as it does and not as the object weigh little, more surely with each frame.
/// The object's step is the *mode* of what its points say, near the motion it had against the
/// background where that is likely, so that an occluder or the background does not catch it. Then
/// iteratively reweighted least squares refine it (Holland and Welsch, 1977, Cauchy's weights). A
/// point that leaves the fit, or fails a check (forward-backward, or photometric as in Sundaram et
/// al., ECCV 2010), is put back to where the fit leads. Following many points and trusting those
/// that agree is the idea of Median Flow (Kalal et al., ICPR 2010).
///
/// Where little is known the box goes on with the motion it had; without one it stands still. A
/// value: copies go separate ways.
public struct BoxMotion: Sendable {
  /// The box in the present frame, cut off at the picture's edges.
  public private(set) var box: BoundingBox
  /// The same as the fit has it, which may lie outside of the picture in part or all.
  public private(set) var uncutBox: BoundingBox
  /// Frames since the key frame.
  public private(set) var age = 0
  /// How much of the flow inside the box spoke for the last step, from 0 to 1; 1 at a key frame.
  public private(set) var support = 1.0
  /// Pixels a frame that the box moved last.
  public private(set) var velocity = SIMD2<Double>.zero
  /// How much the motion inside the box spread about the fit in the last step, in pixels.
  public private(set) var spread = 0.0
  /// Grey levels, from 0 to 255, by which the object's picture changed in the last step; nil where
  /// no pictures were given.
  public private(set) var brightness: Double?

  /// What its steps since the key frame come to.
  private(set) var sinceKeyframe = Steps()

  let settings: Settings
  private var filter: VelocityFilter
  var object: ObjectPoints
  /// The motion against the background, in pixels a frame; nil where it is not known yet.
  var relativeVelocity: SIMD2<Double>?
  var drift = BoxDrift()
  /// The box as the points alone have it.
  private(set) var fitted: BoundingBox

  /// A box of a key frame.
  ///
  /// - Precondition: the box is finite and has an inside.
  public init(box: BoundingBox, settings: Settings = Settings()) {
    precondition(box.isUsable, "\(box) has no inside")
    filter = VelocityFilter(box)
    (self.box, uncutBox, fitted, self.settings) = (box, box, box, settings)
    object = ObjectPoints(in: box, side: settings.side)
  }

  /// Brings the box to the later frame of a step.
  public mutating func advance(along step: MotionStep) {
    age += 1
    switch settings.way {
    case .flow: follow(step)
    case .velocity:
      filter.predict()
      (uncutBox, velocity) = (filter.box, filter.velocity)
    case .rest: break
    }
    box = uncutBox.cut(to: step.size)
  }

  private mutating func follow(_ step: MotionStep) {
    let found = object.advance(along: step, relative: relativeVelocity, velocity: velocity)
    (support, velocity, spread) = (found.support, found.velocity, found.spread)
    brightness = found.brightness
    sinceKeyframe.add(brightness, spread / max(1, box.area.squareRoot()), 1 - support)
    if let background = found.background {
      let now = velocity - background
      relativeVelocity = relativeVelocity.map { ($0 + now) / 2 } ?? now
    }
    fitted = object.box
    uncutBox = drift.corrected(fitted, age: age, gain: settings.driftGain)
  }

  /// Starts anew from a box of the same object that a key frame's network found.
  ///
  /// What was learned goes on: where in the box the object is, how it moves against the
  /// background, and how far the carried box drifted from the found one. To learn the last, bring
  /// the box to the key frame first.
  ///
  /// - Precondition: the box is finite and has an inside.
  public mutating func restart(at found: BoundingBox) {
    precondition(found.isUsable, "\(found) has no inside")
    if age > 0 {
      drift.learn(from: fitted, found: found, frames: age)
      filter.update(found)
    }
    object = ObjectPoints(in: found, side: settings.side, remembering: object)
    (box, uncutBox, fitted) = (found, found, found)
    (age, support, spread, brightness, sinceKeyframe) = (0, 1, 0, nil, Steps())
  }
}

extension BoxMotion {
  /// How boxes are carried.
  public struct Settings: Sendable, Hashable {
    /// Points along each side of the grid that is followed.
    public var side: Int
    /// How much of the drift found at the last key frames is corrected, from 0 to 1.
    ///
    /// A network that finds tight boxes has the drift go on: things turn, and come out from behind
    /// others. Boxes that jitter want less.
    public var driftGain: Double
    /// What boxes go by.
    public var way: Way

    /// What boxes go by between key frames.
    public enum Way: String, Sendable, Hashable, CaseIterable {
      /// The optical flow inside them.
      case flow
      /// The velocity of the last key frames, as in SORT: no flow is needed, and no picture.
      case velocity
      /// Nothing: they stay where they were found.
      case rest
    }

    /// The settings that rendered streets and machine-labelled driving videos chose.
    ///
    /// - Precondition: `side` is from 4 to 64, `driftGain` from 0 to 1.
    public init(side: Int = 10, driftGain: Double = 0.5, way: Way = .flow) {
      precondition((4...64).contains(side), "\(side) points along a side")
      precondition((0...1).contains(driftGain), "\(driftGain) of the drift")
      (self.side, self.driftGain, self.way) = (side, driftGain, way)
    }
  }
}

/// How a carried box differed from the found ones, a frame.
struct BoxDrift: Sendable {
  /// Centre in box sizes, and logarithms of the size.
  private var rate: SIMD4<Double>?
  /// The most that is believed of one frame.
  private static let most = 0.05

  mutating func learn(from carried: BoundingBox, found: BoundingBox, frames: Int) {
    let scale = SIMD4(found.width, found.height, 1, 1)
    let now = ((found.logarithmic - carried.logarithmic) / scale / Double(frames))
      .clamped(
        lowerBound: SIMD4(repeating: -Self.most), upperBound: SIMD4(repeating: Self.most))
    rate = rate.map { ($0 + now) / 2 } ?? now
  }

  func corrected(_ box: BoundingBox, age: Int, gain: Double) -> BoundingBox {
    guard let rate else { return box }
    let scale = SIMD4(box.width, box.height, 1, 1)
    return BoundingBox(logarithmic: box.logarithmic + gain * Double(age) * rate * scale)
  }
}

extension BoundingBox {
  /// Whether it is finite and has an inside.
  var isUsable: Bool {
    x.isFinite && y.isFinite && width.isFinite && height.isFinite && width > 0 && height > 0
      && abs(x) < 1e7 && abs(y) < 1e7 && width < 1e7 && height < 1e7
  }

  var centre: SIMD2<Double> { SIMD2(x + width / 2, y + height / 2) }
  var size: SIMD2<Double> { SIMD2(width, height) }

  init(centre: SIMD2<Double>, size: SIMD2<Double>) {
    self.init(
      x: centre.x - size.x / 2, y: centre.y - size.y / 2, width: size.x, height: size.y)
  }

  /// The centre, and the logarithms of width and height; what is narrower than a pixel counts as
  /// one.
  fileprivate var logarithmic: SIMD4<Double> {
    SIMD4(centre.x, centre.y, log(max(1, width)), log(max(1, height)))
  }

  fileprivate init(logarithmic value: SIMD4<Double>) {
    self.init(
      centre: SIMD2(value.x, value.y), size: SIMD2(exp(value.z), exp(value.w)))
  }

  /// What of it lies in a picture; without an inside where nothing does.
  func cut(to picture: PixelSize) -> BoundingBox {
    let (left, top) = (max(0, x), max(0, y))
    let right = min(x + width, Double(picture.width))
    let bottom = min(y + height, Double(picture.height))
    return BoundingBox(x: left, y: top, width: max(0, right - left), height: max(0, bottom - top))
  }
}
