// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Foundation
internal import Layers
internal import Specification
internal import Tensors
internal import Training
internal import Video

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Tell what a network consists of and what it costs.",
    discussion: """
      For a folder with spec.yaml: parameters, multiplications (each with its addition; \
      convolutions, interpolation and warps), output and stride of each stage; of propagation, for \
      a non-key frame, its optical flow left out; of what schedules, for a frame whose features \
      and motion are known; of a head, for a frame whose features are known. Without \
      weights.safetensors in it the weights are drawn. For an ONNX file: inputs, outputs, \
      operators, parameters and multiplications. For a TorchScript file: its methods and \
      parameters. For a safetensors file: its tensors.
      """)

  @Argument(help: "A folder with spec.yaml, an ONNX, a TorchScript or a safetensors file.")
  var path: String

  @Option(help: "HEIGHTxWIDTH of the picture; what the network was built for, or 360x480.")
  var size: String?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    guard let size, pixels == nil else { return }
    throw ValidationError("--size needs HEIGHTxWIDTH, each 1 to 8192, not '\(size)'")
  }

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure(.missingInput, "\(path): there is no such file or folder")
    }
    if isFolder.boolValue {
      try threading.apply()
      try show(inspectFolder())
    } else if OnnxFile.isNamed(path) {
      try show(OnnxInspection(path, size: pixels, threads: threading.threads))
    } else if isArchive {
      try threading.apply()
      try show(ProgramInspection(path, size: pixels))
    } else {
      try show(inspectTensors())
    }
  }

  /// Whether the file is one of those that `torch.save` and its like write: a ZIP archive.
  private var isArchive: Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    return (try? file.read(upToCount: 4)) == Data([0x50, 0x4B, 3, 4])
  }

  private func inspectFolder() throws -> NetworkInspection {
    let folder = try ModelFolder(at: path)
    if folder.has("propagation") {
      return try NetworkInspection(propagationIn: folder, size: pixels)
    }
    if folder.has("change_score") {
      return try NetworkInspection(changeScoreIn: folder, size: pixels)
    }
    if folder.has("policy") { return try NetworkInspection(policyIn: folder) }
    if folder.has("head") { return try NetworkInspection(headIn: folder, size: pixels) }
    guard try !folder.hasFlowNetwork() else {
      return try NetworkInspection(flowIn: folder, size: pixels)
    }
    return try NetworkInspection(NetworkFolder(folder), size: pixels)
  }

  private var pixels: PixelSize? { size.flatMap { PixelSize(heightByWidth: $0) } }

  private func inspectTensors() throws -> TensorsInspection {
    do throws(SafetensorsError) {
      return TensorsInspection(path, try SafetensorsFile(contentsOf: path))
    } catch {
      if error.code == .unreadable { throw error }
      throw Failure(.badInput, "\(path) is neither a network nor a safetensors file: \(error)")
    }
  }

  private func show(_ inspection: some Encodable & CustomStringConvertible) throws {
    guard json else { return print(inspection) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(inspection), as: UTF8.self))
  }
}

extension PixelSize {
  /// What `HEIGHTxWIDTH` says, each 1 to 8192; nil for anything else.
  init?(heightByWidth text: String) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let height = sides[0], let width = sides[1],
      (1...8192).contains(height), (1...8192).contains(width)
    else { return nil }
    self.init(width: width, height: height)
  }
}
