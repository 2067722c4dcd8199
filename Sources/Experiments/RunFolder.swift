// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
internal import Outputs
public import Specification
internal import Video

/// A measured run on disk: `result.json`, which is written last, and `frames.json`, a record of
/// each frame.
public struct RunFolder: Sendable, Hashable {
  /// Where the folder is.
  public let path: String

  /// The folder at a path; it need not be there yet.
  public init(_ path: String) { self.path = path }

  /// The file whose presence says that the run came to its end.
  public var resultPath: String { "\(path)/result.json" }
  /// The file of the frames' records.
  public var framesPath: String { "\(path)/frames.json" }

  /// The folder of label maps, where they are kept.
  public var labelsPath: String { "\(path)/labels" }

  /// Whether the run came to its end.
  public var isFinished: Bool { FileManager.default.fileExists(atPath: resultPath) }

  /// Writes both, the result last.
  ///
  /// - Throws: An error that names the file that cannot be written.
  public func write(_ result: RunResult, frames: [FrameRecord]) throws {
    try makeFolder(path)
    try Self.write(json: frames, to: framesPath, isPretty: false)
    try Self.write(json: result, to: resultPath)
  }

  /// Reads both.
  ///
  /// - Throws: `SpecificationError` naming the file that is not there, too large or not what it
  ///   should be.
  public func read() throws -> StoredRun {
    StoredRun(
      path: path, result: try Self.read(RunResult.self, from: resultPath),
      frames: try Self.read([FrameRecord].self, from: framesPath))
  }

  static func write(json value: some Encodable, to path: String, isPretty: Bool = true) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    try PendingFile.write([UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")], to: path)
  }

  static func read<Value: Decodable>(_: Value.Type, from path: String) throws -> Value {
    guard FileManager.default.fileExists(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such file")
    }
    let bytes = try readBytes(of: path, limit: 1 << 30)
    do { return try JSONDecoder().decode(Value.self, from: Data(bytes)) } catch {
      throw SpecificationError(
        .badInput, "\(path) is no file of a measured run: \(Self.reason(of: error))")
    }
  }

  private static func reason(of error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, _): return "it has no '\(key.stringValue)'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    @unknown default: return "it cannot be decoded"
    }
  }
}

/// A run that was measured and kept.
public struct StoredRun: Sendable {
  /// The folder that it was read from.
  public let path: String
  /// What it came to.
  public let result: RunResult
  /// What each of its frames counted.
  public let frames: [FrameRecord]

  /// A run with its records.
  public init(path: String, result: RunResult, frames: [FrameRecord]) {
    (self.path, self.result, self.frames) = (path, result, frames)
  }
}

extension StoredRun {
  /// What two runs must have in common to be compared frame by frame: the data, its split, how many
  /// frames, and what accuracy is measured against.
  public func clip(in grammar: Grammar, role: String) -> String {
    let spec = result.specification
    var text = spec.data.map { grammar.text(of: $0, as: role) } ?? result.input.path
    if spec.split != "val" { text += " \(spec.split)" }
    if spec.agreement { text += " (agreement)" }
    return text
  }
}

extension [FrameRecord] {
  /// The 95 % interval of every figure, by a moving-block bootstrap over the frames.
  public func intervals(by bootstrap: MovingBlockBootstrap = .init()) -> [String: Interval] {
    figures.reduce(into: [:]) { intervals, figure in
      intervals.merge(bootstrap.intervals(of: counts(of: figure), named: figure)) { first, _ in
        first
      }
    }
  }
}
