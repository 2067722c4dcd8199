// SPDX-License-Identifier: Apache-2.0

public import Scheduler
public import Video

/// The parts of a pipeline's work on one frame.
public enum PipelineStage: String, Sendable, Hashable, CaseIterable, Codable {
  /// Bringing the frame to the backbone's size.
  case resize
  /// Waiting for a key frame that was computed in the background.
  case wait
  /// Deciding the frame's role, what the scheduler asked for left out.
  case schedule
  /// Estimating optical flow, whoever asked for it first.
  case flow
  /// The backbone up to the cached stage; on a propagated frame, features that a scheduler asked
  /// for.
  case backbone
  /// Handing a key frame's maps to the propagator, which may lay them out.
  case prepare
  /// Propagating the cached maps, optical flow left out.
  case propagate
  /// Joining what was propagated with what is seen of the frame, features of the backbone left out.
  case fuse
  /// The rest of the backbone, the head and, of labels, the choice of the best class.
  case head
}

/// How one frame was dealt with.
public struct FrameTrace: Sendable {
  /// The frame's position in its stream, from 0.
  public let index: Int
  /// Presentation time in seconds.
  public let time: Double
  /// What the scheduler answered, or the pipeline where it was not asked.
  public let decision: Decision
  /// Why the stream broke before this frame; nil where it goes on from the one before.
  public let streamBreak: StreamBreak?
  /// Frames since the last key frame; 0 at the key frame itself.
  public let framesSinceKeyframe: Int
  /// The time of each stage that ran; they add up to `total` but for the bookkeeping between.
  public let stages: [PipelineStage: Duration]
  /// From the frame in memory to its prediction.
  public let total: Duration
  /// The share of the frame that the backbone ran on, or began to in the background: 1 or 0 where
  /// it is dealt with as a whole.
  public let keyShare: Double
  /// Multiplications, each with its addition, of networks that this package runs and of
  /// propagation.
  ///
  /// Optical flow that no network finds is not counted, nor is an imported network. A key frame in
  /// the background counts where it is taken up.
  public let macs: Int

  package init(
    index: Int, time: Double, decision: Decision, streamBreak: StreamBreak?,
    framesSinceKeyframe: Int,
    stages: [PipelineStage: Duration], total: Duration, keyShare: Double, macs: Int
  ) {
    (self.index, self.time, self.decision) = (index, time, decision)
    (self.streamBreak, self.framesSinceKeyframe) = (streamBreak, framesSinceKeyframe)
    (self.stages, self.total, self.keyShare, self.macs) = (stages, total, keyShare, macs)
  }

  /// Whether the stream broke before this frame.
  public var followsBreak: Bool { streamBreak != nil }

  /// Which path the frame took: propagated too where the backbone runs on it in the background.
  public var role: FrameRole {
    startsBackbone && decision.refresh == .immediate ? .key : .propagated
  }

  /// Whether the backbone ran on this frame, or began to in the background.
  public var startsBackbone: Bool { decision.role == .key }
}

/// Which stage of a pipeline failed, on which frame, and why.
public struct PipelineError: Error, CustomStringConvertible {
  /// The part of the work that failed.
  public let stage: PipelineStage
  /// The position of the frame in its stream, from 0.
  public let frame: Int
  /// What the part threw.
  public let underlying: any Error

  package init(stage: PipelineStage, frame: Int, underlying: any Error) {
    (self.stage, self.frame, self.underlying) = (stage, frame, underlying)
  }

  /// The frame, the stage and the cause, on one line.
  public var description: String { "frame \(frame), \(stage.rawValue): \(underlying)" }
}
