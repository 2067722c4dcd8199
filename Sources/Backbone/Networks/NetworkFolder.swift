// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
public import Tensors
internal import Video

/// A folder that holds a segmentation network: `spec.yaml`, which says what it consists of, and
/// `weights.safetensors`, once it is trained.
public struct NetworkFolder: Sendable {
  public let path: String
  public let name: String
  public let specification: NetworkSpecification

  /// Reads the specification; what it says of training is not looked at.
  ///
  /// - Throws: `BackboneError` with the file that is missing, or the key that is wrong.
  public init(at path: String) throws(BackboneError) {
    self.path = path
    (name, specification) = try Self.read(path) { (root) throws(BackboneError) in
      try root.allow(["name", "about", "input", "classes", "network", "training"])
      return (try root.string("name"), try NetworkSpecification(root))
    }
  }

  /// What `body` reads from the specification; its complaints are told with the file's name.
  private static func read<Result>(
    _ folder: String, _ body: (DescriptionReader) throws(BackboneError) -> Result
  ) throws(BackboneError) -> Result {
    let text = try text(in: folder)
    do throws(BackboneError) {
      return try body(DescriptionReader(yaml: text))
    } catch {
      throw BackboneError(error.code, "\(specificationPath(in: folder)): \(error.message)")
    }
  }

  /// What `spec.yaml` says.
  package static func text(in folder: String) throws(BackboneError) -> String {
    let file = specificationPath(in: folder)
    guard FileManager.default.fileExists(atPath: folder) else {
      throw BackboneError(.missingFile, "\(folder): there is no such network")
    }
    do throws(VideoError) {
      let bytes = try readBytes(of: file, limit: DescriptionReader.maximumBytes)
      if let text = String(validating: bytes, as: UTF8.self) { return text }
    } catch {
      guard error.code == .missingFile else {
        throw BackboneError(.badDescription, "\(file) is no YAML text: \(error.message)")
      }
      throw BackboneError(.missingFile, "\(folder) holds no network: there is no \(file)")
    }
    throw BackboneError(.badDescription, "\(file) is no YAML text: it is not UTF-8")
  }

  /// Where the specification of a network lies.
  public static func specificationPath(in folder: String) -> String { "\(folder)/spec.yaml" }

  /// What `network.kind` says, as it does for networks of flow; nil for those of segmentation.
  package static func kind(in folder: String) throws(BackboneError) -> String? {
    try read(folder) { (root) throws(BackboneError) in
      guard root.has("network") else { return nil }
      let network = try root.group("network")
      return network.has("kind") ? try network.string("kind") : nil
    }
  }

  /// Where the trained weights lie, or will.
  public var weightsPath: String { "\(path)/weights.safetensors" }

  public var isTrained: Bool { FileManager.default.fileExists(atPath: weightsPath) }

  /// The network with its trained weights.
  ///
  /// - Throws: `BackboneError` where they are missing, or another network's.
  public func network(on device: Device = .cpu) throws -> SegmentationNetwork {
    guard isTrained else {
      throw BackboneError(.missingFile, "\(path) is not trained: there is no \(weightsPath)")
    }
    do {
      let parameters = Parameters(
        reading: try SafetensorsFile(contentsOf: weightsPath), device: device)
      let network = try SegmentationNetwork(specification, parameters: parameters)
      if let name = parameters.unread.first {
        throw LayerError("the network has no place for \(String(reflecting: name))")
      }
      return network
    } catch let error as BackboneError {
      throw BackboneError(error.code, "\(Self.specificationPath(in: path)): \(error.message)")
    } catch let error as TensorError {
      throw error
    } catch {
      throw BackboneError(.badWeights, "\(weightsPath): \(error)")
    }
  }

  /// The network as it is before training.
  public func drawnNetwork(seed: UInt64 = 1) throws -> SegmentationNetwork {
    try SegmentationNetwork(specification, parameters: Parameters(seed: seed))
  }
}

extension SegmentationNetwork {
  /// Reads `spec.yaml` and `weights.safetensors` in `folder`.
  public init(contentsOf folder: String) throws {
    self = try NetworkFolder(at: folder).network()
  }
}
