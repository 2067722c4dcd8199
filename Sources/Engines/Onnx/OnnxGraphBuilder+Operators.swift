// SPDX-License-Identifier: Apache-2.0

public import Tensors

// Operators on maps, N × C × H × W.
extension OnnxGraphBuilder {
  /// One number, to be combined with a map by `elementwise`.
  public mutating func constant(_ number: Float) -> Value { constant([number], sizes: []) }

  /// An operator of ONNX that acts on each element by itself, such as `Add`, `Mul`, `Relu` or
  /// `Sigmoid`; axes of size 1 are repeated.
  ///
  /// - Precondition: the sizes of all values fit each other.
  public mutating func elementwise(_ kind: String, _ values: Value...) -> Value {
    var sizes: [Int] = []
    for value in values {
      let missing = value.sizes.count - sizes.count
      sizes = Array(repeating: 1, count: max(0, missing)) + sizes
      let first = sizes.count - value.sizes.count
      for (axis, size) in value.sizes.enumerated() where size != 1 {
        let here = sizes[first + axis]
        precondition(here == 1 || here == size, "\(kind) of \(values.map(\.sizes))")
        sizes[first + axis] = size
      }
    }
    return node(kind, values, sizes: sizes)
  }

  /// Maps joined channel by channel.
  public mutating func joined(_ parts: [Value]) -> Value {
    var sizes = parts[0].sizes
    sizes[1] = parts.reduce(0) { $0 + $1.sizes[1] }
    return node("Concat", parts, sizes: sizes, [.integer("axis", 1)])
  }

  /// A map's channels as shares that add up to 1 at each place.
  public mutating func softmax(_ map: Value) -> Value {
    node("Softmax", [map], sizes: map.sizes, [.integer("axis", 1)])
  }

  /// Some of a map's places along one axis.
  public mutating func slice(_ map: Value, axis: Int, _ range: Range<Int>) -> Value {
    guard range != 0..<map.sizes[axis] else { return map }
    var sizes = map.sizes
    sizes[axis] = range.count
    let ends = [constant([range.lowerBound]), constant([range.upperBound]), constant([axis])]
    return node("Slice", [map] + ends, sizes: sizes)
  }

  /// A map with `cells` cells of zeros on each side.
  public mutating func padded(_ map: Value, by cells: Int) -> Value {
    var sizes = map.sizes
    (sizes[2], sizes[3]) = (sizes[2] + 2 * cells, sizes[3] + 2 * cells)
    return node(
      "Pad", [map, constant([0, 0, cells, cells, 0, 0, cells, cells])], sizes: sizes)
  }

  /// A map interpolated to another height and width, half-pixel centres.
  public mutating func resized(_ map: Value, height: Int, width: Int) -> Value {
    let sizes = Array(map.sizes.prefix(2)) + [height, width]
    guard sizes != map.sizes else { return map }
    let nothing = constant([Float](), sizes: [0])
    let wanted = constant(sizes)
    return node(
      "Resize", [map, nothing, nothing, wanted], sizes: sizes,
      [.word("mode", "linear"), .word("coordinate_transformation_mode", "half_pixel")])
  }

  /// The means of a grid of windows that cover a map, as `Tensor.adaptiveAveragePool` has them:
  /// window i of n goes from ⌊i · cells / n⌋ to ⌈(i + 1) · cells / n⌉.
  public mutating func averaged(_ map: Value, height: Int, width: Int) -> Value {
    let (rows, columns) = (map.sizes[2], map.sizes[3])
    let sizes = Array(map.sizes.prefix(2)) + [height, width]
    guard sizes != map.sizes else { return map }
    if rows % height == 0, columns % width == 0 {
      let window = [rows / height, columns / width]
      return node(
        "AveragePool", [map], sizes: sizes,
        [.integers("kernel_shape", window), .integers("strides", window)])
    }
    let down = constant(Self.windows(rows, height), sizes: [height, rows])
    var across = [Float](repeating: 0, count: columns * width)
    for (index, share) in Self.windows(columns, width).enumerated() {
      across[index % columns * width + index / columns] = share
    }
    let right = constant(across, sizes: [columns, width])
    let narrow = node("MatMul", [map, right], sizes: Array(sizes.prefix(2)) + [rows, width])
    return node("MatMul", [down, narrow], sizes: sizes)
  }

  /// bins × cells: what each cell counts in each window's mean.
  private static func windows(_ cells: Int, _ bins: Int) -> [Float] {
    var shares = [Float](repeating: 0, count: bins * cells)
    for bin in 0..<bins {
      let window = bin * cells / bins..<((bin + 1) * cells + bins - 1) / bins
      for cell in window { shares[bin * cells + cell] = 1 / Float(window.count) }
    }
    return shares
  }

  /// A map read where the motion says, as `Tensor.warped(along:border:known:)` reads it: the result
  /// at p is what is there at p + motion.
  ///
  /// `motion` is 1 × 2 × H × W, (dx, dy) in cells of the map's own grid, all of it finite. Places
  /// are counted from the middle of the map in single precision, so that numbers differ by
  /// rounding, where nothing moves too.
  public mutating func warped(_ map: Value, along motion: Value, border: Border = .clamp) -> Value {
    let (height, width) = (map.sizes[2], map.sizes[3])
    var own = [Float](repeating: 0, count: 2 * height * width)
    for row in 0..<height {
      for column in 0..<width {
        own[2 * (row * width + column)] = Float(2 * column + 1) / Float(width) - 1
        own[2 * (row * width + column) + 1] = Float(2 * row + 1) / Float(height) - 1
      }
    }
    let grid = [1, height, width, 2]
    let moved = node("Transpose", [motion], sizes: grid, [.integers("perm", [0, 2, 3, 1])])
    let ratio = constant([2 / Float(width), 2 / Float(height)], sizes: [1, 1, 1, 2])
    let places = elementwise(
      "Add", constant(own, sizes: grid), elementwise("Mul", moved, ratio))
    return node(
      "GridSample", [map, places], sizes: map.sizes,
      [
        .word("mode", "bilinear"), .word("padding_mode", border == .clamp ? "border" : "zeros"),
        .integer("align_corners", 0),
      ])
  }
}
