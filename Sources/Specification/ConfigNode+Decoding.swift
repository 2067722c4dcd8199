// SPDX-License-Identifier: Apache-2.0

internal import Foundation

extension ConfigNode: Encodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue _: Int) { nil }
  }

  /// Writes the tree as nulls, scalars, arrays and objects; places are left out.
  public func encode(to encoder: any Encoder) throws {
    switch value {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .scalar(let scalar): try scalar.encode(to: encoder)
    case .list(let list):
      var container = encoder.unkeyedContainer()
      for node in list { try container.encode(node) }
    case .mapping(let entries):
      var container = encoder.container(keyedBy: Key.self)
      for entry in entries { try container.encode(entry.node, forKey: Key(entry.key)) }
    }
  }

  /// The value of a type that the tree stands for.
  ///
  /// - Throws: `SpecificationError` with the line of the key that is wrong.
  public func decoded<Decoded: Decodable>(as _: Decoded.Type) throws -> Decoded {
    let data = try JSONEncoder().encode(self)
    do { return try JSONDecoder().decode(Decoded.self, from: data) } catch {
      throw located(error)
    }
  }

  /// What a decoder complains of, in a sentence.
  private func located(_ error: any Error) -> SpecificationError {
    guard let error = error as? DecodingError else {
      let known = error as? SpecificationError
      return known ?? SpecificationError(.badDescription, "\(error)")
    }
    let context =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context),
        .keyNotFound(_, let context), .dataCorrupted(let context):
        context
      @unknown default: DecodingError.Context(codingPath: [], debugDescription: "\(error)")
      }
    let path = context.codingPath.map(\.stringValue)
    var node: ConfigNode? = self
    for key in path { node = node?[key] ?? node }
    let name = path.isEmpty ? "the specification" : "'\(path.joined(separator: "."))'"
    let sentence = SpecificationError(
      .badValue, "\(name) cannot be read: \(context.debugDescription)")
    return node?.located(sentence) ?? sentence
  }

  /// The tree of a value.
  public init(encoding value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(value)
    let text = String(decoding: data, as: UTF8.self)
    self = try ConfigNode(yaml: text, file: "").withoutPlaces
  }

  private var withoutPlaces: ConfigNode {
    switch value {
    case .mapping(let entries):
      ConfigNode(.mapping(entries.map { Entry(key: $0.key, node: $0.node.withoutPlaces) }))
    case .list(let list): ConfigNode(.list(list.map(\.withoutPlaces)))
    default: ConfigNode(value)
    }
  }
}

extension ConfigNode {
  /// The tree as YAML, keys in order.
  public var yaml: String {
    var lines: [String] = []
    write(to: &lines, indentation: "")
    return lines.joined(separator: "\n") + "\n"
  }

  private func write(to lines: inout [String], indentation: String) {
    // A part's kind comes before its options.
    let ordered = entries.filter { $0.key == "kind" } + entries.filter { $0.key != "kind" }
    for entry in ordered {
      switch entry.node.value {
      case .mapping(let entries) where !entries.isEmpty:
        lines.append("\(indentation)\(entry.key):")
        entry.node.write(to: &lines, indentation: indentation + "  ")
      default: lines.append("\(indentation)\(entry.key): \(entry.node.inline)")
      }
    }
  }

  /// A value on one line.
  private var inline: String {
    switch value {
    case .null: "null"
    case .scalar(.text(let text)): Self.quoted(text)
    case .scalar(let scalar): scalar.text
    case .list(let list): "[\(list.map(\.inline).joined(separator: ", "))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.key): \($0.node.inline)" }.joined(separator: ", "))}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || "0123456789_./-:".unicodeScalars.contains($0))
    }
    let isText = Double(text) == nil && !["true", "false", "null", "yes", "no", ""].contains(text)
    if plain, isText, text.first?.isLetter == true, text.last != ":" { return text }
    let data = (try? JSONEncoder().encode(text)) ?? Data()
    return String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\\/", with: "/")
  }
}
