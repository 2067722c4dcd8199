// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Layers

/// A change score that is learned, as one YAML file says.
///
/// ```yaml
/// name: camvid-change
/// backbone: ../camvid-resnet18   # behind which it was trained, beside this file
/// flow: dis:medium               # the motion along which it was trained
/// change_score:
///   kind: motion                 # or features
///   channels: 16
///   after: layer1                # of features: the stage
/// ```
public struct ChangeScoreSpecification: Sendable {
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The estimator's name in a catalogue.
  public let flow: String
  public let sight: LearnedChangeScore.Sight
  public let width: Int

  /// Whether the text describes what is learned of a change score.
  public static func describes(_ yaml: String) -> Bool {
    (try? DescriptionReader(yaml: yaml))?.has("change_score") == true
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `BackboneError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(BackboneError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(BackboneError) {
    try root.allow(["name", "about", "backbone", "flow", "change_score", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    flow = root.has("flow") ? try root.string("flow") : "dis:medium"
    let reader = try root.group("change_score")
    try reader.check("kind", isOneOf: ["features", "motion"])
    width = try reader.integer("channels", in: 1...4096, usual: 16)
    if try reader.string("kind") == "features" {
      try reader.allow(["kind", "channels", "after"])
      sight = .features(after: try reader.string("after"))
    } else {
      try reader.allow(["kind", "channels"])
      sight = .motion
    }
  }
}

extension LearnedChangeScore {
  /// What a specification describes, behind `backbone`, drawn or read as `parameters` says.
  public init(
    _ specification: ChangeScoreSpecification, behind backbone: some Backbone,
    parameters: Parameters
  ) throws {
    let channels =
      switch specification.sight {
      case .features(let stage): try backbone.channels(after: stage)
      case .motion: Self.motionChannels
      }
    try self.init(
      specification.sight, channels: channels, width: specification.width, parameters: parameters)
  }
}
