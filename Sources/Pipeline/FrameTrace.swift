// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Scheduler
internal import Video

/// The parts of a pipeline's work on one frame.
public enum PipelineStage: String, Sendable, Hashable, CaseIterable, Codable {
  /// Bringing the frame to the backbone's size.
  case resize
  /// Waiting for a key that was computed in the background.
  case wait
  /// Deciding the frame's role, what the scheduler asked for left out.
  case schedule
  /// Estimating motion, whoever asked for it first.
  case flow
  /// The backbone up to the cached stage; on a propagated frame, features that a scheduler asked for.
  case backbone
  /// Laying out a key frame's tensor for being carried.
  case prepare
  /// Carrying the cached tensor, motion left out.
  case propagate
  /// Joining what was carried with what is seen of the frame, features of the backbone left out.
  case fuse
  /// The rest of the backbone, the head and the choice of the best class.
  case head
}

/// How one frame was dealt with.
public struct FrameTrace: Sendable {
  public let index: Int
  /// Presentation time in seconds.
  public let time: Double
  public let decision: Decision
  /// Whether the stream broke before this frame: damage, a gap, a new sequence, another size.
  public let followsBreak: Bool
  /// Frames since the last key frame; 0 at the key itself.
  public let framesSinceKey: Int
  /// The time of each stage that ran; they add up to `total` but for the bookkeeping between.
  public let stages: [PipelineStage: Duration]
  /// From the frame in memory to its labels.
  public let total: Duration
  /// The share of the frame that the backbone ran on, or began to in the background: 1 or 0 where it is dealt with as a
  /// whole.
  public let keyShare: Double
  /// Multiplications, each with its addition, of networks that this package runs and of what is carried.
  ///
  /// Motion that no network finds is not counted, nor is an imported network. A key in the background counts where it is
  /// taken up.
  public let macs: Int

  /// Which path the frame took: propagated too where the backbone runs on it in the background.
  public var role: FrameRole {
    startsBackbone && decision.refresh == .immediate ? .key : .propagated
  }

  /// Whether the backbone ran on this frame, or began to in the background.
  public var startsBackbone: Bool { decision.role == .key }
}

/// Which stage of a pipeline failed, on which frame, and why.
public struct PipelineError: Error, CustomStringConvertible {
  public let stage: PipelineStage
  public let frame: Int
  public let underlying: any Error

  public var description: String { "frame \(frame), \(stage.rawValue): \(underlying)" }
}

/// Times the stages of one frame; a stage inside another is counted once, as its own.
final class StageClock {
  private let frame: Int
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var stages: [PipelineStage: Duration] = [:]
  private var nested = Duration.zero
  /// What is counted meanwhile.
  let ledger = MACCounter()

  init(frame: Int) {
    self.frame = frame
    begin = clock.now
  }

  /// Runs `body` as part of `stage`; what it throws says which stage it was.
  func during<Result>(_ stage: PipelineStage, _ body: () throws -> Result) throws(PipelineError)
    -> Result
  {
    let (start, outer) = (clock.now, nested)
    nested = .zero
    defer {
      let elapsed = clock.now - start
      stages[stage, default: .zero] += elapsed - nested
      nested = outer + elapsed
    }
    do {
      return try body()
    } catch let error as PipelineError {
      throw error
    } catch {
      throw PipelineError(stage: stage, frame: frame, underlying: error)
    }
  }

  /// Notes time as spent on a stage that another clock's frame was in.
  func add(_ time: Duration, to stage: PipelineStage) { stages[stage, default: .zero] += time }

  /// What was noted; where the frame's work was done between that of others, its total is that of its stages.
  func trace(
    of frame: Frame, _ decision: Decision, framesSinceKey: Int, apart: Bool = true
  ) -> FrameTrace {
    FrameTrace(
      index: frame.index, time: frame.time, decision: decision,
      followsBreak: frame.followsBreak, framesSinceKey: framesSinceKey,
      stages: stages, total: apart ? clock.now - begin : stages.values.reduce(.zero, +),
      keyShare: decision.role == .key ? 1 : 0, macs: ledger.macs)
  }
}
