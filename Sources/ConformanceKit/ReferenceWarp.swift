// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// Features of one image where the motion says, the slow and plain way: what every warp must give.
///
/// `result(p) = features(p + motion(p))`. Features and result are channels × height × width; motion
/// is height × width × 2, (dx, dy) in cells, x to the right and y downwards; `known` is height ×
/// width, 0 where the motion means nothing. A cell of which nothing is known, or whose motion is
/// not finite, reads its own place. All is computed in double precision and rounded once.
///
/// - Precondition: the arrays have those sizes.
public func referenceWarp(
  features: [Float], channels: Int, height: Int, width: Int, motion: [Float], border: Border,
  known: [UInt8]? = nil
) -> [Float] {
  precondition(features.count == channels * height * width && motion.count == height * width * 2)
  var result: [Float] = []
  for channel in 0..<channels {
    for y in 0..<height {
      for x in 0..<width {
        let cell = y * width + x
        var (dx, dy) = (Double(motion[2 * cell]), Double(motion[2 * cell + 1]))
        if !dx.isFinite || !dy.isFinite || known?[cell] == 0 { (dx, dy) = (0, 0) }
        let plane = Plane(
          values: features, start: channel * height * width, height: height, width: width,
          border: border)
        result.append(Float(plane.value(x: Double(x) + dx, y: Double(y) + dy)))
      }
    }
  }
  return result
}

/// One channel of an image, readable at any place.
private struct Plane {
  let values: [Float]
  let start: Int, height: Int, width: Int
  let border: Border

  /// The blend of the four cells around (x, y), each counting by how near it is.
  func value(x: Double, y: Double) -> Double {
    let (x, y) = border == .clamp ? (within(x, width), within(y, height)) : (x, y)
    var sum = 0.0
    for (row, down) in neighbours(of: y) {
      for (column, right) in neighbours(of: x) where down * right > 0 {
        sum += down * right * cell(column: column, row: row)
      }
    }
    return sum
  }

  private func within(_ place: Double, _ size: Int) -> Double {
    min(max(place, 0), Double(size - 1))
  }

  private func neighbours(of place: Double) -> [(cell: Double, weight: Double)] {
    let before = place.rounded(.down)
    return [(before, 1 - (place - before)), (before + 1, place - before)]
  }

  private func cell(column: Double, row: Double) -> Double {
    let inside = column >= 0 && column < Double(width) && row >= 0 && row < Double(height)
    return inside ? Double(values[start + Int(row) * width + Int(column)]) : 0
  }
}
