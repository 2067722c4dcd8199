// SPDX-License-Identifier: Apache-2.0

public import Video

/// Key points carried along the flow from a key frame on, each by itself.
///
/// A point moves by the flow where it is, read bilinearly. Its confidence falls a little with each
/// frame, and to a tenth where a check fails: forward-backward where a step has both fields,
/// off the picture, where nothing is known (it then goes on as it moved last), or where the picture
/// at the point changes by more than `brightness` grey levels. A value: copies go separate ways.
public struct CarriedPoints: Sendable, Hashable {
  /// The points of the present frame, in the order in which they were given.
  public private(set) var points: [KeyPoint]
  /// Frames since the key frame.
  public private(set) var age = 0
  /// What a frame leaves of the confidence.
  public let decay: Double
  /// Grey levels, from 0 to 255, by which a point may change in a step.
  public let brightness: Double
  private let key: [KeyPoint]
  private var velocities: [SIMD2<Double>]

  /// The points of a key frame.
  ///
  /// - Precondition: `decay` is from 0 to 1.
  public init(_ points: [KeyPoint], decay: Double = 0.98, brightness: Double = 40) {
    precondition((0...1).contains(decay), "\(decay) is no share")
    (self.points, key) = (points, points)
    (self.decay, self.brightness) = (decay, brightness)
    velocities = [SIMD2<Double>](repeating: .zero, count: points.count)
  }

  /// Brings the points to the later frame of a step; those that are not finite stay as they are.
  public mutating func advance(along step: MotionStep) {
    age += 1
    for index in points.indices where points[index].x.isFinite && points[index].y.isFinite {
      let place = SIMD2(points[index].x, points[index].y)
      let found = step.displacement(of: place, guess: velocities[index])
      if found.reliability > 0 { velocities[index] = found.displacement }
      let change = step.brightnessChange(of: place, movedBy: velocities[index]) ?? 0
      let isTrusted = found.reliability > 0.5 && change <= brightness
      points[index].x += velocities[index].x
      points[index].y += velocities[index].y
      points[index].confidence *= decay * (isTrusted ? 1 : 0.1)
    }
  }

  /// Moves the points of the key frame as a box moved: scaled and shifted.
  mutating func move(from found: BoundingBox, to box: BoundingBox) {
    age += 1
    guard found.area > 0 else { return }
    for index in points.indices {
      let place = (SIMD2(key[index].x, key[index].y) - found.centre) / found.size
      let end = place * box.size + box.centre
      (points[index].x, points[index].y) = (end.x, end.y)
      points[index].confidence *= decay
    }
  }
}
