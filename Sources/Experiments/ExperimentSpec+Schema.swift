// SPDX-License-Identifier: Apache-2.0

public import Recipes
public import Specification

extension ExperimentSpec {
  /// A JSON Schema (draft 2020-12) of specifications with these parts.
  public static func schema(in registries: Registries) -> ConfigNode {
    let roles: [(key: String, role: String)] = [
      ("backbone", registries.backbones.role), ("scheduler", registries.schedulers.role),
      ("propagator", registries.propagators.role), ("fusion", registries.fusions.role),
      ("flow", registries.flows.role), ("data", registries.datasets.role),
    ]
    let grammar = registries.grammar
    var properties = ConfigNode.empty
    for (key, role) in roles { properties[key] = ConfigNode.reference(to: role) }
    for (key, type) in [
      ("head", "string"), ("tap", "string"), ("regions", "string"), ("recipe", "string"),
      ("models", "string"), ("split", "string"), ("frames", "integer"), ("group", "integer"),
      ("agreement", "boolean"), ("warm_up", "boolean"),
    ] { properties[key] = ConfigNode(keys: ["type": .text(type)]) }
    properties["temporal_smoothing"] = ConfigNode(keys: ["type": ["string", "number"]])
    properties["bidirectional"] = ConfigNode(keys: ["type": ["boolean", "number"]])
    properties["consistency"] = ConfigNode.empty
    properties["consistency"]?["anyOf"] = ConfigNode(
      .list([ConfigNode(keys: ["const": "none"]), .reference(to: registries.flows.role)]))
    properties["metrics"] = ConfigNode(keys: ["type": "array"])
    properties["metrics"]?["items"] = .reference(to: registries.metrics.role)
    var definitions = ConfigNode.empty
    for role in grammar.roles { definitions[role] = grammar.schema(of: role) }
    var schema = ConfigNode(keys: [
      "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false,
    ])
    schema["properties"] = properties
    schema["$defs"] = definitions
    return schema
  }
}
