// SPDX-License-Identifier: Apache-2.0

extension ConfigNode {
  /// A mapping of scalars and lists.
  public init(keys: KeyValuePairs<String, OptionValue>) {
    self.init(.mapping(keys.map { Entry(key: $0.key, node: ConfigNode($0.value)) }))
  }

  private init(_ value: OptionValue) {
    if case .list(let values) = value {
      self.init(.list(values.map { ConfigNode($0) }))
    } else {
      self.init(.scalar(value))
    }
  }

  /// Where the schema of a role's parts is defined.
  public static func reference(to role: String) -> ConfigNode {
    ConfigNode(keys: ["$ref": .text("#/$defs/\(role.replacing(" ", with: "%20"))")])
  }
}

extension Grammar {
  /// A JSON Schema of the parts of a role: a short text, or a mapping with a kind.
  public func schema(of role: String) -> ConfigNode {
    let all = descriptors(of: role)
    var text = ConfigNode(keys: ["type": "string"])
    text["description"] = ConfigNode(
      .scalar(.text(all.map(\.usage).joined(separator: ", "))))
    var schema = ConfigNode.empty
    schema["oneOf"] = ConfigNode(.list([text] + all.map { self.schema(of: $0) }))
    return schema
  }

  private func schema(of descriptor: PartDescriptor) -> ConfigNode {
    var properties = ConfigNode.empty
    properties["kind"] = ConfigNode(keys: ["const": .text(descriptor.kind)])
    for option in descriptor.options { properties[option.name] = option.kind.schema }
    if let slot = descriptor.slot { properties[slot.name] = .reference(to: slot.role) }
    let required = ["kind"] + descriptor.options.filter(\.isRequired).map(\.name)
    var schema = ConfigNode(keys: [
      "type": "object", "description": .text(descriptor.summary), "additionalProperties": false,
      "required": .list((required + [descriptor.slot?.name].compactMap(\.self)).map { .text($0) }),
    ])
    schema["properties"] = properties
    return schema
  }
}

extension OptionSpec.Kind {
  /// The JSON Schema of a value.
  fileprivate var schema: ConfigNode {
    switch self {
    case .flag: return ConfigNode(keys: ["type": "boolean"])
    case .integer(let range):
      guard range.upperBound < .max else {
        return ConfigNode(keys: ["type": "integer", "minimum": .integer(range.lowerBound)])
      }
      return ConfigNode(keys: [
        "type": "integer", "minimum": .integer(range.lowerBound),
        "maximum": .integer(range.upperBound),
      ])
    case .number(let range, let above):
      var schema = ConfigNode(keys: ["type": "number"])
      let lower = ConfigNode(.scalar(OptionValue(range.lowerBound)))
      schema[above ? "exclusiveMinimum" : "minimum"] = lower
      if range.upperBound < .greatestFiniteMagnitude {
        schema["maximum"] = ConfigNode(.scalar(OptionValue(range.upperBound)))
      }
      return schema
    case .text, .path: return ConfigNode(keys: ["type": "string"])
    case .choice(let words): return ConfigNode(keys: ["enum": .list(words.map { .text($0) })])
    case .list(let element):
      var schema = ConfigNode(keys: ["type": "array"])
      schema["items"] = element.schema
      return schema
    }
  }
}
