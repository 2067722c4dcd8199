// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Video

extension Augmentation.View {
  /// How much larger things are in this view than in the source.
  var scale: Double { 1 / (across * across).sum().squareRoot() }

  /// Depth in this view, from the nearest pixel; unknown outside.
  ///
  /// A picture that is enlarged looks as if the camera were closer: depths are divided by the
  /// scale (Eigen et al., NeurIPS 2014, section 3.4). That holds for one camera, whose focal
  /// length stays.
  public func depth(_ source: DepthMap) -> DepthMap {
    let factor = Float(1 / scale)
    var metres = [Float](repeating: 0, count: size.width * size.height)
    for y in 0..<size.height {
      for x in 0..<size.width {
        let place = (place(x, y) + 0.5).rounded(.down)
        guard place.x >= 0, place.y >= 0, place.x < Double(source.width),
          place.y < Double(source.height)
        else { continue }
        let depth = source.metres[Int(place.y) * source.width + Int(place.x)]
        metres[y * size.width + x] = depth * factor
      }
    }
    return DepthMap(width: size.width, height: size.height, metres: metres)
  }

  /// Boxes in this view, cut off at its edges; those of which nothing is seen are left out.
  ///
  /// A box of which less than `leastVisible` of the area is seen is ignored. Where the view is
  /// turned, a box is the smallest one around the turned one.
  public func boxes(
    _ source: [GroundTruthBox], leastVisible: Double = 0.35
  ) -> [GroundTruthBox] {
    source.compactMap { object in
      let whole = box(object.box)
      let left = max(whole.x, 0), top = max(whole.y, 0)
      let right = min(whole.x + whole.width, Double(size.width))
      let bottom = min(whole.y + whole.height, Double(size.height))
      guard right > left, bottom > top else { return nil }
      var seen = object
      seen.box = BoundingBox(x: left, y: top, width: right - left, height: bottom - top)
      if seen.box.area < leastVisible * whole.area { seen.isIgnored = true }
      return seen
    }
  }

  /// The smallest box around what a box of the source becomes.
  private func box(_ source: BoundingBox) -> BoundingBox {
    let corners = [(0.0, 0.0), (1, 0), (0, 1), (1, 1)].map {
      inverse(SIMD2(source.x + $0.0 * source.width, source.y + $0.1 * source.height))
    }
    let (xs, ys) = (corners.map(\.x), corners.map(\.y))
    let (left, top) = (xs.min() ?? 0, ys.min() ?? 0)
    return BoundingBox(
      x: left, y: top, width: (xs.max() ?? 0) - left, height: (ys.max() ?? 0) - top)
  }

  /// Where a corner of the source is in the view; corners lie half a pixel before centres.
  private func inverse(_ corner: SIMD2<Double>) -> SIMD2<Double> {
    let offset = corner - 0.5 - centre
    let determinant = across.x * down.y - across.y * down.x
    let x = (offset.x * down.y - offset.y * down.x) / determinant
    let y = (across.x * offset.y - across.y * offset.x) / determinant
    return SIMD2(x + Double(size.width) / 2, y + Double(size.height) / 2)
  }
}
