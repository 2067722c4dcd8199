// SPDX-License-Identifier: Apache-2.0

package import Specification
package import Tensors

extension DescriptionReader {
  /// What becomes of a pixel: the keys `color`, `mean`, `std` and `scale`.
  ///
  /// `mean` and `std` must be given, unless `usual` says what they are where they are not.
  ///
  /// - Throws: `SpecificationError` where a pixel would become a number that is not finite, or the
  ///   same number whatever it is.
  package func scaling(usual: SIMD2<Float>? = nil) throws(SpecificationError) -> PixelScaling {
    try check("color", isOneOf: PixelScaling.Order.allCases.map(\.rawValue))
    let mean = try planes("mean", usual: usual?[0])
    let deviation = try planes("std", usual: usual?[1])
    guard all(deviation .> 0) else { throw complaint("std", "must be positive") }
    let scale = SIMD3(repeating: Float(has("scale") ? try number("scale") : 1))
    guard scale.x != 0 else { throw complaint("scale", "must not be 0: all pixels would be equal") }
    for sample: Float in [0, 255] {
      let scaled = (sample - mean) / deviation * scale
      guard (0..<3).allSatisfy({ scaled[$0].isFinite }) else {
        throw complaint(
          "mean", "std and scale make a pixel of \(Int(sample)) a number that is not finite")
      }
    }
    guard all((255 - mean) / deviation * scale .!= (0 - mean) / deviation * scale) else {
      throw complaint("mean", "std and scale make all pixels equal")
    }
    return PixelScaling(
      mean: mean, deviation: deviation, scale: scale,
      order: PixelScaling.Order(rawValue: try string("color")) ?? .bgr)
  }

  private func planes(
    _ key: String, usual: Float?
  ) throws(SpecificationError) -> SIMD3<Float> {
    if let usual, !has(key) { return SIMD3(repeating: usual) }
    return SIMD3(try numbers(key, count: 3).map(Float.init))
  }
}
