// SPDX-License-Identifier: Apache-2.0

internal import Foundation
package import Scheduler
public import Specification
internal import Video

/// Calibrated thresholds, kept beside the weights that they belong to: `thresholds.json` in a model
/// folder.
///
/// A threshold does not carry over from data to data. Kept with what it was found for, and on which
/// clip, it spares a stream the time in which a rate settles.
public struct StoredThresholds: Sendable, Hashable {
  /// One threshold and what it was found on.
  public struct Entry: Codable, Hashable, Sendable {
    /// The scheduler whose threshold this is: a score at a rate or a latency.
    public let scheduler: PartSpec
    /// The threshold found, in the change score's unit; above 0.
    public let threshold: Double
    /// The share of the clip's frames that is a key frame at it.
    public let share: Double
    /// The name of the clip that it was found on.
    public let clip: String
    /// How many frames of the clip were run.
    public let frames: Int
    /// The pipeline that it was found in.
    public let pipeline: PipelineSpec

    /// A threshold with all that it was found for and on.
    public init(
      scheduler: PartSpec, threshold: Double, share: Double, clip: String, frames: Int,
      pipeline: PipelineSpec
    ) {
      (self.scheduler, self.threshold, self.share) = (scheduler, threshold, share)
      (self.clip, self.frames, self.pipeline) = (clip, frames, pipeline)
    }
  }

  /// What was found, one entry a scheduler, in the order in which they were added.
  public private(set) var entries: [Entry] = []

  /// Those in a folder; none where it has no such file.
  ///
  /// - Throws: `SpecificationError` for a file that holds something else.
  public init(contentsOf folder: String) throws {
    let path = ModelFolder.thresholdsPath(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return }
    let bytes = try readBytes(of: path, limit: 1 << 20)
    guard let read = try? JSONDecoder().decode([Entry].self, from: Data(bytes)),
      read.allSatisfy({ $0.threshold > 0 && $0.threshold.isFinite })
    else {
      throw SpecificationError(.badDescription, "\(path) holds no thresholds of schedulers")
    }
    entries = read
  }

  /// Adds an entry in the place of one of the same scheduler.
  public mutating func keep(_ entry: Entry) {
    entries.removeAll { $0.scheduler == entry.scheduler }
    entries.append(entry)
  }

  /// What was found for a scheduler, however it is spelled.
  ///
  /// - Throws: `SpecificationError` where there is nothing, with what there is.
  func entry(
    of scheduler: PartSpec, in folder: String, by grammar: Grammar
  ) throws(SpecificationError) -> Entry {
    if let entry = entries.first(where: { $0.scheduler == scheduler }) { return entry }
    let role = "scheduler"
    let others = entries.map { grammar.text(of: $0.scheduler, as: role) }.sorted()
    throw SpecificationError(
      .missingFile,
      "\(folder) keeps no threshold of \(grammar.text(of: scheduler, as: role))"
        + (others.isEmpty
          ? "; inbetween calibrate --keep \(folder) finds one"
          : ", but of \(others.joined(separator: ", "))"))
  }
}

extension StoredThresholds {
  /// The scheduler `calibrated:FOLDER,SCORE:rate=R`: the score with the threshold that was kept for
  /// it.
  ///
  /// - Throws: `SpecificationError` where none was kept, or one that was found along another flow.
  static func scheduler(
    _ options: ResolvedOptions, in context: BuildContext
  ) throws -> any KeyframeScheduler {
    let (folder, held) = (options.text("folder"), options.part("score"))
    let grammar = context.registries.grammar
    guard let score = try context.registries.score(heldBy: held, in: context) else {
      throw InvalidOption("needs a score at a rate or a latency, such as moved:rate=0.1")
    }
    context.note(file: ModelFolder.thresholdsPath(in: folder))
    let entry = try StoredThresholds(contentsOf: folder).entry(of: held, in: folder, by: grammar)
    if score.dependsOnMotion, let flow = context[FlowInUse.self]?.spec,
      let found = entry.pipeline.flow, found != flow
    {
      let (then, now) = (grammar.text(of: found, as: "flow"), grammar.text(of: flow, as: "flow"))
      throw SpecificationError(
        .incompatible,
        "the threshold of \(grammar.text(of: held, as: "scheduler")) in \(folder) was found along "
          + "\(then), and means nothing along \(now): take --flow \(then), or find another with "
          + "inbetween calibrate --keep")
    }
    return ThresholdScheduler(score, threshold: entry.threshold)
  }
}

extension Registries {
  /// The change score that a scheduler holds at a rate or a latency; nil where it is another
  /// scheduler.
  package func score(
    heldBy scheduler: PartSpec, in context: BuildContext
  ) throws -> (any ChangeScore)? {
    guard changeScores.has(scheduler.kind), KeyframeTarget(ResolvedOptions(scheduler)) != nil else {
      return nil
    }
    return try changeScores.build(scheduler, in: context)
  }

  /// The rate or the latency that a scheduler of a change score holds; nil where it is another
  /// scheduler.
  package func target(of scheduler: PartSpec) -> KeyframeTarget? {
    changeScores.has(scheduler.kind) ? KeyframeTarget(ResolvedOptions(scheduler)) : nil
  }
}
