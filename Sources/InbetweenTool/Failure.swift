// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Flow
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Tensors
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
    case badDescription = 78
    case interrupted = 130
    case terminated = 143
  }

  let code: Code
  let message: String

  init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// What a part threw, with the code that fits it.
  init(_ error: any Error) {
    let inner = (error as? PipelineError)?.underlying ?? error
    self.init(Self.code(for: inner), "\(error)")
  }

  func report() { FileHandle.standardError.write(Data("inbetween: \(message)\n".utf8)) }

  private static func code(for error: any Error) -> Code {
    switch error {
    case is CatalogueError: .usage
    case let error as BackboneError: code(for: error)
    case let error as DatasetError: error.code == .missing ? .missingInput : .badInput
    case let error as TensorError: code(for: error)
    case let error as VideoError: code(for: error)
    case is FlowError: .badInput
    case let error as Failure: error.code
    default: .failed
    }
  }

  private static func code(for error: BackboneError) -> Code {
    switch error.code {
    case .missingFile: .missingInput
    case .badDescription: .badDescription
    case .noSuchStage: .usage
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
}
