// SPDX-License-Identifier: Apache-2.0

extension StreetShader {
  /// Leaves in many tones, lighter towards the sun, dark inside the crown.
  func foliage(_ material: StreetMaterial, _ place: inout Place) -> Finish {
    let (u, v) = StreetCutouts.crownPlace(material, place.local)
    let footprint = place.footprint / material.numbers.z * material.numbers.x
    let leaf = noise(.leaves, u * 1.7, v * 1.7, footprint * 1.7)
    let clump = noise(.fractal, u * 0.45, v * 0.45, footprint)
    let tone = 0.35 + 0.6 * leaf + 0.6 * clump
    let tilt = SIMD3<Float>(leaf - 0.5, clump - 0.5, 0.3) * 0.9
    let normal = place.normal + tilt
    place.normal = normal * (1 / dot(normal, normal).squareRoot())
    let depth = 0.6 + 0.4 * smoothStep(-1, 0.8, place.local.z)
    return Finish(colour: mix(material.colour, material.accent, clump) * (tone * depth))
  }

  func twigs(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = StreetCutouts.crownPlace(material, place.local)
    return Finish(colour: material.colour * (0.7 + 0.6 * noise(.fractal, u, v, 0.01)))
  }

  func bark(_ material: StreetMaterial, _ place: Place) -> Finish {
    let ridge = noise(.grain, place.local.x * 0.2 + place.local.y * 0.1, place.local.z * 0.1, 0.01)
    return Finish(colour: material.colour * (0.5 + ridge))
  }

  /// Car paint with doors, lamps and plates.
  ///
  /// Local coordinates are (x, z), (x, y) or (y, z) of the car
  /// by side; numbers: half length, half width, wheel base / 2, height of the belt; more.x: height.
  func bodywork(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = (place.local.x, place.local.y)
    switch place.side {
    case 0: return carEnd(material, u, v, isFront: material.more.y > 0)
    case 1: return carSide(material, u, v)
    default: return Finish(colour: material.colour, gloss: 0.55)
    }
  }

  private func carSide(_ material: StreetMaterial, _ x: Float, _ z: Float) -> Finish {
    let (half, base, belt) = (material.numbers.x, material.numbers.z, material.numbers.w)
    for wheel in [base, -base] {
      let (dx, dz) = (x - wheel, z - 0.31)
      if dx * dx + dz * dz < 0.145 { return Finish(colour: Colour(repeating: 0.012)) }
    }
    if z < 0.3 { return Finish(colour: Colour(repeating: 0.025)) }
    let isSeam =
      abs(x - 0.02) < 0.013 || abs(x - base * 0.62) < 0.013 || abs(x + base * 0.75) < 0.013
    if isSeam && z < belt { return Finish(colour: material.colour * 0.25) }
    if abs(z - belt * 0.62) < 0.025 { return Finish(colour: material.colour * 0.5, gloss: 0.2) }
    if abs(z - belt + 0.1) < 0.016, abs(abs(x + 0.15) - 0.12) < 0.09 || abs(x - 0.75) < 0.09 {
      return Finish(colour: Colour(repeating: 0.05), gloss: 0.3)
    }
    if x > half - 0.3 && z > 0.58 && z < 0.78 { return lens(Colour(0.5, 0.55, 0.55)) }
    if x < -half + 0.22 && z > 0.62 && z < 0.95 { return lens(Colour(0.02, 0.02, 0.4)) }
    return Finish(colour: material.colour, gloss: 0.4)
  }

  private func lens(_ colour: Colour) -> Finish {
    Finish(colour: colour, gloss: 0.5, glow: colour * 0.12)
  }

  /// Bumper, grille, plate and lamps, at the front or the back.
  private func carEnd(
    _ material: StreetMaterial, _ y: Float, _ z: Float, isFront: Bool
  ) -> Finish {
    let across = abs(y) / material.numbers.y
    if z < 0.34 { return Finish(colour: Colour(repeating: 0.02)) }
    let plate = abs(y) < 0.27 && abs(z - 0.46) < 0.065
    if plate {
      return Finish(colour: isFront ? Colour(0.6, 0.6, 0.58) : Colour(0.08, 0.5, 0.6))
    }
    if isFront {
      if across > 0.56 && z > 0.55 && z < 0.74 { return lens(Colour(0.75, 0.8, 0.8)) }
      if across < 0.5 && z > 0.56 && z < 0.7 {
        return Finish(colour: Colour(repeating: 0.02), gloss: 0.1)
      }
    } else if across > 0.66 && z > 0.58 && z < 0.92 {
      return lens(Colour(0.015, 0.015, 0.5))
    }
    if abs(z - 0.54) < 0.015 { return Finish(colour: Colour(repeating: 0.02)) }
    return Finish(colour: material.colour, gloss: 0.4)
  }

  /// A tyre with a spoked rim; the axle is w.
  func wheel(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.local.x, place.local.y)
    let square = x * x + y * y
    if square > 0.44 { return Finish(colour: Colour(repeating: 0.018)) }
    if square < 0.03 { return Finish(colour: Colour(repeating: 0.3), gloss: 0.2) }
    let spoke = min(min(abs(x), abs(y)), min(abs(x - y), abs(x + y)) * 0.707) < 0.11
    return spoke
      ? Finish(colour: Colour(repeating: 0.34), gloss: 0.3)
      : Finish(colour: Colour(repeating: 0.04))
  }

  /// A traffic sign.
  ///
  /// numbers.x: 0 round with a red rim, 1 triangle, 2 a rectangle in its colour.
  func sign(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.local.x, place.local.y)
    let red = Colour(0.03, 0.03, 0.55), white = Colour(0.75, 0.75, 0.75),
      ink = Colour(repeating: 0.03)
    let strokes = hashed(wholePart(x * 3 + 8), wholePart(y * 3 + 8), material.seed)
    switch material.numbers.x {
    case 0:
      let square = x * x + y * y
      if square > 0.58 { return Finish(colour: red, gloss: 0.05) }
      let isBlue = material.seed & 8 == 0
      let ground = isBlue ? Colour(0.5, 0.16, 0.02) : white
      let isInk = isBlue ? abs(x + y) < 0.16 : square < 0.3 && strokes & 1 == 0
      return Finish(colour: isInk ? (isBlue ? red : ink) : ground, gloss: 0.05)
    case 1:
      let isRim = abs(x) * 1.9 > 0.7 - y || y < -0.72
      return Finish(colour: isRim ? red : (abs(x) < 0.12 && y < 0.2 ? ink : white), gloss: 0.05)
    default:
      let isRim = max(abs(x), abs(y)) > 0.88
      let line = (y + 1) * 2.5
      let inLine = line - Float(wholePart(line)) > 0.45 && abs(y) < 0.75 && abs(x) < 0.75
      let letter = hashed(wholePart(x * 11 + 32), wholePart(line), material.seed)
      let isInk = inLine && letter & 3 != 0
      return Finish(colour: isRim || isInk ? white : material.colour, gloss: 0.05)
    }
  }

  /// A traffic light's face, −1 … 1 high; numbers.x: 0 red, 1 amber, 2 green is lit.
  func signals(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.local.x, place.local.y)
    let lamps = [Colour(0.02, 0.03, 0.9), Colour(0.02, 0.5, 0.9), Colour(0.35, 0.9, 0.05)]
    for lamp in 0..<3 {
      let dy = y - 0.6 + Float(lamp) * 0.6
      if x * x * 0.16 + dy * dy < 0.055 {
        let isLit = Float(lamp) == material.numbers.x
        return Finish(colour: lamps[lamp] * 0.06, glow: isLit ? lamps[lamp] * 1.2 : Colour())
      }
    }
    let isRim = abs(x) > 0.9 || abs(y) > 0.96
    return Finish(colour: isRim ? Colour(repeating: 0.5) : Colour(repeating: 0.015))
  }

  /// Fence boards; numbers.x is their width.
  func panels(_ material: StreetMaterial, _ place: Place) -> Finish {
    let board = place.local.x / material.numbers.x
    let index = wholePart(board)
    let tone = 0.8 + 0.4 * fraction(hashed(index, 1, material.seed))
    let grain = noise(.grain, place.local.x, place.local.y / 8, place.footprint) - 0.5
    let gap: Float = board - Float(index) < 0.08 ? 0.4 : 1
    return Finish(colour: material.colour * (tone * gap * (1 + 0.5 * grain)))
  }

  func cloth(_ material: StreetMaterial, _ place: Place) -> Finish {
    let fold = noise(.fractal, place.local.x * 0.13, place.local.z * 0.09, 0.004) - 0.5
    return Finish(colour: material.colour * (1 + 0.9 * fold))
  }
}
