// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Specification
internal import Tensors

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
  /// What the change score is called.
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The estimator's name in a catalogue.
  public let flow: String
  /// What its network sees of a change.
  public let sight: LearnedChangeScore.Sight
  /// Channels of its first convolution, 16 where none are stated.
  public let width: Int

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(SpecificationError) {
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
  /// What a specification describes, drawn or read as `parameters` says.
  ///
  /// `channels` says how many a stage of the backbone gives.
  public init(
    _ specification: ChangeScoreSpecification, channels: (_ stage: String) throws -> Int,
    parameters: Parameters
  ) throws {
    let seen =
      switch specification.sight {
      case .features(let stage): try channels(stage)
      case .motion: Self.motionChannels
      }
    try self.init(
      specification.sight, channels: seen, width: specification.width, parameters: parameters)
  }

  /// What was trained, in a model folder.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or does not fit the other.
  public init(_ folder: ModelFolder) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try ChangeScoreSpecification(root, folder: folder.path)
    }
    // How many channels a stage of the backbone has, the weights know.
    let first = try folder.isTrained ? folder.weights()["first.weight"] : nil
    let channels = first.map { $0.shape.rank > 1 ? $0.shape[1] : 1 } ?? 1
    let score = try folder.load { parameters in
      try LearnedChangeScore(
        specification.sight, channels: max(1, channels), width: specification.width,
        parameters: parameters)
    }
    self = score
  }
}
