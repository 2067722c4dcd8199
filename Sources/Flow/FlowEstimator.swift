// SPDX-License-Identifier: Apache-2.0
public import Video

/// Estimates how the picture moved between two frames.
///
/// It may assume nothing of the frames but that each is whole; they may be far apart. It must keep
/// the laws of `brokenLaws(of:)` in `ConformanceKit`: equal frames give zero, a moved picture gives
/// the sign and size that ``MotionField`` documents, the field lies on the frames' own pixel grid,
/// the same frames give the same field, and frames of unequal size are refused. It is a value, or
/// safe to call from several threads at a time. To prove a conformer, see that `brokenLaws(of:)`
/// returns nothing.
public protocol FlowEstimator: Sendable {
  /// The motion on `current`'s pixel grid: where each of its pixels reads in `reference`.
  ///
  /// - Throws: `FlowError` naming both sizes where the frames differ in size.
  func motion(from current: Frame, to reference: Frame) throws -> MotionField

  /// Whether the decoder has to export the codec's motion vectors; false unless said otherwise.
  var needsMotionVectors: Bool { get }

  /// Which frames it can lead to; any frame unless said otherwise.
  var reach: Reach { get }

  /// How a longer way is put together of its steps; exactly unless said otherwise.
  var sampling: FlowSampling { get }

  /// Whether it finds motion at all. True unless an estimator says otherwise.
  var findsMotion: Bool { get }

  /// How many threads may work on one field, the calling one included; one unless said otherwise.
  var threads: Int { get }
}

/// Which frames an estimator can lead to.
public enum Reach: Sendable, Hashable {
  /// Any two frames, directly.
  case anyFrame
  /// Only the picture the codec predicted from: a longer way has to be put together by
  /// `FlowAccumulator`.
  case previousFrame
  /// Any two frames, but a longer way is better put together of steps from each to the one before.
  case stepByStep
}

extension FlowEstimator {
  /// False: vectors are not looked at unless an estimator says otherwise.
  public var needsMotionVectors: Bool { false }
  /// Any frame unless an estimator says otherwise.
  public var reach: Reach { .anyFrame }
  /// Exact unless an estimator says otherwise.
  public var sampling: FlowSampling { .exact }

  /// True unless an estimator says otherwise.
  public var findsMotion: Bool { true }
  /// One thread unless an estimator says otherwise.
  public var threads: Int { 1 }
}

/// Refuses frames that do not lie on one grid.
func requireEqualSizes(_ current: Frame, _ reference: Frame) throws(FlowError) {
  let (one, other) = (current.pixels, reference.pixels)
  guard (one.width, one.height) == (other.width, other.height) else {
    throw .sizesDiffer(
      "frame \(current.index)", (one.width, one.height),
      "frame \(reference.index)", (other.width, other.height))
  }
}

/// Nothing moves: the least an estimator may do, and the baseline every other has to beat.
public struct ZeroFlow: FlowEstimator {
  /// False: there is nothing to find.
  public var findsMotion: Bool { false }

  /// An estimator without settings.
  public init() {}

  /// A field of zeros on the frames' grid; it throws where the frames differ in size.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try requireEqualSizes(current, reference)
    return .zero(width: current.pixels.width, height: current.pixels.height)
  }
}

extension FlowEstimator where Self == ZeroFlow {
  /// Nothing moves.
  public static var zero: ZeroFlow { ZeroFlow() }
}
