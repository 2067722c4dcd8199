// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Foundation
internal import Tensors
internal import Video

/// What a figure depends on besides the code: the machine, the libraries, the threads.
enum Surroundings {
  /// The facts that results record.
  static func facts(threads: Int) -> [String: String] {
    var facts = [
      "inbetween": InbetweenCommand.version, "threads": "\(threads)",
      "processor": processor, "opencv": OpenCV.version,
      "built": isOptimized ? "release" : "debug",
    ]
    facts["tensors"] = try? TorchRuntime.description().split(separator: "\n").first.map(String.init)
    return facts
  }

  static var processor: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown"
  }

  /// Whether the code was built with optimisation, as every figure should be.
  static var isOptimized: Bool {
    var isDebug = false
    assert({ isDebug = true }() == ())
    return !isDebug
  }
}

extension RunResult.Cost {
  /// What the process has used until now, and the work of a run.
  static func now(after measurement: RunMeasurement) -> Self {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let peak = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = peak?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap {
      Int($0)
    }
    return .init(
      peakRSSBytes: kilobytes.map { $0 * 1024 }, macs: measurement.macs)
  }
}
