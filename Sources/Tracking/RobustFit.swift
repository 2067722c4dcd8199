// SPDX-License-Identifier: Apache-2.0

/// The value below which half of the weight lies.
///
/// - Precondition: there are as many weights as values, at least one.
func weightedMedian(_ values: [Double], _ weights: [Double]) -> Double {
  let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
  let half = weights.reduce(0, +) / 2
  var sum = 0.0
  for index in order {
    sum += weights[index]
    if sum >= half { return values[index] }
  }
  return values[order[order.count - 1]]
}

/// A line through weighted points: `value ≈ offset + slope · place`.
struct WeightedLine {
  private(set) var slope = 0.0, offset = 0.0

  /// Least squares with a slope that is pulled to zero as if so much more `inertia`, in weight
  /// times squared length, said that it is zero.
  init(_ places: [Double], _ values: [Double], _ weights: [Double], inertia: Double) {
    var (sum, place, value) = (0.0, 0.0, 0.0)
    for index in places.indices {
      sum += weights[index]
      place += weights[index] * places[index]
      value += weights[index] * values[index]
    }
    guard sum > 0 else { return }
    (place, value) = (place / sum, value / sum)
    var (spread, common) = (inertia, 0.0)
    for index in places.indices {
      let distance = places[index] - place
      spread += weights[index] * distance * distance
      common += weights[index] * distance * (values[index] - value)
    }
    slope = spread > 0 ? common / spread : 0
    offset = value - slope * place
  }
}

/// How far from a fit most points lie, from the median distance of normally distributed ones.
func spread(ofSquares squares: [Double], _ weights: [Double]) -> Double {
  1.48 * max(0, weightedMedian(squares, weights)).squareRoot()
}

/// The weighted mean; 0 where there is no weight.
func mean(_ values: [Double], _ weights: [Double]) -> Double {
  let sum = weights.reduce(0, +)
  return sum > 0 ? zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / sum : 0
}
