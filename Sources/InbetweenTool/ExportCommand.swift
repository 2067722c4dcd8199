// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Foundation
internal import Outputs
internal import Video

/// Writes networks of the package's own for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a network as ONNX, for other programs and engines.",
    discussion: """
      Beside NAME.onnx stands NAME.yaml, which says how the network is fed and read: --backbone \
      NAME.onnx runs it on an engine. With --tap the network is cut after that stage, into \
      NAME-key.onnx, from the picture to the maps, and NAME-rest.onnx, from these to scores: what \
      runs on key frames, and what runs on every frame behind maps that are propagated.
      """)

  /// Formats that a network can be written in.
  enum Format: String, ExpressibleByArgument, CaseIterable { case onnx }

  @Argument(help: "A folder with spec.yaml and trained weights.")
  var folder: String

  @Option(help: "The format: onnx.")
  var to = Format.onnx

  @Option(help: "The file; NAME.onnx in this folder if left out.")
  var output: String?

  @Option(help: "HEIGHTxWIDTH of the picture; what the network was built for, or 360x480.")
  var size: String?

  @Option(help: "Cut the network after this stage.")
  var tap: String?

  @OptionGroup var threading: ThreadOptions

  private var pixels: PixelSize? { size.flatMap { PixelSize(heightByWidth: $0) } }

  func validate() throws {
    guard size == nil || pixels != nil else {
      throw ValidationError("--size needs HEIGHTxWIDTH, each 1 to 8192, not '\(size ?? "")'")
    }
  }

  func run() throws {
    let source = try NetworkFolder(at: folder)
    let name = output ?? "\(source.name).onnx"
    guard name.hasSuffix(".onnx") else {
      throw Failure(.usage, "--output \(name): the file's name must end in .onnx")
    }
    let stem = String(name.dropLast(".onnx".count))
    try threading.apply()
    let network = try source.network()
    let size = pixels ?? network.inputSize ?? PixelSize(width: 480, height: 360)
    if let built = network.inputSize, built != size {
      throw Failure(.usage, "\(folder) was built for pictures of \(built), not \(size)")
    }
    if let tap {
      let parts = try network.onnx(for: size, cutAfter: tap)
      try write(parts.upToTap, to: stem + "-key.onnx")
      try write(parts.rest, to: stem + "-rest.onnx")
    } else {
      let whole = try network.onnx(for: size)
      try write(whole, to: name)
      try write([UInt8](whole.description.utf8), to: stem + ".yaml")
      print("\(stem).yaml: how it is fed and read")
    }
  }

  private func write(_ network: ExportedNetwork, to path: String) throws {
    try write(network.model, to: path)
    let (inputs, outputs) = (network.inputs, network.outputs)
    print(
      "\(path): \(inputs.joined(separator: ", ")) → \(outputs.joined(separator: ", ")), "
        + "\(network.model.count) bytes")
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try OutputFile(path).write(Data(bytes))
  }
}
