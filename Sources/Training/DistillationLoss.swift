// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// How far a student's class probabilities are from a teacher's, pixel by pixel.
///
/// The mean over pixels of T² · Σ q log(q / p), where p and q are the softmaxes of the student's
/// and the teacher's logits divided by the temperature T; T² keeps the size of the gradient (Hinton
/// et al., 2015, section 2). No gradient flows to the teacher.
public struct DistillationLoss: Sendable, Hashable {
  /// What logits are divided by, above 0; a higher one softens the probabilities.
  public var temperature: Double

  /// A loss at a temperature above 0.
  public init(temperature: Double = 1) {
    precondition(temperature > 0, "a temperature of \(temperature) is not above 0")
    self.temperature = temperature
  }

  /// The loss of logits (N × C × H × W both); `pixelWeights` (N × H × W) tells what each pixel
  /// counts.
  public func callAsFunction(
    _ student: Tensor, from teacher: Tensor, pixelWeights: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    let divergences = try student.divergences(from: teacher, temperature: temperature)
    let square = Float(temperature * temperature)
    guard let pixelWeights else { return try divergences.mean() * square }
    return try divergences.weightedMean(pixelWeights) * square
  }
}

/// The mean square difference of features (N × C × H × W both) from a teacher's.
///
/// With `weights` (N × H × W), the mean over the cells, each counting as much as it weighs; 0 where
/// they come to nothing. No gradient flows to the teacher.
public func featureDistance(
  _ student: Tensor, from teacher: Tensor, weights: Tensor? = nil
) throws(TensorError) -> Tensor {
  try requireEqualShapes(student, teacher, "featureDistance")
  let difference = try student - teacher.detached()
  let squares = try difference * difference
  guard let weights else { return try squares.mean() }
  return try squares.mean(axes: [1]).weightedMean(weights)
}

/// Shapes that differ would stretch, and give a number that means nothing.
func requireEqualShapes(
  _ lhs: Tensor, _ rhs: Tensor, _ operation: String
) throws(TensorError) {
  guard lhs.shape == rhs.shape else {
    throw TensorError(.badShape, in: operation, "\(lhs.shape) and \(rhs.shape) are to be equal")
  }
}
