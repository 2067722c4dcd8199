// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Flow
internal import Foundation
internal import Outputs
internal import Propagation
internal import Recipes
internal import Specification
internal import Video

/// Writes networks, and pipelines of them, of the package's own for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a network, a head or a propagation as ONNX, for other programs and engines.",
    discussion: """
      Beside NAME.onnx stands NAME.yaml, which says how the network is fed and read: --backbone \
      NAME.onnx runs it on an engine. With --tap the network is cut after that stage, into \
      NAME-key.onnx, from the picture to the maps, and NAME-rest.onnx, from these to scores: what \
      runs on key frames, and what runs on every frame behind maps that are propagated.

      A trained propagation is written with the network that it was trained behind: NAME-key.onnx, \
      from a picture to the map that is propagated, NAME-fusion.onnx, from an earlier frame's map \
      to this frame's, and NAME-rest.onnx, from the map to scores where it is not scores already. \
      NAME-pieces.yaml says which runs when, and what every input and output is.

      A head is written with the network before it, as one model from a picture to boxes and \
      scores or to depths. A flow network is written as a model from two pictures to the optical \
      flow.
      """)

  /// Formats that a network can be written in.
  enum Format: String, ExpressibleByArgument, CaseIterable { case onnx }

  @Argument(help: "A folder with spec.yaml and trained weights: a network, a head, a propagation.")
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
    let folder = try ModelFolder(at: folder)
    try threading.apply()
    if folder.has("propagation") {
      try writePieces(of: folder)
    } else if folder.has("head") {
      try writeHead(HeadFolder(folder))
    } else if try folder.hasFlowNetwork() {
      try writeFlow(NetworkFlow(folder), of: folder)
    } else if folder.has("network") {
      try writeNetwork(NetworkFolder(folder))
    } else {
      throw Failure(
        .usage,
        "\(folder.path): networks, heads, flow networks and trained propagations are written as "
          + "ONNX")
    }
  }

  /// What the files' names begin with.
  private func stem(_ name: String) throws -> String {
    let name = output ?? "\(name).onnx"
    guard name.hasSuffix(".onnx") else {
      throw Failure(.usage, "--output \(name): the file's name must end in .onnx")
    }
    return String(name.dropLast(".onnx".count))
  }

  /// The size of pictures that a network is written for.
  private func size(for network: SegmentationNetwork, in folder: String) throws -> PixelSize {
    let size = pixels ?? network.inputSize ?? PixelSize(width: 480, height: 360)
    if let built = network.inputSize, built != size {
      throw Failure(.usage, "\(folder) was built for pictures of \(built), not \(size)")
    }
    return size
  }

  private func writeNetwork(_ source: NetworkFolder) throws {
    let stem = try stem(source.name)
    let network = try source.network()
    let size = try size(for: network, in: folder)
    if let tap {
      let parts = try network.onnx(for: size, cutAfter: tap)
      for path in [stem + "-key.onnx", stem + "-rest.onnx"] { try OutputFile.check(file: path) }
      try write(parts.upToTap, to: stem + "-key.onnx")
      try write(parts.rest, to: stem + "-rest.onnx")
    } else {
      try writeWhole(network.onnx(for: size), stem)
    }
  }

  private func writeWhole(_ network: ExportedNetwork, _ stem: String) throws {
    for path in [stem + ".onnx", stem + ".yaml"] { try OutputFile.check(file: path) }
    try write(network, to: stem + ".onnx")
    try write([UInt8](network.description.utf8), to: stem + ".yaml")
    print("\(stem).yaml: how it is fed and read")
  }

  private func writeHead(_ head: HeadFolder) throws {
    try refuseTap(head.folder)
    let specification = head.specification
    let network = try NetworkFolder(at: specification.backbone).network()
    let size = try size(for: network, in: specification.backbone)
    let whole =
      switch try head.head(behind: network) {
      case .depth(let head): try network.onnx(for: size, predictedBy: head)
      case .detection(let head): try network.onnx(for: size, predictedBy: head)
      }
    try writeWhole(whole, stem(specification.name))
  }

  private func writeFlow(_ flow: NetworkFlow, of folder: ModelFolder) throws {
    try refuseTap(folder)
    let size = pixels ?? PixelSize(width: 480, height: 360)
    let stem = try stem((folder.path as NSString).lastPathComponent)
    try write(flow.network.onnx(for: size), to: stem + ".onnx")
  }

  private func refuseTap(_ folder: ModelFolder) throws {
    guard tap == nil else {
      throw Failure(.usage, "--tap is for networks: \(folder.path) is written as a whole")
    }
  }

  private func writePieces(of folder: ModelFolder) throws {
    guard tap == nil else {
      throw Failure(.usage, "--tap is for networks: \(folder.path) says itself what is propagated")
    }
    let known = Parts.registries.trainablePropagations
    let specification = try PropagationSpecification(folder, in: known)
    let stem = try stem(specification.name)
    let network = try NetworkFolder(at: specification.backbone).network()
    let strategy = try PropagationStrategy(folder, behind: network, in: known)
    let pieces: ExportedPropagation
    do {
      pieces = try network.onnx(
        for: size(for: network, in: specification.backbone), propagating: strategy.tap,
        by: strategy.propagator, fusedBy: strategy.fusion, decodedBy: strategy.decoder)
    } catch let error as PropagationError {
      throw Failure(.usage, "\(folder.path): \(error)")
    }
    let names = pieces.pieces.map { "\(stem)-\($0.name).onnx" } + ["\(stem)-pieces.yaml"]
    for path in names { try OutputFile.check(file: path) }
    for piece in pieces.pieces {
      let path = "\(stem)-\(piece.name).onnx"
      try write(piece.model, to: path)
      tell(path, piece.inputs.map(\.name), piece.outputs.map(\.name), piece.model.count)
    }
    let name = (stem as NSString).lastPathComponent
    let description = pieces.description(stem: name, along: specification.flow)
    try write([UInt8](description.utf8), to: stem + "-pieces.yaml")
    print("\(stem)-pieces.yaml: which runs when, and what goes in and out")
  }

  private func write(_ network: ExportedNetwork, to path: String) throws {
    try write(network.model, to: path)
    tell(path, network.inputs, network.outputs, network.model.count)
  }

  private func tell(_ path: String, _ inputs: [String], _ outputs: [String], _ bytes: Int) {
    print(
      "\(path): \(inputs.joined(separator: ", ")) → \(outputs.joined(separator: ", ")), "
        + "\(bytes) bytes")
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try OutputFile(path).write(Data(bytes))
  }
}
