// SPDX-License-Identifier: Apache-2.0

internal import Tensors
internal import Video

extension Tensor {
  /// A program may give anything; what comes after reads maps of the picture that went in.
  ///
  /// - Throws: `BackboneError` where this is no N × C × H × W map of the stage's stride.
  func checkMap(
    of stage: Stage, after before: (shape: Shape, stride: Int)
  ) throws(BackboneError) {
    guard shape.rank == 4, shape[0] == before.shape[0], shape.dimensions.allSatisfy({ $0 > 0 }),
      type.isFloatingPoint
    else {
      throw BackboneError(
        .badOutput,
        "stage '\(stage.name)' gives \(shape) of \(type), not \(before.shape[0]) × C × H × "
          + "W of floating-point numbers")
    }
    for axis in 2...3 {
      let (seen, wanted) = (shape[axis] * stage.stride, before.shape[axis] * before.stride)
      guard Swift.abs(seen - wanted) < stage.stride + before.stride else {
        throw BackboneError(
          .badOutput,
          "stage '\(stage.name)' gives \(shape) of \(before.shape), which is no stride of "
            + "\(stage.stride): maps must be of the whole picture, a cell for each square of it; "
            + "where a file does not tell its stride, output.stride in its description does")
      }
    }
  }

  /// One plane a class: where two are told apart by one plane, that of the first is made up.
  ///
  /// A plane more or less than the description tells would shift or invent classes in silence.
  ///
  /// - Throws: `BackboneError` where there are more or fewer planes than classes.
  func scores(of classes: ClassList, as kind: NetworkDescription.Scores) throws -> Tensor {
    let planes = shape[1]
    let expected = Swift.max(classes.count, classes.void.map { Int($0) + 1 } ?? 0)
    if planes == expected { return self }
    if planes == 1, classes.count == 2, classes.void == nil {
      let other = try self * (kind == .logits ? 0 : -1)
      let first = try kind == .logits ? other : other + 1
      return try Tensor.concatenate([first, self], axis: 1)
    }
    guard planes > 1 else {
      throw BackboneError(
        .badOutput,
        "the network scores a single plane, its description tells of \(expected): it can tell two "
          + "classes apart, and no void")
    }
    throw BackboneError(
      .badOutput, "the network scores \(planes) classes, its description tells of \(expected)")
  }
}
