// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Video

/// A rendered street with another ground truth than labels.
public struct StreetTruthClip<Target: Sendable>: Clip {
  /// The classes of the street's objects; nil where they are not the ground truth.
  public let objectClasses: ObjectClasses?
  private let clip: StreetClip
  private let truth: @Sendable (StreetClip, Int) -> Target

  fileprivate init(
    _ clip: StreetClip, _ classes: ClassList? = nil,
    truth: @escaping @Sendable (StreetClip, Int) -> Target
  ) {
    (self.clip, self.truth) = (clip, truth)
    objectClasses = classes.map { ObjectClasses($0) }
  }

  /// The name of the street's clip.
  public var name: String { clip.name }
  /// How many frames the street's clip has.
  public var count: Int { clip.count }
  /// False: frames are drawn when they are asked for.
  public let isStored = false
  /// The exact motion of the street's clip.
  public var groundTruthMotion: (any MotionProvider)? { clip }

  /// A frame, drawn anew.
  public func frame(at index: Int) -> Frame { clip.frame(at: index) }
  /// The ground truth of a frame: its depth in metres, or its boxes in pixels.
  public func target(at index: Int) -> Target? { truth(clip, index) }
}

extension StreetClip {
  /// The same frames; their ground truth is the depth of each pixel.
  public var withDepth: StreetTruthClip<DepthMap> {
    StreetTruthClip(self) { $0.depth(at: $1) }
  }

  /// The same frames; their ground truth is the boxes of their objects.
  public var withBoxes: StreetTruthClip<[GroundTruthBox]> {
    StreetTruthClip(self, .streetObjects) { $0.boxes(at: $1) }
  }
}
