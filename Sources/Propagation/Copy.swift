// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Tensors

/// Features stay where they were: the baseline every other propagator has to beat.
public struct Copy: Propagator {
  public var usesFlow: Bool { false }
  private var maps = FeatureMaps()

  public init() {}

  public mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) { maps = features }

  public mutating func propagate(to _: FrameContext) -> FeatureMaps { maps }

  public mutating func labels(at _: FrameContext) throws -> Tensor? {
    maps.stages.count == 1 ? try maps.only().argmaxLabels() : nil
  }
}

extension Propagator where Self == Copy {
  /// Features stay where they were.
  public static var copy: Self { .init() }
}
