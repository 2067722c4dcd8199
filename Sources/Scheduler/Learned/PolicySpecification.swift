// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers

/// A policy that is learned, as one YAML file says.
///
/// ```yaml
/// name: camvid-policy
/// backbone: ../camvid-resnet18   # behind which it was trained, beside this file
/// flow: chained:dis:medium       # the motion along which it was trained
/// carrying: warp                 # what carried features then: copy, warp, or the folder of a trained part
/// policy:
///   size: 32                     # of its memory
/// ```
public struct PolicySpecification: Sendable {
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The estimator's name in a catalogue.
  public let flow: String
  public let carrying: Carrying
  public let size: Int

  /// What brought features from keys to other frames while the policy was trained.
  public enum Carrying: Hashable, Sendable {
    case copy, warp
    /// A trained part, by its folder.
    case trained(String)
  }

  /// Whether the text describes a policy.
  public static func describes(_ yaml: String) -> Bool {
    (try? DescriptionReader(yaml: yaml))?.has("policy") == true
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `BackboneError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(BackboneError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(BackboneError) {
    try root.allow(["name", "about", "backbone", "flow", "carrying", "policy", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    flow = root.has("flow") ? try root.string("flow") : "chained:dis:medium"
    switch root.has("carrying") ? try root.string("carrying") : "warp" {
    case "copy": carrying = .copy
    case "warp": carrying = .warp
    default: carrying = .trained(try root.path("carrying", in: folder))
    }
    let reader = try root.group("policy")
    try reader.allow(["size"])
    size = try reader.integer("size", in: 1...1024, usual: 32)
  }
}
