// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Recipes
public import Specification

/// What a user says of an experiment, in the order in which one thing takes the place of another: a
/// recipe, a YAML file, single options, and overrides.
public struct ExperimentSettings: Sendable {
  /// A YAML or JSON file; a `result.json` too, whose specification is taken.
  public var file: String?
  /// Changes as Hydra writes them: `scheduler.interval=10`.
  public var overrides: [String] = []
  /// Keys with their texts.
  public var options: [(key: String, value: OptionValue)] = []
  /// The folder of trained models that recipes name.
  public var models: String?

  /// Nothing said yet: the standard experiment.
  public init() {}

  /// The experiment that all of it comes to, in its one form; nothing is loaded.
  ///
  /// - Throws: `SpecificationError` for what is unknown or wrong, with the line where a file says
  ///   it.
  public func specification(in registries: Registries) throws -> ExperimentSpec {
    let said = try file.map(Self.read) ?? .empty
    try said.allow(ExperimentSpec.keys)
    let changes = try overrides.map { try ConfigOverride($0) }
    let grammar = registries.grammar
    let base = try begun(said, changes, registries)
    var tree = base.overlaid(with: said)
    for (key, value) in options { tree[key] = ConfigNode(key: key, value) }
    for change in changes {
      try Self.check(change)
      try change.apply(to: &tree) { (path, node) throws(SpecificationError) in
        try Self.expanded(node, at: path, Self.roles(in: registries), registries, grammar)
      }
    }
    let namesTap =
      said["tap"] != nil || options.contains { $0.key == "tap" }
      || changes.contains { $0.path[0] == "tap" }
    if !namesTap, tree["propagator"] != base["propagator"] {
      let role = registries.propagators.role
      let spec = try tree["propagator"].map {
        try grammar.canonical(try $0.decodedPart(), as: role)
      }
      // What was trained says itself what it propagates.
      if let spec, grammar.requirements(of: spec, as: role).contains(.ownTap) { tree["tap"] = nil }
    }
    tree["models"] = nil
    return try tree.decoded(as: ExperimentSpec.self).canonical(in: registries)
  }

  /// The recipe's parts in their one form, or the usual ones.
  private func begun(
    _ said: ConfigNode, _ changes: [ConfigOverride], _ registries: Registries
  ) throws -> ConfigNode {
    func named(_ key: String) -> String? {
      options.last { $0.key == key }?.value.text
        ?? changes.last { $0.path == [key] }?.value.text ?? said[key]?.text
    }
    guard let recipe = named("recipe") else {
      return try ConfigNode(encoding: PipelineSpec().canonical(in: registries))
    }
    let folder = models ?? named("models") ?? RecipeModels.usualFolder
    let pipeline = try registries.recipes.pipeline(recipe, models: folder)
    return try ConfigNode(encoding: pipeline.canonical(in: registries))
  }

  private static func check(_ change: ConfigOverride) throws(SpecificationError) {
    guard ExperimentSpec.keys.contains(change.path[0]) else {
      throw SpecificationError(
        .unknownOption,
        "--set: unknown key '\(change.path[0])'; "
          + suggestion(for: change.path[0], among: ExperimentSpec.keys))
    }
  }

  private static func read(_ path: String) throws -> ConfigNode {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such file")
    }
    guard let text = String(textOf: data) else {
      throw SpecificationError(.badDescription, "\(path) is no YAML text: it is not UTF-8")
    }
    let root = try ConfigNode(yaml: text, file: path)
    return root["specification"] ?? root
  }

  /// The role of the part at each key.
  private static func roles(in registries: Registries) -> [String: String] {
    [
      "backbone": registries.backbones.role, "head": registries.heads.role,
      "scheduler": registries.schedulers.role,
      "propagator": registries.propagators.role, "fusion": registries.fusions.role,
      "flow": registries.flows.role, "data": registries.datasets.role,
      "consistency": registries.flows.role,
    ]
  }

  /// The mapping of a part that is given as text, so that a path can lead into it.
  private static func expanded(
    _ node: ConfigNode, at path: [String], _ roles: [String: String], _ registries: Registries,
    _ grammar: Grammar
  ) throws(SpecificationError) -> ConfigNode? {
    guard var role = roles[path[0]], let text = node.text else { return nil }
    for slot in path.dropFirst() {
      let slots = grammar.roles.flatMap { grammar.descriptors(of: $0) }.compactMap(\.slot)
      guard let found = slots.first(where: { $0.name == slot }) else { return nil }
      role = found.role
    }
    // A backbone may be a path alone.
    let spec =
      role == registries.backbones.role
      ? try registries.backbone(PartSpec(text), by: grammar) : try grammar.parse(text, as: role)
    do { return try ConfigNode(encoding: spec) } catch {
      throw SpecificationError(.badDescription, "\(error)")
    }
  }
}

extension ConfigNode {
  /// The value of a key: a scalar, or a list of them.
  fileprivate init(key _: String, _ value: OptionValue) {
    if case .list(let values) = value {
      self.init(.list(values.map { ConfigNode(.scalar($0)) }))
    } else {
      self.init(.scalar(value))
    }
  }

  fileprivate func decodedPart() throws -> PartSpec { try decoded(as: Wrapped.self).part }

  private struct Wrapped: Decodable {
    let part: PartSpec
    init(from decoder: any Decoder) throws { part = try PartSpec(from: decoder) }
  }
}
