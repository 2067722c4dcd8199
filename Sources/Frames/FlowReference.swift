// SPDX-License-Identifier: Apache-2.0

/// An earlier frame that the optical flow of a frame leads to.
public enum FlowReference: String, Sendable, Hashable, CaseIterable {
  /// The last key frame.
  case keyframe
  /// The frame before.
  case previous
  /// The last frame whose scores were made, not propagated. Often that is the key frame.
  case scored
  /// The last frame on which stages before the last tap ran, on a clock of their own. Often that is
  /// the key frame.
  case refreshed
}

/// A frame that a quantity belongs to: the one in question, or one before it.
public enum FrameSide: Sendable, Hashable {
  /// The frame in question.
  case current
  /// An earlier frame.
  case reference(FlowReference)

  /// The last key frame.
  public static let keyframe = FrameSide.reference(.keyframe)
  /// The frame before.
  public static let previous = FrameSide.reference(.previous)
}
