// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Outputs
internal import Pipeline
public import Recipes
internal import Scheduler
internal import Specification
internal import Video

/// Measures the accuracy of a sweep's points, one group after another.
///
/// Any number of workers may share a folder, on one machine or on several that see it: each group
/// is locked by whoever works on it, and what is finished is not done again. Times of what runs
/// here say nothing and are not kept.
public struct SweepWorker: Sendable {
  private let folder: SweepFolder
  private let registries: Registries
  private let threads: Int
  private let environment: @Sendable ([String]) -> [String: String]

  /// A worker on a sweep; `environment` gives the facts that a result records of files and machine.
  public init(
    _ folder: SweepFolder, in registries: Registries, threads: Int,
    environment: @escaping @Sendable ([String]) -> [String: String]
  ) {
    (self.folder, self.registries, self.threads) = (folder, registries, threads)
    self.environment = environment
  }

  /// Works until nothing is left that nobody else works on.
  ///
  /// Worker number `number` of `count` begins at another place than the others; `isStopped` is
  /// asked before each frame.
  ///
  /// - Returns: Whether it came to its end.
  public func run(
    number: Int = 0, of count: Int = 1, isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws -> Bool {
    let pieces = try folder.plan().pieces
    let first = pieces.isEmpty ? 0 : number * pieces.count / max(count, 1) % pieces.count
    for piece in pieces[first...] + pieces[..<first] {
      if isStopped() { return false }
      guard piece.points.contains(where: { folder.state(of: $0) == .pending }),
        let lock = try FolderLock(folder.groupPath(piece.name))
      else { continue }
      try withExtendedLifetime(lock) {
        let pending = piece.points.filter { folder.state(of: $0) == .pending }
        guard FileManager.default.fileExists(atPath: folder.alonePath(piece.name)) else {
          try mark(piece.name, nil)
          return try measure(pending, isStopped)
        }
        for point in pending where !isStopped() {
          try mark(piece.name, point.id)
          try measure([point], isStopped)
        }
      }
    }
    return !isStopped()
  }

  /// The folder that a point's label maps go into; nil where they are not kept.
  private func keptLabels(of point: SweepPoint) throws -> String? {
    guard try folder.plan().keepsLabels == true else { return nil }
    let path = folder.run(point).labelsPath
    try makeFolder(path)
    return path
  }

  /// Says what is measured, for whoever finds out that this process crashed.
  private func mark(_ group: String, _ point: String?) throws {
    try RunFolder.write(
      json: SweepFolder.Mark(process: getpid(), point: point), to: folder.markPath(group))
  }

  private func measure(_ points: [SweepPoint], _ isStopped: @Sendable () -> Bool) throws {
    let work = SharedWork()
    var members: [SweepMember] = []
    for point in points {
      if isStopped() { return }
      do {
        let run = try EvaluationRun(
          point.specification, in: registries, threads: threads, sharing: work)
        if let task = try run.task() {
          try finish(point, run.measure(task, isTimed: false))
        } else {
          let labels = try keptLabels(of: point)
          members.append(try SweepMember(point, run, sharing: work, labels: labels))
        }
      } catch { try folder.fail(point, Self.sentence(error)) }
    }
    try measure(&members, sharing: work, isStopped)
    if isStopped() { return }
    for member in members {
      try folder.run(member.point).write(
        member.result(in: registries, environment), frames: member.measurement.records)
    }
  }

  /// Frame by frame, all members on each.
  private func measure(
    _ members: inout [SweepMember], sharing work: SharedWork, _ isStopped: @Sendable () -> Bool
  ) throws {
    var index = 0
    while let longest = members.map(\.count).max(), index < longest {
      if isStopped() { return }
      work.begin()
      var samples: [Bool: LabelledSample] = [:]
      for place in members.indices.reversed() {
        do {
          try members[place].add(frame: index, sharing: work, samples: &samples)
        } catch {
          try folder.fail(members[place].point, "frame \(index): \(Self.sentence(error))")
          members.remove(at: place)
        }
      }
      index += 1
    }
  }

  private func finish(_ point: SweepPoint, _ task: TaskEvaluation) throws {
    let result = RunResult(
      status: .ok, specification: task.spec, pipeline: task.spec.pipeline.names(in: registries),
      against: .labels, scores: task.scores, intervals: task.frames.intervals(),
      speed: task.costs.speed, cost: .init(peakRSSBytes: nil, macs: task.costs.macs),
      input: .init(
        path: point.clip, framesDecoded: task.frames.count, breaks: task.costs.breaks),
      environment: environment(task.files), warnings: task.warnings)
    try folder.run(point).write(result, frames: task.frames)
  }

  private static func sentence(_ error: any Error) -> String {
    let lines = "\(error)".split(whereSeparator: \.isNewline)
    return lines.count > 2 ? "\(lines[0]) \(lines[lines.count - 1])" : lines.joined(separator: " ")
  }
}

/// A point on its way through a clip, beside others.
struct SweepMember {
  let point: SweepPoint
  private let loaded: LoadedEvaluation
  private(set) var measurement: RunMeasurement
  private var stream: EvaluationStream
  private var metrics: [any Metric<Image, Image>]
  private let hasVectors: Bool
  /// Where label maps go; nil where they are not kept.
  private let labels: String?
  private var names = LabelMapNames()

  init(
    _ point: SweepPoint, _ run: EvaluationRun, sharing work: SharedWork, labels: String? = nil
  ) throws {
    (self.point, self.labels) = (point, labels)
    loaded = try run.load(sharing: work)
    metrics = try run.metrics(of: Image.self, against: Image.self)
    measurement = RunMeasurement(
      classes: loaded.clip.classes, warmUp: 0, keeping: .untimedRecords)
    stream = Self.stream(loaded.pipeline)
    hasVectors = loaded.whole.flow.needsMotionVectors
  }

  private static func stream(
    _ pipeline: some StreamPipeline<Image>
  ) -> EvaluationStream { EvaluationStream(pipeline) }

  var count: Int { loaded.clip.count }

  /// The least share of key frames that its scheduler promises; 0 where it promises nothing.
  var leastRate: Double { loaded.whole.scheduler.longestInterval.map { 1 / Double($0) } ?? 0 }

  mutating func add(
    frame index: Int, sharing work: SharedWork, samples: inout [Bool: LabelledSample]
  ) throws {
    guard index < count else { return }
    let sample = try samples[hasVectors] ?? loaded.clip.sample(at: index)
    samples[hasVectors] = sample
    let (clip, flow, judge) = (loaded.clip, loaded.consistency, loaded.spec.consistency)
    func motion(from current: Frame, to previous: Frame) throws -> PairMotion? {
      try work.pair("\(String(describing: judge)) \(current.index) \(previous.index)") {
        try PairMotion(from: current, to: previous, on: clip, by: flow)
      }
    }
    var ready = try stream.add(sample, decode: nil, to: &measurement, motion: motion)
    if index == count - 1 { ready += try stream.finish(in: &measurement, motion: motion) }
    for (sample, result) in ready { try keep(result, of: sample, on: clip) }
  }

  /// Writes a frame's labels, and counts it in every metric.
  private mutating func keep(
    _ result: LabelledFrame, of sample: LabelledSample, on clip: any LabelledClip
  ) throws {
    if let labels {
      try result.labels.scaledLabels(to: sample.frame.pixels.size).writePNG(
        to: "\(labels)/\(names.next(sample.frame)).png", palette: clip.classes.palette)
    }
    for place in metrics.indices {
      let counts = try metrics[place].counts(
        adding: result.labels, target: sample.labels, trace: result.trace)
      for (figure, counted) in counts { measurement.keep(counted, as: figure) }
    }
  }

  func result(
    in registries: Registries, _ environment: ([String]) -> [String: String]
  ) -> RunResult {
    let spec = loaded.spec
    let after = [
      spec.agreement ? nil : measurement.absenceWarning,
      registries.rateWarning(of: spec.pipeline.scheduler, after: measurement.speed),
    ].compactMap(\.self)
    let scores = metrics.reduce(into: [String: Double]()) { $0.merge($1.values) { $1 } }
    return RunResult(
      status: .ok, specification: spec,
      pipeline: loaded.names(
        in: registries, usesFlow: measurement.usesFlow, consistency: measurement.consistencyFlow),
      accuracy: measurement.accuracy, against: spec.agreement ? .agreement : .labels,
      scores: scores.isEmpty ? nil : scores, intervals: measurement.records.intervals(),
      speed: measurement.speed, cost: .init(peakRSSBytes: nil, macs: measurement.macs),
      input: .init(
        path: point.clip, framesDecoded: measurement.records.count, breaks: measurement.breaks),
      environment: environment(loaded.files), warnings: loaded.warnings + after)
  }
}
