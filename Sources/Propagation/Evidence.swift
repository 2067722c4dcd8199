// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Tensors

/// What a propagator may ask of the frame that it carries to, and of the one that it carries from.
///
/// Each quantity is computed when it is asked for, so what is not needed costs nothing; motion and features
/// are remembered, pictures and what is resized are made again. In a pipeline N is
/// 1; in training it is a batch, and gradients flow through what is given.
public struct Evidence {
  /// One of the two frames.
  public enum Side: Sendable, Hashable, CaseIterable {
    /// The frame that is carried to.
    case current
    /// The frame that the motion leads to: see `Propagator.reference`.
    case reference
  }

  private let giveMotion: (_ height: Int, _ width: Int) throws -> (Tensor, Tensor?)
  private let givePicture: ((Side) throws -> Tensor)?
  private let giveFeatures: ((String, Side) throws -> Tensor)?

  /// Evidence from these closures.
  ///
  /// `motion` gives N × 2 × height × width, (dx, dy) in cells of that grid, and where it is known, N ×
  /// height × width bytes; `picture`, N × 3 × H × W, blue, green and red from 0 to 255; `features`, what
  /// the backbone gives after a stage, N × C × h × w.
  public init(
    motion: @escaping (_ height: Int, _ width: Int) throws -> (motion: Tensor, known: Tensor?),
    picture: ((Side) throws -> Tensor)? = nil,
    features: ((_ stage: String, Side) throws -> Tensor)? = nil
  ) {
    (giveMotion, givePicture, giveFeatures) = (motion, picture, features)
  }

  /// Evidence of one frame whose motion lies on a grid of its own.
  public init(
    field: @escaping () throws -> MotionField,
    picture: ((Side) throws -> Tensor)? = nil,
    features: ((_ stage: String, Side) throws -> Tensor)? = nil
  ) {
    self.init(
      motion: { try field().resized(width: $1, height: $0).tensors() }, picture: picture,
      features: features)
  }

  /// Where each cell of a grid of the current frame reads in the reference: N × 2 × height × width, in
  /// cells, and which of them are known, N × height × width bytes; nil where all are.
  public func motion(height: Int, width: Int) throws -> (motion: Tensor, known: Tensor?) {
    try giveMotion(height, width)
  }

  /// A frame's pixels, N × 3 × H × W: blue, green and red from 0 to 255, whatever the backbone reads.
  ///
  /// - Throws: `PropagationError` where there are no pictures.
  public func picture(_ side: Side) throws -> Tensor {
    guard let givePicture else { throw PropagationError("no pictures are at hand") }
    return try givePicture(side)
  }

  /// A frame's features after the named stage of the backbone, N × C × h × w.
  ///
  /// If a propagator names the stage in `keptStages`, the reference's are remembered; else the
  /// backbone runs again for them.
  ///
  /// - Throws: `PropagationError` where there are no features.
  public func features(after stage: String, of side: Side) throws -> Tensor {
    guard let giveFeatures else {
      throw PropagationError("no features of stage '\(stage)' are at hand")
    }
    return try giveFeatures(stage, side)
  }
}

/// What a propagator could not be given, or could not do.
public struct PropagationError: Error, Hashable, CustomStringConvertible {
  public let message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
