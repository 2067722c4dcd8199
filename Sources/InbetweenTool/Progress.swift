// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Synchronization

/// Tells how far a long job is.
///
/// One line that redraws itself on a terminal, a calm line every ten seconds elsewhere. Writes to
/// standard error, so that results can be piped.
struct Progress {
  private let total: Int?
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var last: ContinuousClock.Instant
  private var (done, keys, withRole) = (0, 0, 0)

  /// - Parameter total: the expected number of frames; nil where only a claim of it is known.
  init(total: Int?) {
    self.total = total
    begin = clock.now
    last = begin
  }

  /// Counts a frame; `isKey` is nil where frames have no roles.
  mutating func advance(isKey: Bool? = nil) {
    done += 1
    keys += isKey == true ? 1 : 0
    withRole += isKey == nil ? 0 : 1
    let now = clock.now
    guard now - last >= (isTerminal ? .milliseconds(200) : .seconds(10)) else { return }
    last = now
    write(isTerminal ? "\r\u{1B}[K\(line(at: now))" : "\(line(at: now))\n")
  }

  /// Leaves the terminal's line clean for what comes next.
  func end() { if isTerminal, done > 0 { write("\r\u{1B}[K") } }

  private func line(at now: ContinuousClock.Instant) -> String {
    let seconds = max((now - begin) / .seconds(1), 1e-9)
    let rate = Double(done) / seconds
    var line = String(format: "%d", done)
    if let total { line += "/\(total)" }
    line += String(format: " frames, %.1f a second", rate)
    if withRole > 0 {
      line += String(format: ", %.0f %% key", 100 * Double(keys) / Double(withRole))
    }
    if let total, done < total {
      line += String(format: ", %.0f s left", Double(total - done) / rate)
    }
    return line
  }

  private func write(_ text: String) {
    StandardError.say(text)
  }
}

/// Progress that several threads, or closures that escape, tell of.
final class SharedProgress: Sendable {
  private let progress: Mutex<Progress>
  init(total: Int? = nil) { progress = Mutex(Progress(total: total)) }
  func advance(isKey: Bool? = nil) { progress.withLock { $0.advance(isKey: isKey) } }
  func end() { progress.withLock { $0.end() } }
}

/// What is odd and goes on: said once on standard error.
enum Warnings {
  static func say(_ warnings: [String]) {
    for warning in warnings { StandardError.say("inbetween: warning: \(warning)\n") }
  }
}
