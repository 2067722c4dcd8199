// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Tensors
internal import Training
internal import Video

/// What a figure depends on besides the code: the machine, the libraries, the threads.
enum Surroundings {
  /// The facts that results record.
  ///
  /// `files` are those that were read; the hash of each tells its contents.
  static func facts(threads: Int, files: [String] = []) -> [String: String] {
    var facts = [
      "inbetween": InbetweenCommand.version, "threads": "\(threads)",
      "processor": processor, "opencv": OpenCV.version,
      "built": isOptimized ? "release" : "debug",
    ]
    facts["instructions"] = instructions
    facts["commit"] = commit
    for file in Set(files) {
      guard let bytes = try? readBytes(of: file, limit: 1 << 32) else { continue }
      facts["hash \(file)"] = bytes.fingerprint
    }
    for engine in InferenceEngine.allCases {
      facts[engine.rawValue] = engine.opened?.version
    }
    facts["tensors"] = try? TorchRuntime.description().split(separator: "\n").first.map(String.init)
    return facts
  }

  /// The widest vector instructions that the processor has.
  static var instructions: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let flags = text.split(separator: "\n").first { $0.hasPrefix("flags") }.map {
      Set($0.split(separator: " "))
    }
    let known = [("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX"), ("sse4_2", "SSE4.2")]
    return known.first { flags?.contains(Substring($0.0)) == true }?.1 ?? "unknown"
  }

  /// The commit of the working tree that the program lies in; nil where it lies in none.
  static var commit: String? {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = URL(fileURLWithPath: link ?? "/")
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let git = folder.appending(path: ".git").path
      guard let head = try? String(contentsOfFile: "\(git)/HEAD", encoding: .utf8) else { continue }
      let trimmed = head.trimmingCharacters(in: .whitespacesAndNewlines)
      guard trimmed.hasPrefix("ref: ") else { return trimmed }
      let name = trimmed.dropFirst(5)
      return (try? String(contentsOfFile: "\(git)/\(name)", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return nil
  }

  /// How many processes wanted to run over the last minute, in the mean; nil where nobody knows.
  static var load: Double? {
    let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
    return text?.split(separator: " ").first.flatMap { Double($0) }
  }

  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

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
  static func now(after measurement: RunMeasurement) -> Self { now(macs: measurement.macs) }

  /// What the process has used until now, and the MACs of a run.
  static func now(macs: (frame: Double, key: Double)?) -> Self {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let peak = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = peak?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap {
      Int($0)
    }
    return .init(
      peakRSSBytes: kilobytes.map { $0 * 1024 }, macs: macs)
  }
}
