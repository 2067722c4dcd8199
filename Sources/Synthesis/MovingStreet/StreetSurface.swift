// SPDX-License-Identifier: Apache-2.0

/// The classes of CamVid as SegNet groups them, by id.
enum StreetClass: UInt8, CaseIterable {
  case sky, building, pole, road, pavement, tree, signSymbol, fence, car, pedestrian, bicyclist
  case void
}

/// How a surface is painted; which numbers of its material mean what is said beside each painter.
enum StreetPaint: UInt8 {
  case plain, road, pavement, kerb, grass, wall, facade, roof, foliage, twigs, bark, bodywork
  case glass, wheel, bicycleWheel, sign, signals, railings, panels, cloth, skin, lamp, backdrop
}

/// What a surface is made of.
///
/// Coordinates of a painter are the surface's own, in metres.
struct StreetMaterial: Sendable {
  var paint: StreetPaint
  var label: StreetClass
  var colour: Colour
  /// A second colour: trim, mortar, the bright leaves.
  var accent = Colour(0.5, 0.5, 0.5)
  var seed: UInt32 = 0
  var numbers = SIMD4<Float>()
  var more = SIMD4<Float>()
  /// Parts of the surface are holes: see `StreetCutouts`.
  var isCutOut = false
}

/// A surface as one frame's camera sees it: a convex polygon, an ellipsoid or a cylinder.
///
/// `local = rows · (point in camera axes, 1)` gives the surface's own coordinates (u, v, w): a
/// polygon lies in w = 0, an ellipsoid is the unit sphere, a cylinder the unit circle in (u, v)
/// times |w| ≤ 1.
struct StreetSurface: Sendable {
  enum Shape: UInt8 { case polygon, ellipsoid, cylinder }

  var shape: Shape
  /// The axis of the part that a polygon of a smooth body is most square to: 0 x, 1 y, 2 z.
  var side: UInt8 = 0
  var material: Int32
  /// Which moving part it belongs to; 0 is what stands still.
  var part: Int32
  var rows: (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>)
  /// A polygon's normal is n.0 + u n.1 + v n.2, a quadric's u n.0 + v n.1 + w n.2; street axes.
  var normal: (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)
  /// Bounds on screen, in pixels.
  var left: Float = 0, right: Float = 0, top: Float = 0, bottom: Float = 0
  /// 1 / depth of the nearest point.
  var nearest: Float = 0
  /// The corners of a polygon on screen: a range of the scene's corners.
  var corners: Range<Int32> = 0..<0
}

/// A soft dark ellipse or rectangle on the ground, below something that stands there.
struct StreetShadow: Sendable {
  var rows: (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>)
  var corners: Range<Int32>
  var top: Float, bottom: Float
  var strength: Float
  /// 0 an ellipse, 1 a rectangle with soft edges, 2 the dappled ellipse of a crown.
  var kind: UInt8
}
