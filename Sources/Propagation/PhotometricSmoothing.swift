// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Layers
public import Tensors

/// What a frame's own scores keep of those before them: more where the pictures agree, nothing
/// where they differ.
///
///     scores = own + g ⊙ (warped - own)        g = weight · exp(-change / tolerance)
///
/// `warped` are an earlier frame's scores along the flow, and `change` how much the picture differs
/// there from the earlier one, warped likewise: the mean of its channels' differences, from 0 to
/// 255. Two looks at one thing err less than one. The gate is what GRFP (Nilsson and Sminchisescu,
/// CVPR 2018, section 3.2) learns, with two constants in the place of a recurrent unit.
public struct PhotometricSmoothing: Sendable, Hashable {
  /// What counts of the earlier scores where the picture has not changed; the rest is the frame's
  /// own.
  public let weight: Double
  /// The difference, in levels of 255, at which a third of that is left.
  public let tolerance: Double

  /// Smoothing by earlier scores that count `weight`; `tolerance` is in levels of 255.
  ///
  /// - Precondition: the weight is from 0 to 1, the tolerance above 0.
  public init(weight: Double = 0.5, tolerance: Double = 20) {
    precondition(
      (0...1).contains(weight) && tolerance > 0, "a weight of \(weight), \(tolerance) levels")
    (self.weight, self.tolerance) = (weight, tolerance)
  }

  /// What becomes of a frame's `own` scores, N × C × h × w, given those of the last frame whose
  /// scores were made.
  ///
  /// Cells whose motion is unknown remember nothing.
  public func callAsFunction(
    _ own: Tensor, remembering before: Tensor, in context: FrameContext
  ) throws -> Tensor {
    let size = Extent(height: own.shape[2], width: own.shape[3])
    let (motion, known) = try context.flow(to: .scored, height: size.height, width: size.width)
    let here = try context.image(.current).adaptiveAveragePool(size)
    let there = try context.image(.reference(.scored)).adaptiveAveragePool(size)
    MACCounter.current?.add(macs: 4 * (before.count + there.count))
    return try own.mixed(
      with: before, along: motion, known: known, here: here, there: there, weight: weight,
      tolerance: tolerance)
  }
}
