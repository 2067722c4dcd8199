// SPDX-License-Identifier: Apache-2.0

public import Video

extension StreetClip {
  /// What the categories of the boxes stand for.
  public var objectClasses: ClassList { .streetObjects }

  /// Depth of the frame at `index`: metres along the optical axis, 0 for the sky.
  public func depth(at index: Int) -> DepthMap { street.depth(at: index) }

  /// The cars, pedestrians and bicyclists seen in the frame at `index`; see
  /// `MovingStreet.boxes(at:)`.
  public func boxes(at index: Int) -> [GroundTruthBox] { street.boxes(at: index) }

  /// Labels, depth and boxes of the frame at `index`, traced in one go.
  public func truth(at index: Int) -> StreetTruth { street.truth(at: index) }
}
