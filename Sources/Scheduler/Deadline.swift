// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Synchronization

/// Tells which frames of a live stream will be late, by how long others took.
///
/// A frame is late where its age and what its role usually takes are more than the deadline. It is
/// not told so where a fresh frame would be late too, since leaving it out helps nobody, nor after
/// ten frames in a row were: one is then done however late it is, so that what is known of its role
/// is measured anew. So a single slow frame changes nothing for long.
public struct Deadline: Sendable {
  /// The age at which a result is late.
  public let limit: Duration
  /// How many frames in a row of a role are told late at most.
  public static let patience = 10
  private var times: [FrameRole: [Duration]] = [:]
  private var inARow: [FrameRole: Int] = [:]
  private var ages: [Duration] = []

  /// Nothing is known yet: nothing is late.
  public init(_ limit: Duration) { self.limit = limit }

  /// A frame of that age begins.
  public mutating func begin(age: Duration) { add(age, to: &ages, keeping: 10) }

  /// Whether a frame of that age will be late, in a role.
  public func isLate(_ role: FrameRole, age: Duration) -> Bool {
    guard let usual = usual(role), age + usual > limit else { return false }
    let freshest = ages.min() ?? age
    return freshest + usual <= limit && inARow[role, default: 0] < Self.patience
  }

  /// A frame took so long in a role.
  public mutating func took(_ time: Duration, as role: FrameRole) {
    add(time, to: &times[role, default: []], keeping: 5)
    inARow[role] = 0
    // A key frame is more than what a propagated frame is.
    if role == .key { inARow[.propagated] = 0 }
  }

  /// A frame was left out, or not made a key frame, since it would have been late.
  public mutating func leftOut(_ role: FrameRole) { inARow[role, default: 0] += 1 }

  /// The median of the last five; nil before there was any.
  private func usual(_ role: FrameRole) -> Duration? {
    guard let times = times[role], !times.isEmpty else { return nil }
    return times.sorted()[times.count / 2]
  }

  private func add(_ value: Duration, to values: inout [Duration], keeping count: Int) {
    values.append(value)
    if values.count > count { values.removeFirst() }
  }
}

/// Whether a key frame of the frame at hand would be late: told by whoever reads a live stream, and
/// asked by ``PuttingOff``.
public final class KeyframeGate: Sendable {
  /// What becomes of a key frame that would be late.
  public enum Action: Sendable, Hashable {
    /// Features are propagated to the frame; the next frame that may is key.
    case putOff
    /// The frame is left out: `FrameIsLate` is thrown.
    case refuse
  }

  let action: Action
  private let late = Atomic(false)

  /// A gate that is open.
  public init(_ action: Action) { self.action = action }

  /// Whether a key frame would be late now.
  public var isClosed: Bool {
    get { late.load(ordering: .relaxed) }
    set { late.store(newValue, ordering: .relaxed) }
  }
}

/// The frame at hand would be late, and is left out.
public struct FrameIsLate: Error, Hashable {
  /// A late frame.
  public init() {}
}

/// Another scheduler's key frames, each put off or refused while a gate is closed.
///
/// The first frame of a stream, and one after a break, are key frames without being asked about;
/// key frames that are computed in the background are as they were.
public struct PuttingOff: KeyframeScheduler {
  private var scheduler: any KeyframeScheduler
  private let gate: KeyframeGate
  private var isDue = false

  /// The key frames of `scheduler`, where `gate` is open.
  public init(_ scheduler: some KeyframeScheduler, gate: KeyframeGate) {
    (self.scheduler, self.gate) = (scheduler, gate)
  }

  /// Key where the scheduler says so, or said so since the last key frame, and the gate is open.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let decision =
      try isDue
      ? Decision(.key, because: Reason("key frame put off")) : scheduler.decision(at: context)
    guard decision.role == .key, decision.refresh == .immediate, gate.isClosed else {
      if decision.role == .key { isDue = false }
      return decision
    }
    guard gate.action == .putOff else { throw FrameIsLate() }
    isDue = true
    return Decision(.propagated, because: Self.lateness)
  }

  /// The reason of a frame whose key frame is put off.
  public static let lateness = Reason("late: key frame put off")
}
