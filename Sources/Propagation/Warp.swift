// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
internal import Layers
public import Tensors

/// Reads each cell from where the optical flow says it was, with bilinear weights.
///
/// Deep Feature Flow (Zhu et al., CVPR 2017), equation 3, without the scale field. The flow is
/// estimated once and resized to each map's grid, its values with it, so that maps of any stride
/// can be propagated. A cell whose flow is unknown reads its own place.
public struct Warp: Propagator {
  /// The frame that maps are read from.
  public let reference: FlowReference
  /// What is read outside the map.
  public let border: Border
  /// The maps of that frame.
  private var maps = FeatureMaps()

  /// A warp of the key frame's maps, or one from frame to frame.
  ///
  /// - Parameters:
  ///   - reference: straight from the key frame, or chained from frame to frame, which follows long
  ///     motion better and blurs a little at each step.
  ///   - border: `.clamp` reads the nearest cell, `.zero` reads zeros with partial weights as Deep
  ///     Feature Flow does.
  public init(from reference: FlowReference = .keyframe, border: Border = .clamp) {
    (self.reference, self.border) = (reference, border)
  }

  /// Whether maps are read from the key frame, not from the frame before.
  public var readsKeyframeDirectly: Bool { reference != .previous }

  /// Keeps the key frame's maps, channels last, as they are read fastest.
  public mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) throws {
    maps = try features.mapped { map in
      guard map.rank == 4 else {
        throw PropagationError(
          "a warp moves maps of N × C × H × W, and the network gives \(map.shape): take another "
            + "propagator, copy or, for boxes, boxes")
      }
      return try map.channelsLast()
    }
  }

  /// Each map read along the flow; where the frame before is read, the next frame reads these.
  public mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    let propagated = try maps.mapped { map in
      MACCounter.current?.add(macs: 4 * map.count)
      return try context.warped(map, from: reference, border: border)
    }
    if !readsKeyframeDirectly { maps = propagated }
    return propagated
  }

  /// The best class of each place; nil where the frame before is read or there are several maps.
  public mutating func labels(at context: FrameContext) throws -> Tensor? {
    guard readsKeyframeDirectly, maps.stages.count == 1 else { return nil }
    let map = try maps.only()
    let (flow, valid) = try flow(for: map, in: context)
    return try map.warpedLabels(along: flow, border: border, known: valid)
  }

  private func flow(
    for map: Tensor, in context: FrameContext
  ) throws -> (flow: Tensor, valid: Tensor?) {
    let flow = try context.flow(to: reference, height: map.shape[2], width: map.shape[3])
    MACCounter.current?.add(macs: 4 * map.count)
    return flow
  }
}

extension Propagator where Self == Warp {
  /// Reads each cell from where the optical flow says it was.
  public static func warp(
    from reference: FlowReference = .keyframe, border: Border = .clamp
  ) -> Self { .init(from: reference, border: border) }
}
