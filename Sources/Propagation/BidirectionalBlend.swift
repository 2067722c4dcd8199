// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
internal import Layers
public import Tensors

/// Joins what was propagated to a frame from the key frame before it with what was propagated from
/// the one after it.
///
///     (1 - s) ⊙ before + s ⊙ after        s = a / (a + b)
///     a = distance before · likeness after        likeness = exp(-change / tolerance)
///     b = distance after · likeness before
///
/// Of two key frames the nearer one counts more (as in the feature interpolation of Jain and
/// Gonzalez, "Fast semantic segmentation on video using block motion-based feature interpolation",
/// ECCV 2018 workshops), and of two looks the one that the frame is like: what one key frame hides,
/// the other one mostly shows. `change` is the mean difference of the picture from the key frame's,
/// warped, in levels of 255. It is this package's own; nothing is trained.
public struct BidirectionalBlend: Sendable, Hashable {
  /// The difference, in levels of 255, at which a third of a look is left.
  public let tolerance: Double

  /// Pixels to a cell of the grid on which pictures are compared, each way.
  private static let cell = 4
  /// What is left of a look that shows something else: where both do, distances decide.
  private static let floor: Float = 1e-3

  /// A blend with a tolerance above 0, in levels of 255.
  public init(tolerance: Double = 10) {
    precondition(tolerance > 0, "a tolerance of \(tolerance) levels")
    self.tolerance = tolerance
  }

  /// How much a frame looks like the key frame, warped along the flow: 1 × 1 × h × w from 0 to 1, a
  /// cell for every four pixels each way; 0 where the flow is not known.
  public func likeness(in context: FrameContext) throws -> Tensor {
    let here = try context.image(.current, meansOf: Self.cell)
    let there = try context.image(.reference(.keyframe), meansOf: Self.cell)
    let (motion, known) = try context.flow(
      to: .keyframe, height: here.shape[2], width: here.shape[3])
    MACCounter.current?.add(macs: 4 * there.count)
    let change = try (here - there.warped(along: motion, known: known)).abs()
      .mean(axes: [1], keepingAxes: true)
      .averagePool(3, stride: 1, padding: 1, countingPadding: false)
    let likeness = try (change * Float(-1 / tolerance)).exp()
    guard let known else { return likeness }
    return try likeness * known.unsqueezed(axis: 1).cast(to: .float32)
  }

  /// The maps of both sides joined, each N × C × H × W on any grid.
  ///
  /// Likenesses are those of the frame to either key frame, distances the frames from it to them.
  ///
  /// - Precondition: distances are positive.
  public func callAsFunction(
    _ before: FeatureMaps, _ after: FeatureMaps, likeness: (before: Tensor, after: Tensor),
    distance: (before: Int, after: Int)
  ) throws -> FeatureMaps {
    precondition(distance.before > 0 && distance.after > 0, "a key frame is propagated to")
    let later = try (likeness.after + Self.floor) * Float(distance.before)
    let share = try later / ((likeness.before + Self.floor) * Float(distance.after) + later)
    var joined = before
    for stage in before.stages {
      let (first, second) = (try before.map(after: stage), try after.map(after: stage))
      let grid = Extent(height: first.shape[2], width: first.shape[3])
      MACCounter.current?.add(macs: first.count)
      joined[stage] = try first + share.on(grid) * (second - first)
    }
    return joined
  }
}

extension Tensor {
  /// Shares on another grid: means where it is coarser, interpolated where it is finer.
  fileprivate func on(_ grid: Extent) throws(TensorError) -> Tensor {
    if shape[2] == grid.height, shape[3] == grid.width { return self }
    guard grid.height > shape[2] || grid.width > shape[3] else {
      return try adaptiveAveragePool(grid)
    }
    return try resizedBilinear(height: grid.height, width: grid.width, grid: .halfPixel)
  }
}
