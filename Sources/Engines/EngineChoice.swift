// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Outputs
internal import Tensors

/// Which engine runs a network: a named one, or whichever is faster here.
public enum EngineChoice: Sendable, Hashable {
  /// That one.
  case only(InferenceEngine)
  /// The one that is there; of several, the one that took less time for this network on this
  /// machine, which is measured once and kept.
  case auto

  /// The choice of this name: an engine's, or `auto`; nil for any other.
  public init?(_ name: String) {
    if name == "auto" {
      self = .auto
    } else if let engine = InferenceEngine(rawValue: name) {
      self = .only(engine)
    } else {
      return nil
    }
  }

  /// The names that `init(_:)` reads.
  public static let names = InferenceEngine.allCases.map(\.rawValue) + ["auto"]
}

/// Which engine is to run a network, and why.
public struct ChosenEngine: Sendable, Hashable {
  /// The engine.
  public let engine: InferenceEngine
  /// Milliseconds that a picture takes in each of those that were compared; none where there was
  /// no choice.
  public let milliseconds: [InferenceEngine: Double]
  /// What is to be said: nil where nothing was compared.
  public var remark: String? {
    guard milliseconds.count > 1 else { return nil }
    let times = milliseconds.sorted { $0.value < $1.value }.map {
      "\($0.key.title) \(String(format: "%.1f", $0.value)) ms"
    }
    return "\(engine.title) runs the network: \(times.joined(separator: ", ")) a picture here"
  }
}

extension EngineChoice {
  /// The engine that is to run the model at `path`, whose inputs have these sizes, on a device.
  ///
  /// On other devices than the processor there is one engine, ONNX Runtime; nothing is measured
  /// then. What was measured is kept in `cache`, a JSON file; in the user's folder of caches unless
  /// given. A cache that cannot be read or written is done without.
  ///
  /// Where none runs the model on inputs of these sizes, which may be the sizes' fault, the first
  /// is taken: what is wrong is told when it is loaded or run.
  ///
  /// - Throws: `EngineError` where there is no engine.
  public func engine(
    for path: String, inputs sizes: [[Int]], threads: Int, precision: EnginePrecision = .single,
    device: EngineDevice = .cpu, cache: String = Self.usualCache
  ) throws -> ChosenEngine {
    try engine(
      running: { () throws(EngineError) in try OnnxModel(contentsOf: path) }, inputs: sizes,
      threads: threads, precision: precision, device: device, cache: cache)
  }

  /// The same of a model that was read, some inputs of which numbers may replace.
  package func engine(
    for model: OnnxModel, inputs sizes: [[Int]], threads: Int,
    precision: EnginePrecision = .single, device: EngineDevice = .cpu,
    cache: String = Self.usualCache
  ) throws -> ChosenEngine {
    try engine(
      running: { model }, inputs: sizes, threads: threads, precision: precision, device: device,
      cache: cache)
  }

  private func engine(
    running model: () throws(EngineError) -> OnnxModel, inputs sizes: [[Int]], threads: Int,
    precision: EnginePrecision, device: EngineDevice, cache: String
  ) throws -> ChosenEngine {
    switch self {
    case .only(let engine):
      try engine.requireDevice(device)
      return ChosenEngine(engine: engine, milliseconds: [:])
    case .auto where device != .cpu:
      try InferenceEngine.onnxruntime.requireDevice(device)
      return ChosenEngine(engine: .onnxruntime, milliseconds: [:])
    case .auto:
      let there = InferenceEngine.available
      guard let first = there.first else {
        throw EngineError(
          .libraryMissing,
          "no engine for ONNX networks is here: 'Scripts/install-engines onnxruntime' fetches one, "
            + "or INBETWEEN_ONNXRUNTIME or INBETWEEN_OPENVINO names a library")
      }
      guard there.count > 1 else { return ChosenEngine(engine: first, milliseconds: [:]) }
      return try fastest(of: there, for: model(), sizes, (threads, precision), cache)
    }
  }

  /// Where measurements are kept: `inbetween/engines.json` in `XDG_CACHE_HOME` or `~/.cache`.
  public static var usualCache: String {
    let environment = ProcessInfo.processInfo.environment
    let caches = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (caches ?? "\(environment["HOME"] ?? "")/.cache") + "/inbetween/engines.json"
  }

  private func fastest(
    of engines: [InferenceEngine], for model: OnnxModel, _ sizes: [[Int]],
    _ settings: (threads: Int, precision: EnginePrecision), _ cache: String
  ) throws -> ChosenEngine {
    let key = try Self.key(model, sizes, settings, engines)
    var kept = Self.read(cache)
    if let times = kept[key], let chosen = ChosenEngine(kept: times) { return chosen }
    let times = try Self.measure(engines, model, sizes, settings)
    guard !times.isEmpty else { return ChosenEngine(engine: engines[0], milliseconds: [:]) }
    kept[key] = Dictionary(uniqueKeysWithValues: times.map { ($0.key.rawValue, $0.value) })
    Self.write(kept, to: cache)
    return ChosenEngine(kept: kept[key] ?? [:])
      ?? ChosenEngine(engine: engines[0], milliseconds: [:])
  }

  /// Medians over rounds in which each engine has its turn, so that what else the machine does
  /// meets all of them.
  private static func measure(
    _ engines: [InferenceEngine], _ model: OnnxModel, _ sizes: [[Int]],
    _ settings: (threads: Int, precision: EnginePrecision)
  ) throws -> [InferenceEngine: Double] {
    var sessions: [(InferenceEngine, EngineSession)] = []
    let inputs = try sizes.enumerated().map {
      try Tensor.uniform(Shape($0.element), seed: UInt64($0.offset))
    }
    for engine in engines {
      do {
        let session = try EngineSession(
          model, engine: engine, threads: settings.threads, precision: settings.precision)
        for _ in 0..<2 { _ = try session.run(inputs) }
        sessions.append((engine, session))
      } catch is EngineError { continue }
    }
    var times: [InferenceEngine: [Double]] = [:]
    for _ in 0..<7 {
      for (engine, session) in sessions {
        let begin = ContinuousClock.now
        _ = try session.run(inputs)
        times[engine, default: []].append((ContinuousClock.now - begin) / .milliseconds(1))
      }
    }
    return times.mapValues { $0.sorted()[$0.count / 2] }
  }

  /// All that a time depends on.
  private static func key(
    _ model: OnnxModel, _ sizes: [[Int]], _ settings: (threads: Int, precision: EnginePrecision),
    _ engines: [InferenceEngine]
  ) throws -> String {
    let versions = try engines.map { "\($0.rawValue) \(try $0.library().version)" }
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let processor = info.split(separator: "\n").first { $0.hasPrefix("model name") } ?? ""
    let parts =
      [String(model.fingerprint, radix: 16), "\(sizes)", "\(settings.threads) threads"]
      + (settings.precision == .single ? [] : [settings.precision.rawValue]) + versions
      + [String(processor.split(separator: ":").last ?? "")]
    return parts.joined(separator: "; ")
  }

  private static func read(_ path: String) -> [String: [String: Double]] {
    guard let data = FileManager.default.contents(atPath: path), data.count < 1 << 20 else {
      return [:]
    }
    return (try? JSONDecoder().decode([String: [String: Double]].self, from: data)) ?? [:]
  }

  private static func write(_ times: [String: [String: Double]], to path: String) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(times) else { return }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? PendingFile.write([UInt8](data), to: path)
  }
}

extension ChosenEngine {
  /// The fastest of what was measured; nil where that says nothing of any engine.
  fileprivate init?(kept: [String: Double]) {
    var times: [InferenceEngine: Double] = [:]
    for (name, time) in kept {
      if let engine = InferenceEngine(rawValue: name) { times[engine] = time }
    }
    guard let best = times.min(by: { $0.value < $1.value })?.key else { return nil }
    self.init(engine: best, milliseconds: times)
  }
}

extension OnnxModel {
  /// A number that tells files apart (FNV-1a, 64 bits).
  fileprivate var fingerprint: UInt64 {
    bytes.withUnsafeBufferPointer { buffer in
      buffer.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
  }
}
