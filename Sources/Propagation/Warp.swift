// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Tensors

/// Reads each cell from where the motion says it was, with bilinear weights.
///
/// Deep Feature Flow (Zhu et al., CVPR 2017), equation 3, without the scale field. The motion is
/// resized to the tensor's grid, its values with it, so a tensor of any stride can be carried.
/// A cell whose motion is unknown reads its own place.
public struct Warp: Propagator {
  public let reference: MotionReference
  /// What is read outside the tensor.
  public let border: Border

  /// - Parameters:
  ///   - reference: straight from the key frame, or chained from frame to frame, which follows long
  ///     motion better and blurs a little at each step.
  ///   - border: `.clamp` reads the nearest cell, `.zero` reads zeros with partial weights as Deep
  ///     Feature Flow does.
  public init(from reference: MotionReference = .key, border: Border = .clamp) {
    (self.reference, self.border) = (reference, border)
  }

  public func prepare(_ cached: Tensor) throws -> Tensor { try cached.channelsLast() }

  public func callAsFunction(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    let (motion, known) = try evidence.motion(height: cached.shape[2], width: cached.shape[3])
    MACCounter.current?.add(macs: 4 * cached.count)
    return try cached.warped(along: motion, border: border, known: known)
  }

  public func labels(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    let (motion, known) = try evidence.motion(height: cached.shape[2], width: cached.shape[3])
    MACCounter.current?.add(macs: 4 * cached.count)
    return try cached.warpedLabels(along: motion, border: border, known: known)
  }
}

extension Propagator where Self == Warp {
  /// Reads each cell from where the motion says it was.
  public static func warp(
    from reference: MotionReference = .key, border: Border = .clamp
  ) -> Self { .init(from: reference, border: border) }
}
