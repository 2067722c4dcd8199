// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// Whether this process's memory can be read, as Linux tells it.
public let memoryIsKnown = resident("VmHWM") != nil

private let measuring = Mutex(())

/// How far this process's memory rises above where it was while `body` runs, in bytes; nil where
/// that cannot be seen.
///
/// Other tests run in the same process meanwhile, so that `body` runs until the rise is below
/// `limit`, ten times at most: what it takes itself it takes each time. The least is told.
public func memoryRise(below limit: Int, during body: () throws -> Void) rethrows -> Int? {
  try measuring.withLock { _ in
    var least: Int?
    for _ in 0..<10 where least ?? .max >= limit {
      guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs"),
        (try? file.write(contentsOf: Data("5".utf8))) != nil, let before = resident("VmRSS")
      else { return nil }
      try body()
      guard let highest = resident("VmHWM") else { return nil }
      least = min(least ?? .max, highest - before)
    }
    return least
  }
}

/// What Linux says of this process's memory, in bytes; nil elsewhere.
private func resident(_ field: String) -> Int? {
  guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
    return nil
  }
  let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
  return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
}
