// SPDX-License-Identifier: Apache-2.0

/// The holes in foliage, railings, wheels and signs: fixed to the surface, so that they move with
/// it.
struct StreetCutouts {
  let textures: StreetTextures

  /// Whether there is something at a place of the surface; `edge` is 1 on a quadric's outline.
  @inline(__always)
  func isSolid(
    _ material: StreetMaterial, _ place: SIMD3<Float>, edge: Float, footprint: Float
  ) -> Bool {
    switch material.paint {
    case .foliage: isLeaf(material, place, edge, footprint)
    case .twigs: isTwig(material, place, edge, footprint)
    case .railings: isRail(material, place)
    case .bicycleWheel: isRim(place)
    case .sign: isInsideSign(material, place)
    default: true
    }
  }

  /// Where on the noise a place of a crown's shell reads.
  @inline(__always)
  static func crownPlace(_ material: StreetMaterial, _ p: SIMD3<Float>) -> (Float, Float) {
    let scale = material.numbers.x
    let shift = fraction(material.seed)
    return ((p.x + 0.8 * p.y) * scale + shift, (p.z + 0.45 * (p.x - p.y)) * scale - shift)
  }

  /// numbers: tiles a radius, how thin the crown is, the radius in metres.
  private func isLeaf(
    _ material: StreetMaterial, _ p: SIMD3<Float>, _ edge: Float, _ footprint: Float
  ) -> Bool {
    let (u, v) = Self.crownPlace(material, p)
    let level = StreetTextures.level(footprint / material.numbers.z * material.numbers.x)
    let leaf = textures(.leaves, u * 1.7, v * 1.7, level: min(level, 2))
    let clump = textures(.fractal, u * 0.45, v * 0.45, level: min(level, 4))
    return leaf * 0.4 + clump * 1.1 > material.numbers.y + 0.7 * edge * edge
  }

  private func isTwig(
    _ material: StreetMaterial, _ p: SIMD3<Float>, _ edge: Float, _ footprint: Float
  ) -> Bool {
    let (u, v) = Self.crownPlace(material, p)
    let level = StreetTextures.level(footprint / material.numbers.z * material.numbers.x)
    let twig = textures(.twigs, u, v, level: min(level, 2))
    let clump = textures(.fractal, u * 0.6 + 0.3, v * 0.6, level: min(level, 4))
    return twig > material.numbers.y + 0.5 * edge * edge - 0.35 * clump
  }

  /// numbers: height in metres, from one bar to the next, thickness of a bar.
  private func isRail(_ material: StreetMaterial, _ p: SIMD3<Float>) -> Bool {
    let (height, spacing, bar) = (material.numbers.x, material.numbers.y, material.numbers.z)
    let across = p.x / spacing
    let offset = (across - Float(wholePart(across))) * spacing
    let isSpike = p.y < height - abs(offset - bar / 2) * 1.2
    return offset < bar && isSpike || abs(p.y - height + 0.14) < 0.022 || abs(p.y - 0.12) < 0.02
  }

  /// A tyre, a rim and spokes; the wheel is the unit circle in (x, y).
  private func isRim(_ p: SIMD3<Float>) -> Bool {
    let square = p.x * p.x + p.y * p.y
    if square > 1 { return false }
    if square > 0.78 || square < 0.012 { return true }
    let (a, b) = (abs(p.x), abs(p.y))
    return min(a, b) < 0.018 || abs(a - b) < 0.026
  }

  /// numbers: 0 round, 1 triangle, 2 rectangle; a sign fills −1 … 1.
  private func isInsideSign(_ material: StreetMaterial, _ p: SIMD3<Float>) -> Bool {
    switch material.numbers.x {
    case 0: p.x * p.x + p.y * p.y < 1
    case 1: abs(p.x) * 1.9 < 1 - p.y
    default: true
    }
  }

  /// How dark a shadow is at a place within −1 … 1.
  @inline(__always)
  func shadow(_ kind: UInt8, _ u: Float, _ v: Float) -> Float {
    switch kind {
    case 0: return smoothStep(1, 0.45, (u * u + v * v).squareRoot())
    case 1: return smoothStep(1, 0.78, abs(u)) * smoothStep(1, 0.7, abs(v))
    default:
      let leaf = textures(.fractal, u * 0.6, v * 0.6, level: 0)
      let thinning = smoothStep(1, 0.5, (u * u + v * v).squareRoot())
      return thinning * smoothStep(0.3, 0.55, leaf + 0.12)
    }
  }
}
