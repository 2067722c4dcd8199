// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// How alike the key points of a find and of a truth are: COCO's object key point similarity.
///
///     OKS = mean over labelled points of exp(-d² / (2 · area · (2 σ)²))
///
/// d is the distance of the two points in pixels, and σ how much people who mark a point differ,
/// as a share of the object's length: COCO's for the 17 points of a body, and else one for all.
/// A truth without a labelled point is ignored; a find is then measured by how far its points lie
/// outside of the truth's box at twice its size.
struct KeyPointSimilarity {
  /// COCO's σ of nose, eyes, ears, shoulders, elbows, wrists, hips, knees and ankles.
  static let bodySigmas = [
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107,
    0.087, 0.087, 0.089, 0.089,
  ]
  /// The σ of points that are not a body's.
  static let usualSigma = 0.05

  /// The σ of all points; nil for the usual ones.
  let sigma: Double?

  /// From 0 to 1; 0 where there are not as many points.
  func callAsFunction(_ points: [KeyPoint], _ truth: GroundTruthBox) -> Double {
    guard points.count == truth.points.count, !points.isEmpty else { return 0 }
    let isLabelled = truth.hasLabelledPoints
    let area = (truth.area ?? truth.mask.map { Double($0.area) } ?? truth.box.area) + .ulpOfOne
    var (sum, count) = (0.0, 0)
    for (index, (found, there)) in zip(points, truth.points).enumerated() {
      if isLabelled && !there.isLabelled { continue }
      let off =
        isLabelled
        ? SIMD2(found.x - there.x, found.y - there.y) : truth.box.distanceOfTwice(found)
      let width = 2 * sigma(of: index, among: points.count)
      sum += exp(-(off * off).sum() / (width * width) / area / 2)
      count += 1
    }
    return sum.isFinite ? sum / Double(count) : 0
  }

  private func sigma(of index: Int, among count: Int) -> Double {
    if let sigma { return sigma }
    return count == Self.bodySigmas.count ? Self.bodySigmas[index] : Self.usualSigma
  }
}

extension KeyPoint {
  /// Whether somebody marked it; COCO's visibility is then 1 or 2.
  fileprivate var isLabelled: Bool { confidence > 0 }
}

extension GroundTruthBox {
  var hasLabelledPoints: Bool { points.contains(where: \.isLabelled) }
}

extension BoundingBox {
  /// How far a point lies outside of the box at twice its size on each side, across and down.
  fileprivate func distanceOfTwice(_ point: KeyPoint) -> SIMD2<Double> {
    SIMD2(
      max(0, x - width - point.x) + max(0, point.x - (x + 2 * width)),
      max(0, y - height - point.y) + max(0, point.y - (y + 2 * height)))
  }
}
