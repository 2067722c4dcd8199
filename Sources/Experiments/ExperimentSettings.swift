// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Recipes
public import Specification

/// What a user says of an experiment, in the order in which one thing takes the place of another: a recipe,
/// a YAML file, overrides, and single options.
public struct ExperimentSettings: Sendable {
  /// A YAML or JSON file; a `result.json` too, whose specification is taken.
  public var file: String?
  /// Changes as Hydra writes them: `scheduler.interval=10`.
  public var overrides: [String] = []
  /// Keys with their texts, which come last.
  public var options: [(key: String, value: OptionValue)] = []
  /// The folder of trained models that recipes name.
  public var models: String?

  public init() {}

  /// The experiment that all of it comes to, in its one form; nothing is loaded.
  ///
  /// - Throws: `SpecificationError` for what is unknown or wrong, with the line where a file says it.
  public func specification(in registries: Registries) throws -> ExperimentSpec {
    var said = try file.map(Self.read) ?? .empty
    try said.allow(ExperimentSpec.keys)
    let roles = Self.roles(in: registries), grammar = registries.grammar
    var changed = said
    for override in try overrides.map({ try ConfigOverride($0) }) {
      guard ExperimentSpec.keys.contains(override.path[0]) else {
        throw SpecificationError(
          .unknownOption,
          "--set: unknown key '\(override.path[0])'; "
            + suggestion(for: override.path[0], among: ExperimentSpec.keys))
      }
      try override.apply(to: &changed) { (path, node) throws(SpecificationError) in
        try Self.expanded(node, at: path, roles, grammar)
      }
    }
    for (key, value) in options { changed[key] = ConfigNode(.scalar(value)) }
    var base = ConfigNode.empty
    if let recipe = changed["recipe"]?.text {
      let folder = models ?? changed["models"]?.text ?? "Models"
      let pipeline = try registries.recipes.pipeline(recipe, models: folder)
      base = try ConfigNode(encoding: pipeline)
      if try namesItsTap(changed, grammar, registries), changed["tap"] == nil { base["tap"] = nil }
    }
    changed["models"] = nil
    let spec = try base.overlaid(with: changed).decoded(as: ExperimentSpec.self)
    return try spec.canonical(in: registries)
  }

  /// Whether the propagator that takes a recipe's place says itself what it propagates.
  private func namesItsTap(
    _ said: ConfigNode, _ grammar: Grammar, _ registries: Registries
  ) throws -> Bool {
    guard let node = said["propagator"] else { return false }
    let role = registries.propagators.role
    let spec = try grammar.canonical(try node.decodedPart(), as: role)
    return grammar.requirements(of: spec, as: role).contains(.ownTap)
  }

  private static func read(_ path: String) throws -> ConfigNode {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such file")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw SpecificationError(.badDescription, "\(path) is no YAML text: it is not UTF-8")
    }
    let root = try ConfigNode(yaml: text, file: path)
    return root["specification"] ?? root
  }

  /// The role of the part at each key.
  private static func roles(in registries: Registries) -> [String: String] {
    [
      "backbone": registries.backbones.role, "scheduler": registries.schedulers.role,
      "propagator": registries.propagators.role, "fusion": registries.fusions.role,
      "flow": registries.flows.role, "data": registries.datasets.role,
      "consistency": registries.flows.role,
    ]
  }

  /// The mapping of a part that is given as text, so that a path can lead into it.
  private static func expanded(
    _ node: ConfigNode, at path: [String], _ roles: [String: String], _ grammar: Grammar
  ) throws(SpecificationError) -> ConfigNode? {
    guard var role = roles[path[0]], let text = node.text else { return nil }
    for slot in path.dropFirst() {
      let slots = grammar.roles.flatMap { grammar.descriptors(of: $0) }.compactMap(\.slot)
      guard let found = slots.first(where: { $0.name == slot }) else { return nil }
      role = found.role
    }
    let spec = try grammar.parse(text, as: role)
    do { return try ConfigNode(encoding: spec) } catch {
      throw SpecificationError(.badDescription, "\(error)")
    }
  }
}

extension ConfigNode {
  fileprivate func decodedPart() throws -> PartSpec { try decoded(as: Wrapped.self).part }

  private struct Wrapped: Decodable {
    let part: PartSpec
    init(from decoder: any Decoder) throws { part = try PartSpec(from: decoder) }
  }
}
