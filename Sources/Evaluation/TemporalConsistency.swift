// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// How much successive predictions agree once the motion between them is taken out.
///
/// Intersections and unions are gathered over all pairs, and the mean is taken over the classes
/// that occur. It says nothing of truth: a constant answer scores 1. Compare only figures of one
/// flow estimator, and let it be another than the one that carries the labels.
public struct TemporalConsistency: Sendable {
  /// How labels are carried before they are compared.
  public enum Variant: String, Sendable, Hashable, CaseIterable {
    /// The previous labels, read by nearest neighbour from where the motion says each pixel was;
    /// pixels that come from outside the frame or whose motion is unknown, as where they were
    /// hidden, do not count.
    case clean
    /// As the program of ETC does (Liu et al., ECCV 2020): the current labels are carried back to
    /// the previous frame, their ids mixed bilinearly as if they were quantities and rounded down,
    /// and nothing is left out but void; places outside the frame read its edge.
    case published
  }

  /// How labels are carried before they are compared.
  public let variant: Variant
  private var agreement: ConfusionMatrix
  private let void: UInt8 = 255

  /// No pair yet, of label maps with 1 to 255 classes.
  public init(classes: Int, variant: Variant = .clean) {
    self.variant = variant
    agreement = ConfusionMatrix(classes: classes)
  }

  /// Counts a pair of label maps.
  ///
  /// `motion` leads from the current frame to the previous one or, for the published variant, from
  /// the previous to the current.
  ///
  /// - Returns: what the pair counted.
  @discardableResult
  public mutating func add(
    current: Image, previous: Image, motion: MotionField
  ) -> ConfusionMatrix {
    var pair = ConfusionMatrix(classes: agreement.classCount)
    switch variant {
    case .clean:
      let carried = map(along: motion) { nearest($0, $1, in: previous, motion) }
      pair.add(predicted: current, truth: carried)
    case .published:
      let carried = map(along: motion) { mixed($0, $1, in: current, motion) }
      pair.add(predicted: carried, truth: previous)
    }
    agreement += pair
    return pair
  }

  private func map(along motion: MotionField, reading: (Int, Int) -> UInt8) -> Image {
    Image(width: motion.width, height: motion.height, channels: 1) { bytes in
      for y in 0..<motion.height {
        for x in 0..<motion.width { bytes[y * motion.width + x] = reading(x, y) }
      }
    }
  }

  /// The mean over the classes that occur; nil before a pair was counted.
  public var value: Double? { agreement.meanIoU }

  private func nearest(_ x: Int, _ y: Int, in image: Image, _ motion: MotionField) -> UInt8 {
    let (dx, dy) = motion[x: x, y: y]
    let (column, row) = ((Float(x) + dx).rounded(), (Float(y) + dy).rounded())
    guard motion.isKnown(x: x, y: y), column >= 0, row >= 0, column < Float(image.width),
      row < Float(image.height)
    else { return void }
    return image[x: Int(column), y: Int(row)]
  }

  private func mixed(_ x: Int, _ y: Int, in image: Image, _ motion: MotionField) -> UInt8 {
    let (dx, dy) = motion[x: x, y: y]
    func split(_ place: Float, _ count: Int) -> (Int, Int, Float) {
      let inside = min(max(place, 0), Float(count - 1))
      let first = Int(inside)
      return (first, min(first + 1, count - 1), inside - Float(first))
    }
    let (left, right, across) = split(Float(x) + dx, image.width)
    let (top, bottom, down) = split(Float(y) + dy, image.height)
    func id(_ x: Int, _ y: Int) -> Float { Float(image[x: x, y: y]) }
    let upper = id(left, top) * (1 - across) + id(right, top) * across
    let lower = id(left, bottom) * (1 - across) + id(right, bottom) * across
    return UInt8(upper * (1 - down) + lower * down)
  }
}
