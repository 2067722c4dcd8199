// SPDX-License-Identifier: Apache-2.0

internal import Flow
public import Frames
public import Propagation
public import Video

/// Propagates what a network finds on key frames: boxes follow the flow inside them, each with an
/// identity (`BoxTracks`).
///
/// Between key frames a box goes from frame to frame along the pipeline's optical flow to the frame
/// before, on its working size. Scores fall with age and where little of the flow speaks for a
/// box. On a key frame the network's detections take the place of the boxes that they match, whose
/// identities they take over.
public struct BoxPropagator: PredictionPropagator {
  private var tracks: BoxTracks
  private var previous: Frame?

  /// Boxes that start, go on and end as `settings` say.
  public init(settings: BoxTracks.Settings = BoxTracks.Settings()) {
    tracks = BoxTracks(settings: settings)
  }

  /// The detections, each with the identity of the box that was carried to it, or a new one.
  public mutating func keyframe(
    _ prediction: [Detection], in context: FrameContext, isFirst: Bool
  ) throws -> [Detection] {
    if isFirst { tracks.endAll() } else { try advance(to: context) }
    previous = context.frame
    tracks.take(prediction)
    return detections
  }

  /// The boxes of the frame before, moved along the flow inside them.
  public mutating func propagate(to context: FrameContext) throws -> [Detection] {
    try advance(to: context)
    previous = context.frame
    return detections
  }

  /// How much the boxes have changed since the key frame.
  public var objectChange: ObjectChange? {
    previous.flatMap { tracks.change(in: $0.pixels.size) }
  }

  private mutating func advance(to context: FrameContext) throws {
    // Flow that nobody needs is not estimated.
    guard !tracks.isEmpty else { return }
    let later = context.frame.pixels
    guard tracks.settings.motion.way == .flow else {
      return tracks.advance(along: MotionStep(size: later.size))
    }
    let pictures = previous.flatMap { previous in
      previous.pixels.size == later.size ? (earlier: previous.pixels, later: later) : nil
    }
    tracks.advance(
      along: MotionStep(
        size: later.size, backward: try context.flow(to: .previous), pictures: pictures))
  }

  private var detections: [Detection] {
    tracks.boxes.map { box in
      Detection(
        box: box.detection.box, category: box.detection.category, score: box.confidence,
        identity: box.identity, age: box.age, mask: box.detection.mask,
        points: box.detection.points)
    }
  }
}

extension BoxTracks {
  /// Whether there is nothing to carry.
  var isEmpty: Bool { motions.isEmpty }
}
