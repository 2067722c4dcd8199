// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

/// The largest difference between two lists; infinite where their lengths differ.
func distance(_ lhs: [Float], _ rhs: [Float]) -> Float {
  guard lhs.count == rhs.count else { return .infinity }
  return zip(lhs, rhs).map { $0.isNaN || $1.isNaN ? .infinity : abs($0 - $1) }.max() ?? 0
}

/// A tensor's shape and elements, for comparison with an array literal.
func expectEqual(
  _ tensor: Tensor, _ values: [Float], shape: Shape, within tolerance: Float = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(tensor.shape == shape, sourceLocation: sourceLocation)
  let elements = try tensor.floats()
  #expect(
    distance(elements, values) <= tolerance, "\(elements) is not \(values)",
    sourceLocation: sourceLocation)
}

/// Elements of a tensor of four axes, zero outside.
struct Grid {
  let shape: Shape
  var values: [Float]

  init(_ tensor: Tensor) throws { (shape, values) = (tensor.shape, try tensor.floats()) }
  init(_ shape: Shape) {
    self.shape = shape
    values = [Float](repeating: 0, count: shape.dimensions.reduce(1, *))
  }

  func contains(_ y: Int, _ x: Int) -> Bool {
    (0..<shape[2]).contains(y) && (0..<shape[3]).contains(x)
  }

  subscript(n: Int, c: Int, y: Int, x: Int) -> Float {
    get { contains(y, x) ? values[((n * shape[1] + c) * shape[2] + y) * shape[3] + x] : 0 }
    set { values[((n * shape[1] + c) * shape[2] + y) * shape[3] + x] = newValue }
  }

  /// Calls `body` with every index.
  func forEach(_ body: (Int, Int, Int, Int) -> Void) {
    for n in 0..<shape[0] {
      for c in 0..<shape[1] {
        for y in 0..<shape[2] { for x in 0..<shape[3] { body(n, c, y, x) } }
      }
    }
  }
}
