// SPDX-License-Identifier: Apache-2.0

extension StreetShader {
  /// Asphalt with patches, worn tracks, seams and paint.
  func road(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.ground.x, place.ground.y)
    let lateral = surroundings.lateral(x, y)
    let half = surroundings.halfWidth
    guard abs(lateral) < half + 0.2 else { return grass(material, place) }
    // Far away a pixel covers much more along the road than across it.
    let long = place.footprint * max(1, -place.ray.z > 0 ? min(1 / -place.ray.z, 40) : 40)
    let spread = (place.footprint * long).squareRoot()
    let coarse = noise(.fractal, x / 32, y / 32, spread / 32)
    let fine = noise(.grain, x / 2, y / 2, spread / 2) - 0.5
    var tone = 0.12 + 0.06 * (coarse - 0.5) + 0.05 * fine
    tone += wear(lateral) + repairs(x, lateral, half)
    tone *= 1 - 0.35 * smoothStep(half - 0.45, half - 0.1, abs(lateral))
    let base = Colour(1.06, 1.0, 0.97) * max(tone, 0.03)
    let paint = marking(x, lateral, half, place.footprint)
    let worn = paint.share * (0.62 + 0.5 * smoothStep(0.25, 0.55, coarse + fine * 0.6))
    return Finish(colour: mix(base, paint.colour, clamped(worn)))
  }

  /// Tyres polish two tracks a lane; oil darkens what is between them.
  private func wear(_ lateral: Float) -> Float {
    let lane = abs(abs(lateral) - 1.85)
    let track = smoothStep(0.35, 0, abs(lane - 0.75))
    return 0.018 * track - 0.014 * smoothStep(0.4, 0, lane)
      - 0.05 * smoothStep(0.03, 0.012, abs(lateral - 0.16))
  }

  /// Darker or lighter rectangles where the road was opened, manholes, drains.
  private func repairs(_ x: Float, _ lateral: Float, _ half: Float) -> Float {
    let cell = wholePart(x / 8), strip = wholePart((lateral + 32) / 1.6)
    let absolute = cell &+ surroundings.blocksBefore
    let chance = hashed(absolute, strip, surroundings.seed)
    let (u, v) = (x - Float(cell) * 8, lateral + 32 - Float(strip) * 1.6)
    if chance & 0xFF < 52 {
      let (from, to) = (fraction(chance, 1) * 3, 4 + fraction(chance, 2) * 4)
      let low = fraction(chance, 3) * 0.5
      let inside = u > from && u < to && v > low && v < 1.45
      let rim = min(min(u - from, to - u), min(v - low, 1.45 - v))
      if inside { return rim < 0.04 ? -0.06 : (chance & 0x100 == 0 ? -0.035 : 0.03) }
    } else if chance & 0xFF < 66 {
      let (du, dv) = (u - 4, v - 0.8)
      let square = du * du + dv * dv
      if square < 0.1 { return square > 0.075 ? 0.03 : -0.07 }
    }
    return 0
  }

  /// The paint at a place of the road and how much of it covers.
  private func marking(
    _ x: Float, _ lateral: Float, _ half: Float, _ footprint: Float
  ) -> (colour: Colour, share: Float) {
    let white = Colour(0.66, 0.68, 0.68), yellow = Colour(0.14, 0.5, 0.62)
    for crossing in surroundings.crossings where x > crossing.0 - 2.5 && x < crossing.1 + 2.5 {
      if x > crossing.0 && x < crossing.1 {
        let bar = lateral / 1.1 + 64
        return (white, bar - Float(wholePart(bar)) < 0.5 ? 1 : 0)
      }
      let stop = min(abs(x - crossing.0 + 1.6), abs(x - crossing.1 - 1.6))
      return (white, stop < 0.13 ? 1 : 0)
    }
    let dash = (x + surroundings.dashPhase) / 6 + 64
    let on: Float = dash - Float(wholePart(dash)) < 0.5 ? 1 : 0
    let centre = smoothStep(0.075 + footprint * 0.3, 0.05, abs(lateral))
    let edge = half - abs(lateral)
    if surroundings.seed & 3 != 0 {
      let lines = edge > 0.2 && edge < 0.28 || edge > 0.38 && edge < 0.46
      if lines { return (yellow, 0.9) }
    } else if edge > 0.3 && edge < 0.4 {
      return (white, 0.9)
    }
    return (white, centre * on)
  }

  /// Slabs, laid in courses, a few replaced.
  func pavement(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.ground.x, surroundings.lateral(place.ground.x, place.ground.y))
    let row = wholePart(y / 0.6 + 64)
    let along = x / 0.8 + Float(row & 1) * 0.5 + 600
    let column = wholePart(along)
    let (u, v) = ((along - Float(column)) * 0.8, y - (Float(row) - 64) * 0.6)
    let absolute = column &+ 10 &* surroundings.blocksBefore
    let slab = fraction(hashed(absolute, row, surroundings.seed)) - 0.5
    let long = min(0.5, place.footprint * 6)
    let joint = smoothStep(0.022, 0.008, min(min(u, 0.8 - u), min(v, 0.6 - v))) * (1 - 2 * long)
    let stain = noise(.fractal, x / 16, y / 16, place.footprint / 4)
    let fine = noise(.grain, x / 2, y / 2, place.footprint * 2) - 0.5
    let tone = 1 + 0.22 * slab * (1 - long) + 0.35 * (stain - 0.5) + 0.22 * fine - 0.45 * joint
    return Finish(colour: material.colour * tone)
  }

  func kerb(_ material: StreetMaterial, _ place: Place) -> Finish {
    let stone = place.ground.x + 600
    let offset = stone - Float(wholePart(stone))
    let fine = noise(.grain, place.ground.x / 2, place.ground.z, place.footprint / 2) - 0.5
    let joint: Float = offset < 0.02 && place.footprint < 0.03 ? 0.6 : 1
    return Finish(colour: material.colour * (joint * (1 + 0.5 * fine)))
  }

  func grass(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (x, y) = (place.ground.x, place.ground.y)
    let coarse = noise(.fractal, x / 16, y / 16, place.footprint / 4)
    let fine = noise(.grain, x / 2, y / 2, place.footprint)
    let green = mix(Colour(0.035, 0.13, 0.07), Colour(0.07, 0.2, 0.16), coarse)
    return Finish(colour: green * (0.55 + 0.9 * fine))
  }
}
