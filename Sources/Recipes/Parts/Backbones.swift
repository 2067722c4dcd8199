// SPDX-License-Identifier: Apache-2.0

internal import Backbone
package import Datasets
internal import Engines
internal import Foundation
internal import Specification
internal import Tensors
internal import Video

extension Registries {
  mutating func registerBackbones() {
    let path = OptionSpec.required("path", .path)
    let device = OptionSpec.optional("device", .text, positional: false)
    backbones.register(
      "network", "a network of this package's own: a folder with spec.yaml and its weights",
      options: [path, device], usage: "FOLDER", validate: onProcessor
    ) { options, _ in try FolderSource(NetworkFolder(at: options.text("path"))) }
    backbones.register(
      "torchscript", "a TorchScript network, with FILE.yaml beside it that says how to feed it",
      options: [path, device], usage: "FILE.pt", validate: onProcessor
    ) { options, context in try TorchScriptSource(at: options.text("path"), context) }
    backbones.register(
      "onnx", "an ONNX network, with FILE.yaml beside it where the file does not say enough",
      options: [
        path, .optional("description", .path, positional: false),
        .optional("engine", .choice(EngineChoice.names), positional: false),
        .optional(
          "precision", .choice(EnginePrecision.allCases.map(\.rawValue)), standard: "single",
          positional: false),
        device,
      ], usage: "FILE.onnx",
      validate: { (options) throws(InvalidOption) in _ = try namedDevice(options) }
    ) { options, context in try OnnxSource(options, context) }
    backbones.register(
      "truth", "a clip's own labels in the place of a network, in eval and calibrate only",
      options: [device], requires: [.labels], validate: onProcessor
    ) { _, context in
      guard let clip = context[LabelledTruth.self]?.clip else {
        throw SpecificationError(
          .incompatible,
          "--backbone truth needs a labelled clip, which only eval and calibrate have")
      }
      return TruthSource(clip: clip)
    }
    engines = [
      Engine("network") { path in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
          && isFolder.boolValue
      },
      Engine("onnx") { OnnxFile.isNamed($0) },
      Engine("torchscript") { _ in true },
    ]
  }
}

/// The device that is named; nil where none is.
private func namedDevice(_ options: ResolvedOptions) throws(InvalidOption) -> EngineDevice? {
  guard let name = options.textIfGiven("device") else { return nil }
  guard let device = EngineDevice(name) else {
    throw InvalidOption("needs a device cpu, cuda, cuda:N, tensorrt or tensorrt:N, not '\(name)'")
  }
  return device
}

private func onProcessor(_ options: ResolvedOptions) throws(InvalidOption) {
  guard let device = try namedDevice(options), device != .cpu else { return }
  throw InvalidOption(
    "runs on the device cpu alone, not on \(device); ONNX networks run on others, with an ONNX "
      + "Runtime that was built for them")
}

/// The clip whose labels stand in the place of a network.
package struct LabelledTruth: Sendable {
  let clip: any LabelledClip
  package init(clip: any LabelledClip) { self.clip = clip }
}

private struct FolderSource: NetworkSource {
  private let folder: NetworkFolder
  init(_ folder: NetworkFolder) { self.folder = folder }

  var path: String { folder.path }
  var classes: ClassList { folder.specification.classes }
  var files: [String] { [folder.folder.specificationPath, folder.folder.weightsPath] }

  func load() throws -> (backbone: any Backbone, head: any SegmentationHead) {
    let network = try folder.network().folded()
    return (network, network.head)
  }
}

private struct TorchScriptSource: NetworkSource {
  let path: String
  let task: (any PredictionTask)?
  private let description: NetworkDescription

  init(at path: String, _ context: BuildContext) throws {
    // No description would help.
    if path.hasSuffix(".pt2"), FileManager.default.fileExists(atPath: path) {
      throw SpecificationError(
        .badInput,
        "\(path) is what torch.export.save writes, which only PyTorch runs; write it with "
          + "torch.jit.trace and torch.jit.save, or with torch.onnx.export")
    }
    let registries = context[Registries.self] ?? .standard
    description = try NetworkDescription(besideNetwork: path, by: registries.grammar)
    (self.path, task) = (path, try description.ownTask(of: path, in: registries, context))
  }

  var classes: ClassList { description.classes }
  var files: [String] { [path, NetworkDescription.path(besideNetwork: path)] }

  func load() throws -> (backbone: any Backbone, head: any SegmentationHead) {
    let network = try ImportedNetwork(contentsOf: path, description: description)
    return (network, description.labels(or: task))
  }
}

private struct TruthSource: NetworkSource {
  let clip: any LabelledClip

  var path: String { "truth" }
  var classes: ClassList { clip.classes }
  var files: [String] { [] }

  func load() -> (backbone: any Backbone, head: any SegmentationHead) {
    let truth = GroundTruthBackbone(of: clip)
    return (truth, truth.head)
  }
}
