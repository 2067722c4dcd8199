// SPDX-License-Identifier: Apache-2.0

public import Engines

// What parts do to maps, 1 × C × H × W, place by place: each neighbour is an operator of its own.
extension OnnxGraphBuilder {
  /// A map interpolated to the grid of another, half-pixel centres.
  public mutating func resized(_ map: Value, like other: Value) -> Value {
    resized(map, height: other.sizes[2], width: other.sizes[3])
  }

  /// Pictures, 1 × 3 × H × W from 0 to 255, averaged over the cells of a grid and counted in
  /// sixty-fourths of a sample around 128.
  mutating func centred(_ pictures: Value, height: Int, width: Int) -> Value {
    let means = averaged(pictures, height: height, width: width)
    return elementwise("Div", elementwise("Sub", means, constant(128)), constant(64))
  }

  /// `Tensor.convolved(withKernels:border:)` with valid weights: each place a mean of its `size` ×
  /// `size` neighbours, those within the map, by the 1 × size² × H × W `kernels`, none negative.
  mutating func convolved(_ map: Value, withKernels kernels: Value, size: Int) -> Value {
    let reach = size / 2
    let around = padded(map, by: reach)
    let inside = padded(
      constant(
        [Float](repeating: 1, count: map.sizes[2] * map.sizes[3]),
        sizes: [1, 1, map.sizes[2], map.sizes[3]]), by: reach)
    var (sum, weight): (Value?, Value?) = (nil, nil)
    for tap in 0..<size * size {
      let share = slice(kernels, axis: 1, tap..<tap + 1)
      let there = neighbour(tap, of: around, like: map, size: size)
      sum = adding(elementwise("Mul", there, share), to: sum)
      let counted = neighbour(tap, of: inside, like: map, size: size)
      weight = adding(elementwise("Mul", counted, share), to: weight)
    }
    guard let sum, let weight else { return map }
    // Where nothing inside has a weight, the sum is 0 as well.
    return elementwise("Div", sum, elementwise("Max", weight, constant(.leastNormalMagnitude)))
  }

  /// `Tensor.attending(to:values:size:border:)` with a zero border: for each place the `size` ×
  /// `size` values around it, weighed by how like the queries their keys are.
  mutating func attending(
    _ queries: Value, to keys: Value, values: Value, size: Int
  ) -> Value {
    let (keysAround, around) = (padded(keys, by: size / 2), padded(values, by: size / 2))
    let place = [1, 1, queries.sizes[2], queries.sizes[3]]
    let channel = constant([1])
    let likeness = (0..<size * size).map { tap in
      let there = neighbour(tap, of: keysAround, like: keys, size: size)
      return node("ReduceSum", [elementwise("Mul", queries, there), channel], sizes: place)
    }
    let shares = softmax(joined(likeness))
    var sum: Value?
    for tap in 0..<size * size {
      let there = neighbour(tap, of: around, like: values, size: size)
      sum = adding(elementwise("Mul", there, slice(shares, axis: 1, tap..<tap + 1)), to: sum)
    }
    return sum ?? values
  }

  /// `Tensor.displaced(along:vertical:horizontal:border:known:)`, clamped: each place a mean around
  /// where the motion leads, by one kernel of rows and one of columns, 1 × size × H × W each.
  mutating func displaced(
    _ map: Value, along motion: Value, vertical: Value, horizontal: Value
  ) -> Value {
    let size = vertical.sizes[1], reach = vertical.sizes[1] / 2
    var sum: Value?
    for row in 0..<size {
      let down = slice(vertical, axis: 1, row..<row + 1)
      for column in 0..<size {
        let shift = constant([Float(column - reach), Float(row - reach)], sizes: [1, 2, 1, 1])
        let there = warped(map, along: elementwise("Add", motion, shift))
        let across = slice(horizontal, axis: 1, column..<column + 1)
        sum = adding(elementwise("Mul", there, elementwise("Mul", down, across)), to: sum)
      }
    }
    return sum ?? map
  }

  /// The neighbour number `tap`, row by row, of each place of a map that was padded for it.
  private mutating func neighbour(
    _ tap: Int, of padded: Value, like map: Value, size: Int
  ) -> Value {
    let (row, column) = (tap / size, tap % size)
    let rows = slice(padded, axis: 2, row..<row + map.sizes[2])
    return slice(rows, axis: 3, column..<column + map.sizes[3])
  }

  private mutating func adding(_ value: Value, to sum: Value?) -> Value {
    sum.map { elementwise("Add", $0, value) } ?? value
  }
}
