// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Specification
package import Video

/// A folder that holds a head: `spec.yaml`, which says what it consists of, and
/// `weights.safetensors`, once it is trained.
public struct HeadFolder: Sendable {
  /// The folder.
  public let folder: ModelFolder
  /// What its `spec.yaml` says.
  public let specification: HeadSpecification

  /// Reads the specification in the folder at `path`.
  ///
  /// - Throws: `SpecificationError` with the file that is missing, or the key that is wrong.
  public init(at path: String) throws(SpecificationError) { try self.init(ModelFolder(at: path)) }

  /// Reads the specification; what it says of training is not looked at.
  ///
  /// - Throws: `SpecificationError` with the key that is wrong.
  public init(_ folder: ModelFolder) throws(SpecificationError) {
    self.folder = folder
    specification = try folder.read { (root) throws(SpecificationError) in
      try HeadSpecification(root, folder: folder.path)
    }
  }

  /// The head with its trained weights, behind the backbone it was trained behind.
  ///
  /// - Throws: `SpecificationError` where weights are missing, or another head's.
  public func head(behind backbone: some Backbone) throws -> StoredHead {
    try folder.load { try specification.head(behind: backbone, parameters: $0) }
  }
}

/// A head of one of the kinds that a specification can name.
public enum StoredHead: Sendable {
  /// Tells the depth of each pixel.
  case depth(DepthHead)
  /// Finds objects.
  case detection(DetectionHead)

  /// What training changes.
  public var parameters: Parameters {
    switch self {
    case .depth(let head): head.parameters
    case .detection(let head): head.parameters
    }
  }

  /// Runs its convolutions, which a pass may count, on the maps of a frame of `size`.
  package func run(
    on features: FeatureMaps, size: PixelSize, in pass: ForwardContext
  ) throws {
    switch self {
    case .depth(let head): _ = try head.logDepth(of: features, size: size, in: pass)
    case .detection(let head): _ = try head.maps(of: features, in: pass)
    }
  }
}

extension HeadSpecification {
  /// What this describes, behind `backbone`, drawn or read as `parameters` says.
  public func head(
    behind backbone: some Backbone, parameters: Parameters
  ) throws -> StoredHead {
    let inputs = try backbone.headInputs(after: inputs)
    switch kind {
    case .depth(let settings):
      return .depth(try DepthHead(settings, reading: inputs, parameters: parameters))
    case .detection(let settings):
      return .detection(try DetectionHead(settings, reading: inputs, parameters: parameters))
    }
  }
}

extension DepthHead {
  /// Reads `spec.yaml` and `weights.safetensors` in `folder`; `backbone` is the one it names.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or describes another head.
  public init(contentsOf folder: String, behind backbone: some Backbone) throws {
    guard case .depth(let head) = try HeadFolder(at: folder).head(behind: backbone) else {
      throw SpecificationError(.badDescription, "\(folder) holds no head for depth")
    }
    self = head
  }
}

extension DetectionHead {
  /// Reads `spec.yaml` and `weights.safetensors` in `folder`; `backbone` is the one it names.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or describes another head.
  public init(contentsOf folder: String, behind backbone: some Backbone) throws {
    guard case .detection(let head) = try HeadFolder(at: folder).head(behind: backbone) else {
      throw SpecificationError(.badDescription, "\(folder) holds no head for detection")
    }
    self = head
  }
}
