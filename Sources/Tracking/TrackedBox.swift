// SPDX-License-Identifier: Apache-2.0

public import Video

/// An object of a frame that is known from earlier frames.
public struct TrackedBox: Sendable, Hashable, Codable {
  /// The box and the class; the score is the one that the network gave at the key frame.
  public var detection: Detection
  /// The same number for the same object in every frame of a stream; from 1.
  public var identity: Int
  /// Frames since the network found it.
  public var age: Int
  /// From 0 to 1: the score, less for each frame since, and less where little flow spoke for the
  /// box.
  public var confidence: Double

  /// An object that is tracked; nothing is checked.
  public init(detection: Detection, identity: Int, age: Int, confidence: Double) {
    (self.detection, self.identity) = (detection, identity)
    (self.age, self.confidence) = (age, confidence)
  }
}
