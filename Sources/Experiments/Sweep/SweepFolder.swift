// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Specification

/// A sweep on disk: its plan, a folder for each point, and what rounds of timing came to.
///
/// ```
/// sweep.json                the plan
/// points/ID/result.json     written last: whoever finds it finds the point finished
/// points/ID/frames.json     what each frame counts
/// points/ID/failed.json     in its place where the point cannot be measured
/// timing/GROUP/round-N.json times of one round, every point of the group in turn
/// ```
public struct SweepFolder: Sendable, Hashable {
  /// Where the sweep is.
  public let path: String

  /// The sweep at a path; it need not be there yet.
  public init(_ path: String) { self.path = path }

  /// How far a point is.
  public enum State: String, Sendable, Codable, CaseIterable {
    /// It has a result.
    case finished
    /// It cannot be measured, or could not be.
    case failed
    /// Neither.
    case pending
  }

  /// Why a point has no result.
  public struct Failure: Sendable, Codable, Hashable {
    /// One sentence.
    public var reason: String
  }

  var planPath: String { "\(path)/sweep.json" }

  /// The folder of a point.
  public func run(_ point: SweepPoint) -> RunFolder { RunFolder("\(path)/points/\(point.id)") }

  func failurePath(_ point: SweepPoint) -> String { "\(path)/points/\(point.id)/failed.json" }

  /// How far a point is.
  public func state(of point: SweepPoint) -> State {
    if run(point).isFinished { return .finished }
    return FileManager.default.fileExists(atPath: failurePath(point)) ? .failed : .pending
  }

  /// Why a point failed; nil where it did not.
  public func failure(of point: SweepPoint) -> Failure? {
    try? RunFolder.read(Failure.self, from: failurePath(point))
  }

  func fail(_ point: SweepPoint, _ reason: String) throws {
    try makeFolder(run(point).path)
    try RunFolder.write(json: Failure(reason: reason), to: failurePath(point))
  }

  /// Whether there is a sweep.
  public var exists: Bool { FileManager.default.fileExists(atPath: planPath) }

  /// The plan as it was written.
  ///
  /// - Throws: `SpecificationError` where there is none, or it is of another version.
  public func plan() throws -> SweepPlan {
    guard exists else {
      throw SpecificationError(.missingFile, "\(path) is no sweep: it has no sweep.json")
    }
    let plan = try RunFolder.read(SweepPlan.self, from: planPath)
    guard plan.version == 1 else {
      throw SpecificationError(
        .badInput, "\(planPath) is of version \(plan.version); this program reads version 1")
    }
    return plan
  }

  /// Writes the plan, and makes the folders that workers lock.
  public func begin(_ plan: SweepPlan) throws {
    try makeFolder(path)
    for group in plan.groups { try makeFolder(groupPath(group)) }
    try RunFolder.write(json: plan, to: planPath)
  }

  /// The folder that whoever works on a group holds.
  func groupPath(_ group: String) -> String { "\(path)/groups/\(group)" }

  /// Forgets that points failed, so that they are tried again.
  public func retryFailed(_ plan: SweepPlan) throws {
    for point in plan.points where state(of: point) == .failed {
      try FileManager.default.removeItem(atPath: failurePath(point))
    }
  }

  /// The file in which a worker says what it is at.
  func markPath(_ group: String) -> String { "\(groupPath(group))/at.json" }

  /// The file that says that the points of a group are measured one by one, since a worker crashed.
  func alonePath(_ group: String) -> String { "\(groupPath(group))/alone.json" }

  /// Takes note that a worker crashed: the points that it ran in step are tried one by one, and one
  /// that it ran alone has failed.
  public func noteCrash(of process: Int32, signal: Int32, in plan: SweepPlan) throws {
    for (name, points) in plan.pieces {
      guard let mark = try? RunFolder.read(Mark.self, from: markPath(name)), mark.process == process
      else { continue }
      if let id = mark.point, let point = points.first(where: { $0.id == id }) {
        if state(of: point) == .pending {
          try fail(point, "the process that measured it ended by signal \(signal)")
        }
      } else {
        try RunFolder.write(json: mark, to: alonePath(name))
      }
    }
  }

  /// What a worker is at: one point, or all of a group in step.
  struct Mark: Codable {
    var process: Int32
    var point: String?
  }

  /// The times of a round of a group.
  func roundPath(_ group: String, _ round: Int) -> String {
    "\(path)/timing/\(group)/round-\(String(format: "%03d", round)).json"
  }

  /// The rounds of a group that came to their end, in order.
  public func rounds(of group: String) -> [TimingRound] {
    var rounds: [TimingRound] = []
    while let round = try? RunFolder.read(
      TimingRound.self, from: roundPath(group, rounds.count + 1))
    {
      rounds.append(round)
    }
    return rounds
  }
}

extension SweepPlan {
  /// Names of groups of points that run in step: those on the same frames behind the same backbone,
  /// sixteen at a time, so that not much is lost when a worker is.
  public var groups: [String] { pieces.map(\.name) }

  /// The points of each such group.
  var pieces: [(name: String, points: [SweepPoint])] {
    Dictionary(grouping: points, by: \.group).sorted { $0.key < $1.key }.flatMap { group, points in
      stride(from: 0, to: points.count, by: 16).map { start in
        ("\(group)-\(start / 16)", Array(points[start..<min(start + 16, points.count)]))
      }
    }
  }
}
