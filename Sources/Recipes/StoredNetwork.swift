// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Foundation
public import Specification
public import Video

/// A network on disk: a folder with `spec.yaml` and `weights.safetensors`, or a TorchScript file with
/// its description beside it.
///
/// What is said of it is read first; the network itself, which may be large, by `load`.
public struct StoredNetwork: Sendable {
  /// The folder or file.
  public let path: String
  public let classes: ClassList
  /// Every file that is read.
  public let files: [String]
  private let kind: Kind

  private enum Kind: Sendable {
    case folder(NetworkFolder)
    case torchScript(path: String, NetworkDescription)
  }

  /// - Throws: `SpecificationError` for what is missing, or wrong in the description.
  public init(at path: String) throws(SpecificationError) {
    self.path = path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let folder = try NetworkFolder(at: path)
      (kind, classes) = (.folder(folder), folder.specification.classes)
      files = [folder.folder.specificationPath, folder.folder.weightsPath]
    } else {
      let description = try NetworkDescription(besideNetwork: path)
      (kind, classes) = (.torchScript(path: path, description), description.classes)
      files = [path, NetworkDescription.path(besideNetwork: path)]
    }
  }

  /// The network, made ready for use, and the head that reads what it gives.
  public func load() throws -> (backbone: any Backbone, head: any SegmentationHead) {
    switch kind {
    case .folder(let folder):
      let network = try folder.network().folded()
      return (network, network.head)
    case .torchScript(let path, let description):
      let network = try ImportedNetwork(contentsOf: path, description: description)
      return (network, network.head)
    }
  }
}
