// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Specification

/// A policy that is learned, as one YAML file says.
///
/// ```yaml
/// name: camvid-policy
/// backbone: ../camvid-resnet18   # behind which it was trained, beside this file
/// flow: chained:dis:medium       # the motion along which it was trained
/// propagator: warp               # then: copy, warp, or the folder of a trained propagation
/// policy:
///   size: 32                     # of its memory
/// ```
public struct PolicySpecification: Sendable {
  /// What the policy is called.
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The estimator's name in a catalogue.
  public let flow: String
  /// What propagated features while it was trained.
  public let propagator: Source
  /// Numbers in the network's memory, 32 where none are stated.
  public let size: Int

  /// What brought features from keys to other frames while the policy was trained.
  public enum Source: Hashable, Sendable {
    /// `Copy`, and `Warp` along the flow.
    case copy, warp
    /// A trained part, by its folder.
    case trained(String)
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(SpecificationError) {
    try root.allow(["name", "about", "backbone", "flow", "propagator", "policy", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    flow = root.has("flow") ? try root.string("flow") : "chained:dis:medium"
    switch root.has("propagator") ? try root.string("propagator") : "warp" {
    case "copy": propagator = .copy
    case "warp": propagator = .warp
    default: propagator = .trained(try root.path("propagator", in: folder))
    }
    let reader = try root.group("policy")
    try reader.allow(["size"])
    size = try reader.integer("size", in: 1...1024, usual: 32)
  }
}

extension PolicyNetwork {
  /// What was trained, in a model folder.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or does not fit the other.
  public init(_ folder: ModelFolder) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try PolicySpecification(root, folder: folder.path)
    }
    self = try folder.load { try PolicyNetwork(size: specification.size, parameters: $0) }
  }
}
