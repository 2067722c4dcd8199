// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// Two frames and how one moves to the other: what training on motion takes.
public struct MotionPair: Sendable {
  /// Blue, green, red; of one size.
  public let current: Image, reference: Image
  /// Where each pixel of `current` is in `reference`; unknown where it is hidden there, or outside.
  public let motion: MotionField
  /// One class id a pixel; nil where a frame is not labelled.
  public let currentLabels: Image?, referenceLabels: Image?

  /// Two frames of one size and the field on that grid; sizes are not checked.
  public init(
    current: Image, reference: Image, motion: MotionField, currentLabels: Image? = nil,
    referenceLabels: Image? = nil
  ) {
    (self.current, self.reference, self.motion) = (current, reference, motion)
    (self.currentLabels, self.referenceLabels) = (currentLabels, referenceLabels)
  }

  /// Frame `current` of a clip, and an earlier one.
  public init(of clip: some ClipWithMotion, from current: Int, to reference: Int) throws {
    self = try clip.pair(from: current, to: reference)
  }
}
