// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Specification
public import Tensors

/// A model folder with a segmentation network.
public struct NetworkFolder: Sendable {
  /// The folder that was opened.
  public let folder: ModelFolder
  /// What the specification calls the network.
  public let name: String
  /// What the network consists of.
  public let specification: NetworkSpecification

  /// Reads the specification; what it says of training is not looked at.
  ///
  /// - Throws: `SpecificationError` with the file that is missing, or the key that is wrong.
  public init(at path: String) throws(SpecificationError) { try self.init(ModelFolder(at: path)) }

  /// Reads the specification of a folder that was opened.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(_ folder: ModelFolder) throws(SpecificationError) {
    self.folder = folder
    (name, specification) = try folder.read { (root) throws(SpecificationError) in
      try root.allow(["name", "about", "base", "input", "classes", "network", "training"])
      return (try root.string("name"), try NetworkSpecification(root))
    }
  }

  /// Where the folder is.
  public var path: String { folder.path }

  /// Whether there are trained weights in it.
  public var isTrained: Bool { folder.isTrained }

  /// The network with its trained weights.
  ///
  /// - Throws: `SpecificationError` where they are missing, or another network's.
  public func network(on device: Device = .cpu) throws -> SegmentationNetwork {
    try folder.load(on: device) { try SegmentationNetwork(specification, parameters: $0) }
  }

  /// The network as it is before training.
  public func drawnNetwork(seed: UInt64 = 1) throws -> SegmentationNetwork {
    try SegmentationNetwork(specification, parameters: Parameters(seed: seed))
  }

  /// The network with its trained weights or, where there are none, with drawn ones.
  public func loadOrDraw() throws -> SegmentationNetwork {
    try folder.loadOrDraw { try SegmentationNetwork(specification, parameters: $0) }
  }
}

extension SegmentationNetwork {
  /// Reads `spec.yaml` and `weights.safetensors` in `folder`.
  public init(contentsOf folder: String) throws {
    self = try NetworkFolder(at: folder).network()
  }
}
