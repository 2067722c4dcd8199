// SPDX-License-Identifier: Apache-2.0

/// A point or direction of the street: x along the road, y to the left, z up; metres.
typealias Vector = SIMD3<Double>
/// A colour in linear light: blue, green, red.
typealias Colour = SIMD3<Float>

/// The sine, by reduction and a Taylor polynomial.
///
/// The C library picks another routine on each processor; this one gives the same bits on all of
/// them.
func sine(_ angle: Double) -> Double {
  let turns = (angle * (1 / Double.pi)).rounded()
  let x = (angle - turns * 3.141592653589793) - turns * 1.2246467991473532e-16
  let y = x * x
  var sum = -1 / 1307674368000.0
  for coefficient in [
    1 / 6227020800.0, -1 / 39916800.0, 1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0, 1.0,
  ] { sum = sum * y + coefficient }
  let value = x * sum
  return Int(turns) & 1 == 0 ? value : -value
}

func cosine(_ angle: Double) -> Double { sine(angle + Double.pi / 2) }

func dot(_ a: Vector, _ b: Vector) -> Double { (a * b).sum() }

func cross(_ a: Vector, _ b: Vector) -> Vector {
  Vector(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

func normalised(_ v: Vector) -> Vector { v / (v * v).sum().squareRoot() }

@inline(__always)
func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { a.x * b.x + a.y * b.y + a.z * b.z }

@inline(__always)
func mix(_ a: Colour, _ b: Colour, _ share: Float) -> Colour { a + (b - a) * share }

@inline(__always)
func clamped(_ value: Float) -> Float { min(max(value, 0), 1) }

/// 0 up to `low`, 1 from `high` on, smooth between.
@inline(__always)
func smoothStep(_ low: Float, _ high: Float, _ value: Float) -> Float {
  let t = clamped((value - low) / (high - low))
  return t * t * (3 - 2 * t)
}

/// The largest integer not above a value; 0 for what is no number or beyond all patterns.
@inline(__always)
func wholePart(_ value: Float) -> Int32 {
  guard abs(value) < 0x1p30 else { return 0 }
  let truncated = Int32(value)
  return Float(truncated) > value ? truncated &- 1 : truncated
}

/// A rotation and a shift: a point of a part, in the part's own axes, to where it is in the street.
struct Pose: Sendable {
  var x = Vector(1, 0, 0), y = Vector(0, 1, 0), z = Vector(0, 0, 1)
  var origin = Vector()

  static let identity = Pose()

  /// Facing along the road that rises `slope` metres to the left a metre ahead.
  static func facing(slope: Double, at origin: Vector) -> Pose {
    let ahead = normalised(Vector(1, slope, 0))
    return Pose(x: ahead, y: Vector(-ahead.y, ahead.x, 0), z: Vector(0, 0, 1), origin: origin)
  }

  func point(_ p: Vector) -> Vector { direction(p) + origin }
  func direction(_ d: Vector) -> Vector { x * d.x + y * d.y + z * d.z }

  /// What `inner` places, placed by this.
  func callAsFunction(_ inner: Pose) -> Pose {
    Pose(
      x: direction(inner.x), y: direction(inner.y), z: direction(inner.z),
      origin: point(inner.origin))
  }

  var inverse: Pose {
    let transposed = Pose(
      x: Vector(x.x, y.x, z.x), y: Vector(x.y, y.y, z.y), z: Vector(x.z, y.z, z.z))
    return Pose(
      x: transposed.x, y: transposed.y, z: transposed.z, origin: -transposed.direction(origin))
  }

  static func shift(_ x: Double, _ y: Double, _ z: Double) -> Pose {
    Pose(origin: Vector(x, y, z))
  }

  /// A turn about the axis to the left: a positive angle swings what hangs down forward.
  static func swing(_ angle: Double) -> Pose {
    let (s, c) = (sine(angle), cosine(angle))
    return Pose(x: Vector(c, 0, s), z: Vector(-s, 0, c))
  }

  /// A turn about the vertical: a positive angle turns to the left.
  static func turn(_ angle: Double) -> Pose {
    let (s, c) = (sine(angle), cosine(angle))
    return Pose(x: Vector(c, s, 0), y: Vector(-s, c, 0))
  }

  /// A turn about the direction of travel: a positive angle leans the top to the right.
  static func roll(_ angle: Double) -> Pose {
    let (s, c) = (sine(angle), cosine(angle))
    return Pose(y: Vector(0, c, s), z: Vector(0, -s, c))
  }
}
