// SPDX-License-Identifier: Apache-2.0

package import Engines
internal import Foundation
public import Specification
internal import Video

/// An ONNX file that was opened and not loaded: what it says, and the description beside it.
public struct OnnxFile: Sendable {
  /// The file.
  public let path: String
  /// How it is fed and read.
  public let description: OnnxDescription
  /// Every file that was, or will be, read: the network, its weights, its description.
  public let files: [String]
  let model: OnnxModel
  /// The YAML file that was read.
  let descriptionPath: String?

  /// Opens the network at `path` and a description: that at `description`, or the YAML file beside
  /// the network where there is one.
  ///
  /// `grammar` knows the decoders of detectors; the usual ones unless given. No engine is needed.
  ///
  /// - Throws: `EngineError` for the file, `SpecificationError` for the description or where the
  ///   file does not say enough without one.
  public init(
    at path: String, description file: String? = nil,
    by grammar: Grammar = DetectionDecoders.standard
  ) throws {
    self.path = path
    let read = try OnnxModel.checked(contentsOf: path)
    let beside = NetworkDescription.path(besideNetwork: path)
    let named = file ?? (FileManager.default.fileExists(atPath: beside) ? beside : nil)
    descriptionPath = named
    let yaml = try named.map { try Self.text(of: $0, for: path) }
    do throws(SpecificationError) {
      let side = try yaml.map { (text) throws(SpecificationError) in
        try DescriptionReader(yaml: text)
      }
      model = try read.fixing(describedBy: side)
      description = try OnnxDescription(model, path: path, side, by: grammar)
    } catch {
      if error.code == .missingFile {
        throw SpecificationError(
          error.code, "\(path) needs a description beside it, \(beside): \(error.message)")
      }
      throw error.located(in: error.code == .badInput ? path : named ?? path)
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let weights = model.externalFiles.map { folder.appending(path: $0).path }
    files = [path] + weights + [named].compactMap(\.self)
  }

  private static func text(
    of file: String, for path: String
  ) throws(SpecificationError) -> String {
    guard let text = String(textOf: try NetworkDescription.bytes(of: file, for: path)) else {
      throw SpecificationError(.badDescription, "\(file) is no YAML text: it is not UTF-8")
    }
    return text
  }
}

extension OnnxModel {
  /// The model with the numbers of `input.constants` in the place of inputs.
  ///
  /// - Throws: `SpecificationError` where they do not fit.
  fileprivate func fixing(
    describedBy side: DescriptionReader?
  ) throws(SpecificationError) -> OnnxModel {
    guard let constants = try side.group("input").group("constants") else { return self }
    let fixed = try constants.keys.map { (name) throws(SpecificationError) in
      let (sizes, numbers) = try constants.array(name)
      return FixedInput(name: name, sizes: sizes, numbers: numbers)
    }
    do throws(EngineError) { return try fixing(fixed) } catch {
      throw SpecificationError(
        error.code == .badModel ? .badInput : .badDescription, "input.constants: \(error.message)")
    }
  }
}

extension OnnxFile {
  /// The engine that is to run it, of those that `choice` leaves.
  ///
  /// - Throws: `EngineError` where there is no engine.
  package func engine(
    _ choice: EngineChoice, threads: Int, precision: EnginePrecision, device: EngineDevice
  ) throws -> ChosenEngine {
    try choice.engine(
      for: model, inputs: [usualInput], threads: threads, precision: precision, device: device)
  }

  /// The sizes of an input as the file takes it, of a picture of 352 × 480 where it takes any:
  /// networks that go down by 32 and up again take nothing else.
  public var usualInput: [Int] {
    let size = description.input.size ?? PixelSize(width: 480, height: 352)
    return description.layout == .nchw
      ? [1, 3, size.height, size.width] : [1, size.height, size.width, 3]
  }

  /// Whether a file is for an engine, as its name says.
  public static func isNamed(_ path: String) -> Bool { path.lowercased().hasSuffix(".onnx") }
}
