// SPDX-License-Identifier: Apache-2.0
public import Video

/// Motion back to a key frame, put together from shorter steps.
///
/// Each picture's motion leads to the picture before it, the anchor, and the anchor's leads on to
/// the key: `M_key(p) = M(p) + M_anchor(p + M(p))`. Unknown cells stay unknown on the way; what
/// leads off the frame goes on as the nearest border cell does. Where the estimator reaches only
/// what the codec predicted from, B pictures are no anchors: they lead to the last I or P picture,
/// and so does the picture after them. The chain is a value: a copy forks the stream.
///
/// Everything is unknown after an intra picture, after a frame that follows a break, and, for such
/// an estimator, after a frame was left out, until a new key is set.
///
/// Later frames may be marked, each as something: a step is then estimated once, and leads on to
/// the key and to all of them.
public struct FlowAccumulator: Sendable {
  /// What estimates the steps.
  public let estimator: any FlowEstimator
  /// The last picture that later ones lead to, and its motion back to the key; nil where no later
  /// picture's way can be traced.
  private var anchor: (frame: Frame, ways: Ways)?
  /// The last frame it was told of, and its motion back to the key.
  private var latest: (index: Int, ways: Ways)

  /// What a later frame than the key is marked as.
  public enum Mark: Hashable, Sendable {
    /// The last frame whose scores were made, not propagated.
    case scored
    /// The last frame on which stages with a clock of their own ran.
    case refreshed
  }

  /// The motion back to the key and to the marked frames; what is not marked is the key.
  private struct Ways {
    var toKey: MotionField
    var toMarks: [Mark: MotionField] = [:]
  }

  /// A chain that ends in `key`.
  ///
  /// Later pictures lead to no B picture, so that nothing is known of the way to one; a chain that
  /// is under way already can do better (see ``setKey(_:)``).
  public init(of estimator: any FlowEstimator, key: Frame) {
    self.estimator = estimator
    latest = (key.index, Ways(toKey: .zero(on: key)))
    if isAnchor(key) { anchor = (key, latest.ways) }
  }

  /// The motion from `frame`, the next of the stream, back to the key.
  ///
  /// To be called for every frame but one that becomes the key, in the order of their index, as the
  /// next one's motion may rest on it; where the estimator reaches only what the codec predicted
  /// from, for that one too. Asked again about the same frame it answers the same.
  public mutating func motionToKey(from frame: Frame) throws -> MotionField {
    try extend(to: frame).toKey
  }

  /// Goes on to `frame`, the next of the stream, by a step that is estimated already; does nothing,
  /// and does not ask for it, where `reference` is not the picture that `frame` leads to.
  package mutating func extend(
    to frame: Frame, from reference: Frame, by step: () throws -> MotionField?
  ) throws {
    guard frame.index != latest.index, !isCutOff(frame), let anchor,
      anchor.frame.pixels.storage === reference.pixels.storage, let step = try step()
    else { return }
    hold(try ways(from: step, at: anchor.ways), of: frame)
  }

  /// The motion from the last frame that was asked about back to the key; nowhere, from the key.
  public var lastMotionToKey: MotionField { latest.ways.toKey }

  /// The motion from `frame`, the next of the stream or the last one asked about, back to the frame
  /// that is marked so; to the key where none was since.
  public mutating func motion(to mark: Mark, from frame: Frame) throws -> MotionField {
    let ways = try extend(to: frame)
    return ways.toMarks[mark] ?? ways.toKey
  }

  private mutating func extend(to frame: Frame) throws -> Ways {
    if frame.index == latest.index { return latest.ways }
    if isCutOff(frame) { anchor = nil }
    let ways = try ways(from: frame)
    hold(ways, of: frame)
    return ways
  }

  private mutating func hold(_ ways: Ways, of frame: Frame) {
    if isAnchor(frame) { anchor = (frame, ways) }
    latest = (frame.index, ways)
  }

  /// Makes `frame`, the last one asked about or the next of the stream, the key.
  ///
  /// Later pictures reach a B picture by way of the anchor before it, from which its own motion is
  /// followed in reverse; what that does not cover is unknown.
  public mutating func setKey(_ frame: Frame) throws {
    if isCutOff(frame) { anchor = nil }
    if isAnchor(frame) {
      anchor = (frame, Ways(toKey: .zero(on: frame)))
    } else if let (held, _) = anchor {
      anchor = (held, Ways(toKey: try estimator.motion(from: frame, to: held).reversed()))
    }
    latest = (frame.index, Ways(toKey: .zero(on: frame)))
  }

  /// Marks `frame`, the last one asked about or the next of the stream; the key stays.
  public mutating func set(_ mark: Mark, to frame: Frame) throws {
    var ways = try extend(to: frame)
    ways.toMarks[mark] = .zero(on: frame)
    if isAnchor(frame) {
      anchor = (frame, ways)
    } else if var held = anchor {
      held.ways.toMarks[mark] = try estimator.motion(from: frame, to: held.frame).reversed()
      anchor = held
    }
    latest = (frame.index, ways)
  }

  private func ways(from frame: Frame) throws -> Ways {
    guard let anchor else {
      return Ways(toKey: .unknown(width: frame.pixels.width, height: frame.pixels.height))
    }
    return try ways(from: estimator.motion(from: frame, to: anchor.frame), at: anchor.ways)
  }

  private func ways(from step: MotionField, at anchor: Ways) throws -> Ways {
    Ways(
      toKey: try composed(step, with: anchor.toKey),
      toMarks: try anchor.toMarks.mapValues { try composed(step, with: $0) })
  }

  private func composed(_ step: MotionField, with way: MotionField) throws -> MotionField {
    try step.composed(with: way, sampling: estimator.sampling, threads: estimator.threads)
  }

  /// Whether later pictures may lead to `frame`.
  private func isAnchor(_ frame: Frame) -> Bool {
    estimator.reach != .previousFrame || frame.pictureType != .bidirectional
  }

  /// Whether nothing before `frame` can be reached from it.
  private func isCutOff(_ frame: Frame) -> Bool {
    guard frame.index != latest.index else { return false }
    return frame.followsBreak
      || (estimator.reach == .previousFrame && frame.index != latest.index + 1)
  }
}

extension MotionField {
  fileprivate static func zero(on frame: Frame) -> MotionField {
    .zero(width: frame.pixels.width, height: frame.pixels.height)
  }
}
