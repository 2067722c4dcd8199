// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Tensors

/// Features stay where they were: the baseline every other propagator has to beat.
public struct Copy: Propagator {
  /// False: nothing is moved.
  public var usesFlow: Bool { false }
  private var maps = FeatureMaps()

  /// A propagator without settings.
  public init() {}

  /// Keeps the key frame's maps.
  public mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) { maps = features }

  /// The key frame's maps as they are.
  public mutating func propagate(to _: FrameContext) -> FeatureMaps { maps }

  /// The best class of each place of the key frame's map; nil where there are several maps.
  public mutating func labels(at _: FrameContext) throws -> Tensor? {
    maps.stages.count == 1 ? try maps.only().argmaxLabels() : nil
  }
}

extension Propagator where Self == Copy {
  /// Features stay where they were.
  public static var copy: Self { .init() }
}
