// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline
internal import Scheduler
internal import Video

/// Labels a live stream until it ends or is given up, keeping count of how old its results are.
struct LiveJob {
  /// What is asked of it.
  struct Settings {
    let policy: LiveQueue.Policy
    /// Milliseconds.
    let deadline: Double?
    let onLate: LiveCommand.OnLate?
    let limit: Int?
  }

  /// Frames whose stages are timed: what is held does not grow with the stream.
  private static let timedFrames = 20_000

  private let pipeline: any PredictionPipeline<Image>
  private let gate: KeyframeGate?
  private let queue: LiveQueue
  private let watch: LiveWatch
  private let clock = MachineClock()
  private let outputs: OutputStage<Image>
  private let lines: LiveLines
  private let settings: Settings
  private let signals: Signals
  private var deadline: Deadline?
  private var lastLabels: (labels: Image, trace: FrameTrace)?
  /// Why the stream broke before a frame that was left out.
  private var pendingBreak: StreamBreak?
  private var isRead = true
  private(set) var measurement: RunMeasurement
  private(set) var report: LiveReport
  private(set) var status = RunResult.Status.ok

  init(
    _ pipeline: (any PredictionPipeline<Image>, KeyframeGate?), classes: ClassList,
    queue: LiveQueue, watch: LiveWatch, outputs: OutputStage<Image>, lines: LiveLines,
    settings: Settings, signals: Signals
  ) {
    (self.pipeline, gate, self.queue, self.watch) = (pipeline.0, pipeline.1, queue, watch)
    (self.outputs, self.lines, self.settings, self.signals) = (outputs, lines, settings, signals)
    measurement = RunMeasurement(classes: classes)
    deadline = settings.deadline.map { Deadline(.microseconds(Int64(($0 * 1000).rounded(.up)))) }
    report = LiveReport(frames: settings.policy == .newest ? "newest" : "every")
    report.deadline = settings.deadline
    report.onLate = settings.onLate?.rawValue
  }

  var progress: LiveQueue.Progress { queue.progress }

  /// - Returns: what ended it early; nil where the stream came to its end, or nobody reads on.
  mutating func run() -> Failure? {
    var failure: Failure?
    do { try labelAll(with: pipeline) } catch { failure = Failure(error) }
    queue.cancel()
    do { try outputs.finish() } catch { failure = failure ?? Failure(error) }
    if let text = failure?.message, failure?.code == .cannotCreate {
      failure = Failure(.inputOutput, text)
    }
    report.add(progress)
    if let failure {
      status = [.badInput, .temporary].contains(failure.code) ? .partial : .failed
    } else {
      status = signals.wantsStop ? .cancelled : progress.report.isClean ? .ok : .partial
    }
    return failure ?? signals.failure
  }

  private mutating func labelAll(with pipeline: some PredictionPipeline<Image>) throws {
    var state = pipeline.start()
    let signals = signals
    while isRead, report.results < settings.limit ?? .max {
      guard let arrival = try queue.next(while: { !signals.wantsStop }) else { return }
      try label(arrival, with: pipeline, in: &state)
    }
  }

  private mutating func label<Labelling: PredictionPipeline<Image>>(
    _ arrival: LiveQueue.Arrival, with pipeline: Labelling, in state: inout Labelling.State
  ) throws {
    let (begin, frame) = (clock.now, arrival.frame.breaking(for: pendingBreak))
    let age = begin - arrival.captured
    deadline?.begin(age: age)
    gate?.isClosed = deadline?.isLate(.key, age: age) == true
    if settings.onLate != .degrade, settings.onLate != nil, !frame.followsBreak,
      deadline?.isLate(.propagated, age: age) == true
    {
      return try leaveOut(frame, as: .propagated, arrival)
    }
    guard let result = try Self.label(frame, with: pipeline, in: &state) else {
      return try leaveOut(frame, as: .key, arrival)
    }
    pendingBreak = nil
    let end = clock.now
    deadline?.took(end - begin, as: result.trace.role)
    if result.trace.decision.reason == PuttingOff.lateness {
      deadline?.leftOut(.key)
      report.putOff += 1
    }
    report.labelled += 1
    if report.labelled <= Self.timedFrames { measurement.add(result, truth: nil, decode: nil) }
    lastLabels = (result.labels, result.trace)
    try outputs.add(frame, result, decode: .zero)
    try tell(
      frame, role: result.trace.role.rawValue, "\(result.trace.decision.reason)", result.labels,
      age: end - arrival.captured)
  }

  /// Nil where the frame would be late as the key frame that it is to be.
  private static func label<Labelling: PredictionPipeline<Image>>(
    _ frame: Frame, with pipeline: Labelling, in state: inout Labelling.State
  ) throws -> LabelledFrame? {
    do {
      return try pipeline.label(frame, in: &state)
    } catch {
      guard error.underlying is FrameIsLate else { throw error }
      return nil
    }
  }

  /// A frame that would be late gets the labels before it, or no result.
  private mutating func leaveOut(
    _ frame: Frame, as role: FrameRole, _ arrival: LiveQueue.Arrival
  ) throws {
    deadline?.leftOut(role)
    pendingBreak = frame.streamBreak
    guard settings.onLate == .reuse, let lastLabels, !frame.followsBreak else {
      report.late += 1
      report.missed += 1
      return
    }
    report.reused += 1
    try tell(
      frame, role: "reused", "late", lastLabels.labels, age: clock.now - arrival.captured)
  }

  private mutating func tell(
    _ frame: Frame, role: String, _ reason: String, _ labels: Image, age: Duration
  ) throws {
    let isLate = settings.deadline.map { age.milliseconds > $0 }
    report.results += 1
    report.missed += isLate == true ? 1 : 0
    report.ages.add(age)
    isRead = try lines.print(
      .init(
        frame: frame.index, time: (frame.time * 1e6).rounded() / 1e6, role: role, reason: reason,
        age: (age.milliseconds * 1e3).rounded() / 1e3, late: isLate,
        streamBreak: frame.streamBreak?.rawValue, labels: lines.shares(of: labels),
        map: role == "reused" ? nil : lines.map(of: frame)))
  }
}

extension Frame {
  /// The same frame, after a break that was before one left out.
  fileprivate func breaking(for kind: StreamBreak?) -> Frame {
    kind == nil || streamBreak != nil ? self : with(streamBreak: kind)
  }
}
