// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Video

/// A rendered street whose ground truth is the depth of each pixel.
public struct StreetDepth: Clip {
  private let clip: StreetClip

  /// The same frames with their depth.
  public init(clip: StreetClip) { self.clip = clip }

  public var name: String { clip.name }
  public var count: Int { clip.count }
  public let isStored = false
  public var groundTruthMotion: (any MotionProvider)? { clip }

  public func frame(at index: Int) -> Frame { clip.frame(at: index) }
  public func target(at index: Int) -> DepthMap? { clip.depth(at: index) }
}

/// A rendered street whose ground truth is the boxes of its objects.
public struct StreetBoxes: Clip {
  private let clip: StreetClip

  /// The same frames with their boxes.
  public init(clip: StreetClip) { self.clip = clip }

  public var name: String { clip.name }
  public var count: Int { clip.count }
  public let isStored = false
  public var groundTruthMotion: (any MotionProvider)? { clip }

  public func frame(at index: Int) -> Frame { clip.frame(at: index) }
  public func target(at index: Int) -> [GroundTruthBox]? { clip.boxes(at: index) }
}
