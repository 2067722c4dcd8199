// SPDX-License-Identifier: Apache-2.0

extension StreetShader {
  private static let doorPaints = [
    Colour(0.20, 0.05, 0.03), Colour(0.03, 0.03, 0.22), Colour(0.05, 0.12, 0.04),
    Colour(0.03, 0.03, 0.035), Colour(0.25, 0.25, 0.24),
  ]
  private static let shopPaints = [
    Colour(0.05, 0.06, 0.22), Colour(0.05, 0.13, 0.04), Colour(0.20, 0.07, 0.03),
    Colour(0.04, 0.04, 0.045), Colour(0.5, 0.55, 0.56), Colour(0.08, 0.3, 0.45),
    Colour(0.16, 0.16, 0.16), Colour(0.12, 0.08, 0.2),
  ]

  /// A house front.
  ///
  /// numbers: storey, bay, height, length in metres; more: shop (1) or not, share of a
  /// bay and of a storey that is window, wall style (0 brick, 1 plaster, 2 stone, 3 cladding).
  func facade(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = (place.local.x, place.local.y)
    let (storey, height, length) = (material.numbers.x, material.numbers.z, material.numbers.w)
    if material.more.x == 1 && v < storey { return shop(material, place) }
    let bays = max(1, (length / material.numbers.y).rounded())
    let bay = length / bays
    let column = wholePart(u / bay), floor = wholePart(v / storey)
    let x = u - (Float(column) + 0.5) * bay, y = v - Float(floor) * storey
    if v > height - 0.32 { return cornice(material, v - height) }
    let isDoor = floor == 0 && column == Int32(fraction(material.seed, 1) * bays)
    if isDoor, let door = door(material, x, y, place.footprint) { return door }
    let window = SIMD2(bay * material.more.y * 0.5, storey * material.more.z)
    let sill = min(0.85, (storey - window.y) * 0.6)
    if !isDoor, v + storey - y < height + 0.4,
      let seen = self.window(material, x, y - sill, window, column, floor, place)
    {
      return seen
    }
    var wall = self.wall(material, place)
    if floor > 0 && y < 0.13 && material.more.w != 3 {
      wall.colour = mix(wall.colour, material.accent, 0.6) * (y < 0.03 ? 0.6 : 1)
    }
    let pipe = abs(u - length + 0.25)
    if pipe < 0.05 { wall.colour = Colour(repeating: pipe < 0.015 ? 0.09 : 0.04) }
    wall.colour *= 0.8 + 0.2 * smoothStep(0, 1.2, v)
    return wall
  }

  private func cornice(_ material: StreetMaterial, _ below: Float) -> Finish {
    let tone: Float = below > -0.1 ? 1 : (below > -0.2 ? 0.8 : 0.55)
    return Finish(colour: material.accent * tone)
  }

  private func door(
    _ material: StreetMaterial, _ x: Float, _ y: Float, _ footprint: Float
  ) -> Finish? {
    guard abs(x) < 0.68, y < 2.75 else { return nil }
    if abs(x) > 0.5 || y > 2.6 { return Finish(colour: material.accent) }
    if y > 2.15 { return Finish(colour: Colour(0.04, 0.04, 0.04), gloss: 0.35) }
    let hash = material.seed &* 0x9E37_79B9
    let panel = abs(abs(x) - 0.24) < 0.15 && (abs(y - 0.55) < 0.3 || abs(y - 1.5) < 0.45)
    return Finish(
      colour: Self.doorPaints[Int(hash >> 24) % Self.doorPaints.count] * (panel ? 0.72 : 1),
      gloss: 0.06)
  }

  /// A sash or casement window with its lintel and sill, nil outside of it; from its sill's middle.
  private func window(
    _ material: StreetMaterial, _ x: Float, _ y: Float, _ size: SIMD2<Float>, _ column: Int32,
    _ floor: Int32, _ place: Place
  ) -> Finish? {
    let across = abs(x)
    guard across < size.x + 0.12, y > -0.12, y < size.y + 0.2 else { return nil }
    if across > size.x || y < 0 || y > size.y {
      if y < 0 { return Finish(colour: material.accent * (y < -0.09 ? 0.5 : 1.05)) }
      return y > size.y && material.more.w != 3 ? Finish(colour: material.accent * 0.85) : nil
    }
    let frame: Float = material.more.w == 3 ? 0.045 : 0.075
    let hash = hashed(column, floor, material.seed)
    let isSash = material.seed & 0x10 == 0
    let bar = across < 0.026 || isSash && abs(y - size.y * 0.5) < 0.034
    if across > size.x - frame || y < frame || y > size.y - frame || bar && material.more.w != 3 {
      let paint = material.seed & 0x60 == 0 ? Colour(repeating: 0.07) : Colour(0.62, 0.64, 0.64)
      return Finish(colour: paint * (y > size.y - 0.16 ? 0.55 : 1))
    }
    var room = Colour(0.035, 0.036, 0.038) * (0.4 + fraction(hash, 1) * 1.6)
    let curtain = size.x * (0.55 + 0.4 * fraction(hash, 2))
    if hash & 3 == 0 && across > curtain { room = Colour(0.30, 0.33, 0.35) }
    if hash & 0xC == 0 && y > size.y * (0.45 + 0.4 * fraction(hash, 3)) {
      room = Colour(0.42, 0.45, 0.46)
    }
    let reveal = smoothStep(0.05, 0.28, size.y - y)
    return Finish(colour: room * (0.35 + 0.65 * reveal), gloss: 0.12 + 0.5 * reveal)
  }

  /// A shop: stall riser, panes with goods behind, and a fascia with its name.
  private func shop(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = (place.local.x, place.local.y)
    let (storey, length) = (material.numbers.x, material.numbers.w)
    let hash = material.seed &* 0x85EB_CA6B
    let paint = Self.shopPaints[Int(hash >> 20) % Self.shopPaints.count]
    if v > storey - 0.2 { return cornice(material, v - storey) }
    if v > storey - 0.92 { return fascia(material, paint, u, v - storey + 0.92, hash, place) }
    if u < 0.3 || u > length - 0.3 {
      let flute = abs(abs(u - length * 0.5) - length * 0.5 + 0.15) < 0.07
      return Finish(colour: paint * (flute ? 0.7 : 1), gloss: 0.04)
    }
    let panes = max(2, (length / 1.7).rounded())
    let pane = (length - 0.6) / panes
    let column = wholePart((u - 0.3) / pane)
    let x = u - 0.3 - Float(column) * pane
    let isDoor = column == Int32(fraction(hash, 1) * panes)
    let low: Float = isDoor ? 0.22 : 0.55
    if x < 0.05 || x > pane - 0.05 || abs(v - storey + 1.25) < 0.03 || v < low {
      return Finish(colour: paint * (v < low ? 0.8 : 1), gloss: 0.04)
    }
    return goods(u, v, hash, Int32(column), storey, place)
  }

  /// What stands in a shop window, seen through the pane.
  private func goods(
    _ u: Float, _ v: Float, _ hash: UInt32, _ column: Int32, _ storey: Float, _ place: Place
  ) -> Finish {
    let (shelf, item) = (wholePart(v / 0.55), wholePart(u / 0.32))
    let what = hashed(item, shelf, hash)
    let tall = 0.14 + 0.36 * fraction(what, 1)
    var inside = Colour(0.05, 0.055, 0.06) * (0.7 + fraction(hashed(column, 7, hash)))
    if v - Float(shelf) * 0.55 < tall && v < storey - 1.3 && what & 7 < 5 {
      let tint = Colour(fraction(what), fraction(what, 2), fraction(what, 3))
      inside = tint * 0.11 + Colour(repeating: 0.035)
    }
    let light = smoothStep(storey - 1.6, storey - 1.0, v)
    return Finish(colour: inside, gloss: 0.4, glow: Colour(0.04, 0.05, 0.055) * (light + 0.3))
  }

  private func fascia(
    _ material: StreetMaterial, _ paint: Colour, _ u: Float, _ v: Float, _ hash: UInt32,
    _ place: Place
  ) -> Finish {
    let letter = (u - 0.6) / 0.3
    let index = wholePart(letter)
    let inName = letter > 0 && u < material.numbers.w * (0.5 + 0.35 * fraction(hash, 2))
    guard inName, v > 0.22, v < 0.54, hashed(index, 3, hash) & 7 != 0 else {
      return Finish(colour: paint * (v < 0.06 ? 0.5 : 0.95), gloss: 0.05)
    }
    // A letter is three by five strokes, some of them there.
    let (i, j) = (wholePart((letter - Float(index)) * 4), wholePart((v - 0.22) / 0.064))
    let strokes = hashed(index, 5, hash)
    let isInk = i < 3 && (i == 0 || strokes >> UInt32(j &* 3 &+ i) & 1 == 1)
    let ink = paint.sum() > 0.8 ? Colour(repeating: 0.05) : Colour(0.6, 0.68, 0.7)
    return Finish(colour: isInk ? ink : paint, gloss: 0.05)
  }

  /// Bare wall.
  ///
  /// more.w: 0 brick, 1 plaster, 2 stone, 3 cladding.
  func wall(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = (place.local.x, place.local.y)
    let shift = fraction(material.seed)
    let stain = noise(.fractal, u / 12 + shift, v / 16 + shift, place.footprint / 12)
    let fine = noise(.grain, u / 2, v / 2, place.footprint / 2) - 0.5
    let colour = material.colour * (0.72 + 0.56 * stain)
    switch material.more.w {
    case 0:
      return Finish(colour: courses(colour, u, v, SIMD2(0.225, 0.075), 0.012, material, place))
    case 2: return Finish(colour: courses(colour, u, v, SIMD2(0.8, 0.4), 0.015, material, place))
    case 3:
      let panel = u / 1.5
      let isJoint = panel - Float(wholePart(panel)) < 0.02
      return Finish(colour: colour * (isJoint ? 0.6 : 1 + 0.08 * fine), gloss: 0.05)
    default: return Finish(colour: colour * (1 + 0.2 * fine))
    }
  }

  /// Bricks or blocks in running bond; where they are smaller than a pixel, their mean.
  private func courses(
    _ colour: Colour, _ u: Float, _ v: Float, _ size: SIMD2<Float>, _ mortar: Float,
    _ material: StreetMaterial, _ place: Place
  ) -> Colour {
    let row = wholePart(v / size.y)
    let along = u / size.x + Float(row & 1) * 0.5
    let column = wholePart(along)
    let (x, y) = ((along - Float(column)) * size.x, v - Float(row) * size.y)
    let brick = fraction(hashed(column, row, material.seed)) - 0.5
    let detail = smoothStep(size.y * 1.1, size.y * 0.25, place.footprint)
    let fine = noise(.grain, u / 2, v / 2, place.footprint) - 0.5
    let isMortar = min(x, size.x - x) < mortar * 0.5 || min(y, size.y - y) < mortar * 0.5
    let joint = isMortar ? mix(colour, Colour(0.33, 0.36, 0.38), 0.6) : colour * (1 + 0.45 * brick)
    let mean = mix(colour, Colour(0.33, 0.36, 0.38), 0.1)
    return mix(mean, joint, detail) * (1 + 0.2 * fine)
  }

  func roof(_ material: StreetMaterial, _ place: Place) -> Finish {
    let (u, v) = (place.local.x, place.local.y)
    let row = wholePart(v / 0.28)
    let tile = fraction(hashed(wholePart(u / 0.3 + Float(row & 1) * 0.5), row, material.seed)) - 0.5
    let detail = smoothStep(0.3, 0.06, place.footprint)
    let lap: Float = v - Float(row) * 0.28 < 0.05 ? 0.35 : 0
    return Finish(colour: material.colour * (1 + (0.5 * tile - lap) * detail))
  }
}
