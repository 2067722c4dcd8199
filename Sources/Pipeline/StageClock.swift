// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Scheduler
internal import Video

/// Times the stages of one frame; a stage inside another is counted once, as its own.
final class StageClock {
  let frame: Int
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var stages: [PipelineStage: Duration] = [:]
  private var nested = Duration.zero
  /// What is counted meanwhile.
  private let ledger = MACCounter()

  /// What a frame has taken until it had to wait.
  struct Spent: Sendable {
    fileprivate let stages: [PipelineStage: Duration]
    fileprivate let macs: Int
  }

  /// A clock that starts now, with what the frame has taken `earlier`.
  init(frame: Int, after earlier: Spent? = nil) {
    self.frame = frame
    begin = clock.now
    guard let earlier else { return }
    stages = earlier.stages
    ledger.add(macs: earlier.macs)
  }

  /// What was measured until now.
  var spent: Spent { Spent(stages: stages, macs: ledger.macs) }

  /// Runs `body`, with its MACs counted as this frame's.
  func counting<Result>(_ body: () throws(PipelineError) -> Result) throws(PipelineError) -> Result
  {
    try MACCounter.$current.withValue(ledger) {
      Swift.Result { () throws(PipelineError) in try body() }
    }.get()
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

  /// Takes over an even share of what `shared` measured of work for `count` frames, of which this
  /// is number `place`.
  func add(share place: Int, of count: Int, from shared: StageClock) {
    for (stage, time) in shared.stages { stages[stage, default: .zero] += time / count }
    let macs = shared.ledger.macs
    ledger.add(macs: macs * (place + 1) / count - macs * place / count)
  }

  /// What was noted; where the frame's work was done between that of others, its total is that of
  /// its stages.
  func trace(
    of frame: Frame, _ decision: Decision, framesSinceKeyframe: Int, apart: Bool = true
  ) -> FrameTrace {
    FrameTrace(
      index: frame.index, time: frame.time, decision: decision,
      streamBreak: frame.streamBreak, framesSinceKeyframe: framesSinceKeyframe,
      stages: stages, total: apart ? clock.now - begin : stages.values.reduce(.zero, +),
      keyShare: decision.role == .key ? 1 : 0, macs: ledger.macs)
  }
}
