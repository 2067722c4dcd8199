// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The fields read where the motion (N × 2 × H × W) says, bilinear, clamped at the edge.
func slowWarp(_ field: Field, along motion: Field) -> Field {
  var values = field.values
  for n in 0..<field.count {
    for c in 0..<field.channels {
      for y in 0..<field.height {
        for x in 0..<field.width {
          let place = (Double(x) + motion[n, 0, y, x], Double(y) + motion[n, 1, y, x])
          values[((n * field.channels + c) * field.height + y) * field.width + x] =
            blend(field, n, c, at: place)
        }
      }
    }
  }
  return field.replacing(values)
}

private func blend(_ field: Field, _ n: Int, _ c: Int, at place: (x: Double, y: Double)) -> Double {
  let x = min(max(place.x, 0), Double(field.width - 1))
  let y = min(max(place.y, 0), Double(field.height - 1))
  let (left, top) = (Int(x), Int(y))
  let (right, below) = (min(left + 1, field.width - 1), min(top + 1, field.height - 1))
  let (a, b) = (x - Double(left), y - Double(top))
  let upper = field[n, c, top, left] * (1 - a) + field[n, c, top, right] * a
  let lower = field[n, c, below, left] * (1 - a) + field[n, c, below, right] * a
  return upper * (1 - b) + lower * b
}

/// Whether the place that a cell reads is inside the grid.
func reads(_ motion: Field, inside n: Int, _ y: Int, _ x: Int) -> Bool {
  let (column, row) = (Double(x) + motion[n, 0, y, x], Double(y) + motion[n, 1, y, x])
  return (0...Double(motion.width - 1)).contains(column)
    && (0...Double(motion.height - 1)).contains(row)
}
