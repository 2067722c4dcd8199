// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Engines
internal import Flow
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Specification
internal import Tensors
internal import Training
internal import Video

/// A sentence for standard error, and the exit code that goes with it.
struct Failure: Error {
  /// The codes of sysexits, as scripts expect them.
  enum Code: Int32 {
    case failed = 1
    case usage = 64
    case badInput = 65
    case missingInput = 66
    case missingSoftware = 69
    case cannotCreate = 73
    case inputOutput = 74
    case temporary = 75
    case badDescription = 78
    case interrupted = 130
    /// Whoever read standard output has seen enough; as of a program that SIGPIPE ends.
    case readerLeft = 141
    case terminated = 143
  }

  let code: Code
  let message: String

  init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// What a part threw, with the code that fits it.
  init(_ error: any Error) {
    if let failure = error as? Failure {
      self = failure
    } else {
      let inner = (error as? PipelineError)?.underlying ?? error
      self.init(Self.code(for: inner), Self.sentence(for: error))
    }
  }

  /// Names of Swift functions say nothing to users.
  private static func sentence(for error: any Error) -> String {
    switch error {
    case let error as TensorError: error.message
    case let error as PipelineError:
      "frame \(error.frame), \(error.stage.rawValue): \(sentence(for: error.underlying))"
    case let error as CocoaError: cocoaSentence(for: error)
    case let error as DecodingError: "what was read is not as it should be: \(reason(of: error))"
    default: "\(error)"
    }
  }

  /// What Foundation says of a file, in a sentence.
  private static func cocoaSentence(for error: CocoaError) -> String {
    let path = error.filePath ?? error.url?.path
    return [path, error.localizedDescription].compactMap(\.self).joined(separator: ": ")
  }

  private static func reason(of error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context), .dataCorrupted(let context):
      context.debugDescription
    @unknown default: "it cannot be decoded"
    }
  }

  /// Says it on standard error, on one line whatever a library's text held.
  ///
  /// What stands between the first and the last line of such a text is a trace.
  func report() {
    // `| head` is no mistake.
    if code == .readerLeft { return }
    let lines = message.split(whereSeparator: \.isNewline).map(String.init)
    let ends = lines.count > 2 ? [lines[0], lines[lines.count - 1]] : lines
    let line = ends.joined(separator: " ")
    StandardError.say("inbetween: \(line)\n")
  }

  private static func code(for error: any Error) -> Code {
    switch error {
    case is IncompatibleParts, is PropagationError: .usage
    case let error as BackboneError: code(for: error)
    case let error as EngineError: code(for: error)
    case let error as SpecificationError: code(for: error)
    case let error as DatasetError: code(for: error)
    case let error as TrainingError: code(for: error)
    case is DecodingError: .badInput
    case let error as CocoaError: code(for: error)
    case let error as OutputError where error.isReaderGone: .readerLeft
    case let error as OutputError: error.isRefused ? .cannotCreate : .inputOutput
    case let error as TensorError: code(for: error)
    case let error as VideoError: code(for: error)
    case let error as SafetensorsError: code(for: error)
    case let error as FlowError: code(for: error)
    default: .failed
    }
  }

  private static func code(for error: CocoaError) -> Code {
    switch error.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: .missingInput
    case .fileWriteNoPermission, .fileWriteInvalidFileName, .fileWriteFileExists: .cannotCreate
    case .fileWriteOutOfSpace, .fileWriteUnknown, .fileReadUnknown: .inputOutput
    default: .badInput
    }
  }

  private static func code(for error: BackboneError) -> Code {
    switch error.code {
    case .noSuchStage, .incompatible: .usage
    default: .badInput
    }
  }

  private static func code(for error: EngineError) -> Code {
    switch error.code {
    case .libraryMissing: .missingSoftware
    case .missingFile: .missingInput
    case .outOfMemory, .failed: .failed
    default: .badInput
    }
  }

  private static func code(for error: SpecificationError) -> Code {
    switch error.code {
    case .missingFile: .missingInput
    case .badWeights, .badInput: .badInput
    case .badDescription: .badDescription
    default: .usage
    }
  }

  private static func code(for error: DatasetError) -> Code {
    switch error.code {
    case .missing: .missingInput
    case .unwritable: .cannotCreate
    case .writeFailed: .inputOutput
    case .readerLeft: .readerLeft
    default: .badInput
    }
  }

  private static func code(for error: TrainingError) -> Code {
    switch error.code {
    case .badFile: .badInput
    case .unwritable, .busy, .otherTraining: .cannotCreate
    case .writeFailed: .inputOutput
    default: .failed
    }
  }

  private static func code(for error: SafetensorsError) -> Code {
    switch error.code {
    case .unreadable: .missingInput
    case .unwritable: .cannotCreate
    case .writeFailed: .inputOutput
    case .outOfMemory: .failed
    default: .badInput
    }
  }

  private static func code(for error: FlowError) -> Code {
    switch error.code {
    case .unwritable: .cannotCreate
    case .writeFailed: .inputOutput
    case .badDescription: .badDescription
    default: .badInput
    }
  }

  private static func code(for error: TensorError) -> Code {
    switch error.code {
    case .badFile: .badInput
    case .backendMissing, .noDevice: .missingSoftware
    default: .failed
    }
  }

  private static func code(for error: VideoError) -> Code {
    switch error.code {
    case .missingFile, .unreadable: .missingInput
    case .unwritable: .cannotCreate
    case .diskFull, .writeFailed: .inputOutput
    case .outOfMemory, .unknown: .failed
    case .missingLibrary: .missingSoftware
    case .outage, .timedOut: .temporary
    default: .badInput
    }
  }
}
