// SPDX-License-Identifier: Apache-2.0

public import Tensors

extension MotionField {
  /// The field as tensors: 1 × 2 × height × width displacements (dx, dy), and 1 × height × width
  /// marks, 1 where the motion is known; nil where all of it is.
  public func tensors() throws(TensorError) -> (motion: Tensor, known: Tensor?) {
    let held = HeldValues(values: displacements)
    let motion = try Tensor(
      viewing: held.start, owner: held, shape: [1, 2, height, width],
      strides: [2 * width * height, 1, 2 * width, 2], type: .float32)
    guard let known else { return (motion, nil) }
    return (motion, try Tensor(known, shape: [1, height, width]))
  }

  /// The field that a network gave: 1 × 2 × height × width, (dx, dy) in cells of that grid.
  ///
  /// - Throws: `.badShape` for any other shape.
  public init(_ motion: Tensor) throws(TensorError) {
    guard motion.shape.rank == 4, motion.shape[0] == 1, motion.shape[1] == 2 else {
      throw TensorError(.badShape, in: "MotionField.init", "\(motion.shape) is no 1 × 2 × H × W")
    }
    self.init(
      width: motion.shape[3], height: motion.shape[2],
      displacements: try motion.permuted(0, 2, 3, 1).floats())
  }
}

/// The values of a field, where a tensor reads them.
// An array's elements stay where they are while it is held, and who changes a copy gets others.
private final class HeldValues: Sendable {
  private let values: [Float]

  init(values: [Float]) { self.values = values }

  var start: UnsafeRawPointer {
    values.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { preconditionFailure("a field of no cells") }
      return start
    }
  }
}
