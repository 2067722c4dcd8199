// SPDX-License-Identifier: Apache-2.0

public import Foundation
internal import Synchronization

/// A file of events as TensorBoard reads them, `events.out.tfevents.…`.
///
/// Each start of a run adds a file of its own to the folder. It begins by naming its first step, at
/// which TensorBoard forgets that step and later ones of earlier files. Every event goes to the
/// system as a whole before `add` returns.
public final class TensorBoardEvents: Sendable {
  private let file: AppendedFile
  /// The file that is written.
  public var path: String { file.path }

  /// Starts a file in a folder; `last` is the step that a resumed run goes on from, nil for a new
  /// one.
  public init(
    in folder: String, resumingAfter last: Int? = nil, at now: Date = Date()
  ) throws(TrainingError) {
    file = try AppendedFile("\(folder)/\(Self.name(at: now))", mustBeNew: true)
    let first = last.map { $0 + 1 } ?? 0
    var (version, session) = (Event(step: first, at: now), Event(step: first, at: now))
    version.setVersion()
    session.setSessionStart()
    try file.append(version.record + session.record)
  }

  /// A name that no other start has, in the order of the starts.
  private static func name(at now: Date) -> String {
    var system = utsname()
    uname(&system)
    let node = withUnsafeBytes(of: system.nodename) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let host = node.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    let seconds = String(format: "%010d", Int(now.timeIntervalSince1970))
    let number = made.add(1, ordering: .relaxed).oldValue
    return "events.out.tfevents.\(seconds).\(host).\(getpid()).\(number)"
  }

  private static let made = Atomic<Int>(0)

  /// Adds numbers to the curves of their names; those with the same text before a `/` are shown
  /// together.
  public func add(
    _ scalars: [String: Double], step: Int, at now: Date = Date()
  ) throws(TrainingError) {
    guard !scalars.isEmpty else { return }
    var event = Event(step: step, at: now)
    event.setScalars(scalars.sorted { $0.key < $1.key }.map { ($0.key, Float($0.value)) })
    try file.append(event.record)
  }

  /// Adds a picture: the bytes of a PNG file of that size, in colours.
  public func add(
    png: [UInt8], named tag: String, width: Int, height: Int, step: Int, at now: Date = Date()
  ) throws(TrainingError) {
    var event = Event(step: step, at: now)
    event.setImage(png, tag: tag, width: width, height: height)
    try file.append(event.record)
  }

  /// Puts what was written on the disk, where it outlives the machine.
  public func synchronize() throws(TrainingError) { try file.synchronize() }
}
