// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// How much successive predictions agree once the motion between them is taken out.
///
/// The previous prediction is read by nearest neighbour from where the motion says each pixel was;
/// intersections and unions are gathered over all pairs and the mean is taken over the classes that
/// occur, as in ETC (Liu et al., ECCV 2020, section 4.1), with their bilinear mixing of ids left
/// out. Pixels that come from outside the frame or whose motion is unknown are not counted. It says
/// nothing of truth: a constant answer scores 1. Compare only figures of one flow estimator.
public struct TemporalConsistency: Sendable {
  private var agreement: ConfusionMatrix
  private let void: UInt8 = 255

  public init(classes: Int) { agreement = ConfusionMatrix(classes: classes) }

  /// Counts a pair of label maps and the motion from the current to the previous one.
  public mutating func add(current: Image, previous: Image, motion: MotionField) {
    let carried = Image(width: current.width, height: current.height, channels: 1) { bytes in
      for y in 0..<current.height {
        for x in 0..<current.width {
          bytes[y * current.width + x] = source(x, y, in: previous, motion)
        }
      }
    }
    agreement.add(predicted: current, truth: carried)
  }

  /// The mean over the classes that occur; nil before a pair was counted.
  public var value: Double? { agreement.meanIoU }

  private func source(_ x: Int, _ y: Int, in image: Image, _ motion: MotionField) -> UInt8 {
    let (dx, dy) = motion[x: x, y: y]
    let (column, row) = ((Float(x) + dx).rounded(), (Float(y) + dy).rounded())
    guard motion.isKnown(x: x, y: y), column >= 0, row >= 0, column < Float(image.width),
      row < Float(image.height)
    else { return void }
    return image[x: Int(column), y: Int(row)]
  }
}
