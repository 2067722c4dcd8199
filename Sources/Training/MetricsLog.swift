// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// `metrics.jsonl`: one JSON object a line, for every step that is told.
struct MetricsLog {
  private let path: String

  /// Opens the file, without the lines of steps after `last`, which a resumed run writes again.
  init(path: String, keepingThrough last: Int) throws {
    self.path = path
    var kept = ""
    if let text = try? String(contentsOfFile: path, encoding: .utf8) {
      for line in text.split(separator: "\n") {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
          let step = (object as? [String: Any])?["step"] as? Int, step <= last
        else { continue }
        kept += line + "\n"
      }
    }
    try Data(kept.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  func append(step: Int, split: String, _ values: [String: Double]) throws {
    var line = "{\"step\":\(step),\"split\":\"\(split)\""
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      line += ",\"\(name)\":\(value.isFinite ? "\(value)" : "null")"
    }
    line += "}\n"
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(line.utf8))
  }
}
