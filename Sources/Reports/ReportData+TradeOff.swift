// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Specification

extension ReportData {
  /// What was measured elsewhere, as a list: name, mIoU and milliseconds of each pipeline.
  private struct Summary: Decodable {
    struct Result: Decodable {
      var name: String
      var miou: Double, ms: Double
      var macsShare: Double?, tc: Double?
      var group: String?
      var baseline: Bool?

      enum CodingKeys: String, CodingKey {
        case name, miou, ms, tc, group, baseline
        case macsShare = "macs_share"
      }
    }

    var machine: [String: String]?
    var results: [Result]
  }

  /// Reads a summary: `{"machine": {…}, "results": [{"name": …, "miou": …, "ms": …}, …]}`; a result
  /// may have `macs_share`, `tc`, `group` and `baseline`.
  ///
  /// - Throws: `SpecificationError` where the file is none.
  public init(summary path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such file")
    }
    let decoder = JSONDecoder()
    guard
      let found = (try? decoder.decode(Summary.self, from: data))
        ?? (try? decoder.decode([Summary.Result].self, from: data)).map({
          Summary(machine: nil, results: $0)
        })
    else {
      throw SpecificationError(
        .badInput,
        "\(path) is no sweep, no run and no summary with name, miou and ms of each result")
    }
    for result in found.results where !(result.ms > 0 && result.ms.isFinite && result.miou.isFinite)
    {
      throw SpecificationError(
        .badInput, "\(path): '\(result.name)' has no time or no mIoU that could be drawn")
    }
    guard !found.results.isEmpty else {
      throw SpecificationError(.badInput, "\(path): there are no results")
    }
    rows = found.results.map { result in
      var row = Row(
        name: result.name, group: result.group ?? "", isBaseline: result.baseline ?? false,
        score: .exactly(result.miou), values: ["mIoU": result.miou],
        macsShare: result.macsShare, milliseconds: .exactly(result.ms))
      row.values["TC"] = result.tc
      return row
    }
    (title, source, figure, command) = ("Summary", path, "mIoU", [])
    environment = found.machine ?? [:]
  }
}

extension Interval {
  /// A value whose spread nobody knows.
  static func exactly(_ value: Double) -> Interval {
    Interval(estimate: value, low: value, high: value)
  }

  /// Whether its bounds tell anything.
  var isKnown: Bool { low < high }
}
