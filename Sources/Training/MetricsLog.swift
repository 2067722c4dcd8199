// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// `metrics.jsonl`: one JSON object a line, in the order of the steps.
///
/// A line is whole or not there: it goes to the system in one piece before `append` returns, so
/// that it outlives the process, and what a full disk or a lost power supply left of one is cut
/// off. Opened for a resumed run, the file ends as an unbroken run's did at that step.
public struct MetricsLog: Sendable {
  private let file: AppendedFile

  /// Opens the file, without the lines of steps after `last`, which a resumed run writes again;
  /// without those of `split` at `last` too, where it does that again.
  public init(
    path: String, keepingThrough last: Int, without split: String? = nil
  ) throws(TrainingError) {
    file = try AppendedFile(path, mustBeNew: false)
    try file.truncate(to: Self.length(of: path, through: last, without: split))
  }

  /// Opens a training's, from the step after `last` on.
  ///
  /// An evaluation at `last` may have been logged before its checkpoint said so: where it is made
  /// again, its line is too.
  init(in folder: String, after last: Int?, evaluatingAgain: Bool) throws(TrainingError) {
    try self.init(
      path: "\(folder)/metrics.jsonl", keepingThrough: last ?? -1,
      without: evaluatingAgain ? "val" : nil)
  }

  /// Adds a line: the step, the split, then the values by name; what is no finite number is null.
  public func append(step: Int, split: String, _ values: [String: Double]) throws(TrainingError) {
    var line = "{\"step\":\(step),\"split\":\(quoted(split))"
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      line += ",\(quoted(name)):\(value.isFinite ? "\(value)" : "null")"
    }
    try file.append(Array((line + "}\n").utf8))
  }

  /// Puts what was written on the disk, where it outlives the machine.
  public func synchronize() throws(TrainingError) { try file.synchronize() }

  /// Bytes before the first line that is to be written again, or that is no whole line of this log.
  private static func length(
    of path: String, through last: Int, without split: String?
  ) throws(TrainingError) -> Int {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) } catch {
      // An empty file cannot be mapped, and has nothing to keep.
      return 0
    }
    var end = data.startIndex
    while let newline = data[end...].firstIndex(of: UInt8(ascii: "\n")),
      let line = line(data[end..<newline]), line.step <= last,
      line.step < last || split == nil || line.split != split
    {
      end = newline + 1
    }
    return end
  }

  private struct Line: Decodable {
    let step: Int
    let split: String?
  }

  private static func line(_ bytes: Data) -> Line? {
    try? JSONDecoder().decode(Line.self, from: bytes)
  }
}

/// A JSON string.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\0"..<" ": result += String(format: "\\u%04x", scalar.value)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
