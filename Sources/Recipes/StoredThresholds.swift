// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Scheduler
public import Specification
internal import Video

/// Thresholds that were calibrated, kept beside the weights that they belong to: `thresholds.json` in a network's folder or a part's.
///
/// A threshold by itself does not carry over from data to data; kept with what it was found for, and on which clip, it
/// spares a stream the time in which a held rate settles.
public struct StoredThresholds: Codable, Hashable, Sendable {
  /// One threshold and what it was found on.
  public struct Entry: Codable, Hashable, Sendable {
    public let threshold: Double
    /// The share of the clip's frames that is key at it.
    public let share: Double
    public let clip: String
    public let frames: Int
    /// The rest of the pipeline, by name: backbone, propagation, flow.
    public let parts: [String: String]

    public init(
      threshold: Double, share: Double, clip: String, frames: Int, parts: [String: String]
    ) {
      (self.threshold, self.share, self.clip, self.frames) = (threshold, share, clip, frames)
      self.parts = parts
    }
  }

  /// By the scheduler whose threshold each is: "moved:rate=0.1".
  public var entries: [String: Entry] = [:]

  /// Where they lie in a folder.
  public static func path(in folder: String) -> String {
    ModelFolder.thresholdsPath(in: folder)
  }

  /// Those in a folder; none where it has no such file.
  ///
  /// - Throws: `SpecificationError` for a file that holds something else.
  public init(contentsOf folder: String) throws {
    let path = Self.path(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return }
    let bytes = try readBytes(of: path, limit: 1 << 20)
    guard let read = try? JSONDecoder().decode([String: Entry].self, from: Data(bytes)),
      read.values.allSatisfy({ $0.threshold > 0 && $0.threshold.isFinite })
    else { throw SpecificationError(.badDescription, "\(path) holds no thresholds of schedulers") }
    entries = read
  }

  /// The threshold that was found for a scheduler.
  ///
  /// - Throws: `SpecificationError` where there is none, with those that there are.
  public func threshold(of scheduler: String, in folder: String) throws(SpecificationError) -> Double {
    if let entry = entries[scheduler] { return entry.threshold }
    let others = entries.keys.sorted().joined(separator: ", ")
    throw SpecificationError(
      .missingFile,
      "\(folder) keeps no threshold of \(scheduler)"
        + (others.isEmpty
          ? "; inbetween calibrate --keep \(folder) finds one" : ", but of \(others)"))
  }

  /// Looks whether a threshold that a scheduler takes from a folder was found along this motion, where that matters.
  ///
  /// - Throws: `CatalogueError` where it was found along another.
  static func requireMotion(_ flow: String, for scheduler: String) throws {
    guard let name = scheduler.range(of: "calibrated:") else { return }
    let halves = scheduler[name.upperBound...].split(separator: ",", maxSplits: 1).map(String.init)
    guard halves.count == 2,
      let held = try [Card<any KeyframeScheduler>].schedulers.part(halves[1]) as? TargetRateScheduler,
      held.changeScore.dependsOnMotion,
      let found = try StoredThresholds(contentsOf: halves[0]).entries[halves[1]]?.parts["flow"],
      found != flow
    else { return }
    throw CatalogueError(
      "the threshold of \(halves[1]) in \(halves[0]) was found along \(found), and means nothing along \(flow): "
        + "take --flow \(found), or find another with inbetween calibrate --keep")
  }

  public init(from decoder: any Swift.Decoder) throws {
    entries = try decoder.singleValueContainer().decode([String: Entry].self)
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(entries)
  }
}
