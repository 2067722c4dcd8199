// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Video

/// Results of a live stream on standard output, a line of JSON each.
struct LiveLines {
  private let names: [String]
  private let void: UInt8?
  private let folder: String?
  private let encoder = JSONEncoder()

  /// What one line says.
  struct Line: Encodable {
    let frame: Int
    let time: Double
    /// `key`, `propagated` or `reused`.
    let role: String
    let reason: String
    let age: Double
    /// Nil without a deadline.
    let late: Bool?
    let streamBreak: String?
    /// The share of pixels of each class that occurs.
    let labels: [String: Double]
    /// The label map, where one is written.
    let map: String?

    private enum CodingKeys: String, CodingKey {
      case frame, time, role, reason, late, labels, map
      case age = "age_ms"
      case streamBreak = "break"
    }
  }

  init(classes: ClassList, folder: String?) {
    (names, void, self.folder) = (classes.names, classes.void, folder)
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// The share of pixels of each class that occurs, rounded to a ten-thousandth.
  func shares(of labels: Image) -> [String: Double] {
    var counts = [Int](repeating: 0, count: 256)
    labels.withUnsafeBytes { for label in $0 { counts[Int(label)] += 1 } }
    let whole = Double(labels.width * labels.height)
    var shares: [String: Double] = [:]
    for (label, count) in counts.enumerated() where count > 0 && label < names.count {
      guard void.map({ Int($0) }) != label else { continue }
      shares[names[label]] = (Double(count) / whole * 1e4).rounded() / 1e4
    }
    return shares
  }

  func map(of frame: Frame) -> String? {
    folder.map { "\($0)/\(LabelOutput.mapName(of: frame)).png" }
  }

  /// - Returns: whether anybody reads on.
  /// - Throws: `Failure` where the line cannot be written.
  func print(_ line: Line) throws -> Bool {
    let bytes = [UInt8](try encoder.encode(line)) + Array("\n".utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        guard errno != EPIPE else { return false }
        throw Failure(
          .inputOutput, "standard output cannot be written: \(String(cString: strerror(errno)))")
      }
      done += count
    }
    return true
  }
}
