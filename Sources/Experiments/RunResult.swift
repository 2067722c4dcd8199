// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
internal import Training
public import Video

/// What `result.json` says of a run; the names of its fields are fixed, its schema is versioned.
public struct RunResult: Sendable, Codable {
  /// How a run ended.
  public enum Status: String, Sendable, Codable {
    /// The run came to its end and nothing was damaged.
    case ok
    /// The input broke off or was damaged; what was decoded is counted.
    case partial
    /// Stopped by the user; what was done until then is counted.
    case cancelled
    /// Something went wrong on the way; what was done until then is counted.
    case failed
  }

  /// The version of the fields and their meaning.
  public var schemaVersion = 2
  /// How the run ended.
  public var status: Status
  /// All that the run can be repeated from: `inbetween eval --config result.json`.
  public var specification: ExperimentSpec
  /// Tells the specification from any other.
  public var specificationHash: String
  /// The words of the command that was run.
  public var commandLine: [String]
  /// The parts that were really used, as short texts: no flow where no part asked for any.
  public var pipeline: [String: String]
  /// What accuracy is measured against: labels, or the agreement with per-frame inference.
  public var accuracyAgainst: AccuracyReference?
  /// What was measured against labels or per-frame inference; nil where nothing was.
  public var accuracy: Accuracy?
  /// The scores of a task other than segmentation, by name.
  public var scores: [String: Double]?
  /// The same of the frames 0, 1, 2, … after their key frame; nil for one that is not of frames.
  public var scoresByDistance: [String: [Double?]]?
  /// The 95 % interval of each figure, by name: see `MovingBlockBootstrap`; empty where nothing was
  /// measured or there are too few frames.
  public var intervals: [String: Interval]?
  /// What was odd and went on, each once.
  public var warnings: [String]
  /// Latency and throughput.
  public var speed: Speed
  /// Memory and work.
  public var cost: Cost
  /// What was read, and how reading went.
  public var input: Input
  /// What the run depended on, by name: version, processor, libraries, threads, hashes of files.
  public var environment: [String: String]

  /// What a run came to.
  public init(
    status: Status, specification: ExperimentSpec, pipeline: [String: String],
    accuracy: Accuracy? = nil, against reference: AccuracyReference? = nil,
    scores: [String: Double]? = nil, scoresByDistance: [String: [Double?]]? = nil,
    intervals: [String: Interval]? = nil, speed: Speed, cost: Cost, input: Input,
    environment: [String: String], warnings: [String] = []
  ) {
    (self.status, self.specification, self.pipeline) = (status, specification, pipeline)
    (self.accuracy, accuracyAgainst, self.scores) = (accuracy, reference, scores)
    (self.scoresByDistance, self.intervals) = (scoresByDistance, intervals)
    (self.speed, self.cost, self.input) = (speed, cost, input)
    (self.environment, self.warnings) = (environment, warnings)
    specificationHash = specification.fingerprint
    commandLine = CommandLine.arguments
  }

  /// What accuracy is measured against.
  public enum AccuracyReference: String, Sendable, Codable {
    /// Labels that were given with the data.
    case labels
    /// What the backbone says of every frame by itself.
    case agreement
  }

  /// Memory and, where it is known, work.
  public struct Cost: Sendable, Codable, Hashable {
    /// The most memory that the process held, in bytes.
    public var peakRSSBytes: Int?

    /// Multiply-adds of a frame and of a key frame, in the mean: see `FrameTrace.macs`.
    public var macsPerFrame: Double?, macsPerKey: Double?

    /// The memory, and the MACs where they were counted.
    public init(peakRSSBytes: Int?, macs: (frame: Double, key: Double)? = nil) {
      self.peakRSSBytes = peakRSSBytes
      (macsPerFrame, macsPerKey) = (macs?.frame, macs?.key)
    }

    enum CodingKeys: String, CodingKey {
      case peakRSSBytes = "peak_rss_bytes"
      case macsPerFrame = "macs_per_frame"
      case macsPerKey = "macs_per_key"
    }
  }

  /// What was read.
  public struct Input: Sendable, Codable, Hashable {
    /// The video or the data set, as it was named.
    public var path: String
    /// The codec's short name; nil for data sets.
    public var codec: String?
    /// What the container claims; never relied on.
    public var framesContainer: Int?
    /// Frames that were read.
    public var framesDecoded: Int
    /// Packets and frames that are missing, or of which some had to be made up.
    public var decodeErrors: Int
    /// Whether the stream ended before its container says it should.
    public var truncated: Bool
    /// How often the stream broke, by why (see `StreamBreak`); nil where nobody counted.
    public var breaks: [String: Int]?

    /// What was read of a source; without damage unless it is stated.
    public init(
      path: String, codec: String? = nil, framesContainer: Int? = nil, framesDecoded: Int,
      decodeErrors: Int = 0, truncated: Bool = false, breaks: [StreamBreak: Int]? = nil
    ) {
      (self.path, self.codec, self.framesContainer) = (path, codec, framesContainer)
      (self.framesDecoded, self.decodeErrors) = (framesDecoded, decodeErrors)
      self.truncated = truncated
      self.breaks = breaks.map { breaks in
        Dictionary(uniqueKeysWithValues: breaks.map { ($0.rawValue, $1) })
      }
    }

    enum CodingKeys: String, CodingKey {
      case path, codec, truncated, breaks
      case framesContainer = "frames_container"
      case framesDecoded = "frames_decoded"
      case decodeErrors = "decode_errors"
    }
  }

  enum CodingKeys: String, CodingKey {
    case status, specification, pipeline, accuracy, scores, intervals, speed, cost, input
    case environment, warnings
    case schemaVersion = "schema_version"
    case specificationHash = "specification_hash"
    case commandLine = "command_line"
    case accuracyAgainst = "accuracy_against"
    case scoresByDistance = "scores_by_distance"
  }
}

extension ExperimentSpec {
  /// Hexadecimal digits that tell a specification from any other, however it was spelled (FNV-1a).
  public var fingerprint: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8]((try? encoder.encode(self)) ?? Data()).fingerprint
  }
}
