// SPDX-License-Identifier: Apache-2.0

/// Which part, with which options, made of which other parts: a value, not the part itself.
///
/// `every:5`, `chained:dis:medium`, YAML mappings and Swift literals are spellings of it. A
/// `Grammar` reads and prints the short text, fills in defaults and refuses what no part
/// understands; specs that went through `Grammar.canonical` are equal where they mean the same.
///
/// ```swift
/// let shots = PartSpec("shots", parts: ["base": PartSpec("every", ["interval": 10])])
/// ```
///
/// A string literal stands for its short text, which the grammar takes apart.
public struct PartSpec: Sendable, Hashable {
  /// The name of the part in its registry.
  public var kind: String
  /// Values of its options, by name; what is left out is filled in by a grammar.
  public var options: [String: OptionValue]
  /// The parts it is made of, by the slot that each fills.
  public var parts: [String: PartSpec]

  /// A part of a kind.
  public init(
    _ kind: String, _ options: [String: OptionValue] = [:], parts: [String: PartSpec] = [:]
  ) {
    (self.kind, self.options, self.parts) = (kind, options, parts)
  }

  /// How deep parts may be nested, and how many there may be in one spec.
  public static let maximumDepth = 32, maximumCount = 256

  /// How long a short text may be, in bytes.
  public static let maximumBytes = 16 << 10

  /// Whether this part or one inside it is of `kind`, or equals it with all its options.
  public func contains(_ other: PartSpec) -> Bool {
    self == other || parts.values.contains { $0.contains(other) }
  }
}

extension PartSpec: ExpressibleByStringLiteral {
  /// The part whose short text the literal is; a grammar takes it apart later.
  public init(stringLiteral text: String) { self.init(text) }
}

extension PartSpec: CustomStringConvertible {
  /// The long form of the text, every option by its name: `every:interval=5`.
  public var description: String {
    let options = self.options.sorted { $0.key < $1.key }
      .map { "\($0.key)=\(ShortText.value($0.value))" }
    let parts = self.parts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let all = options + parts
    return all.isEmpty
      ? ShortText.kind(kind) : "\(ShortText.kind(kind)):\(all.joined(separator: ","))"
  }
}

extension PartSpec: Codable {
  /// Keys of a flat mapping: `kind`, then options, then slots.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue _: Int) { nil }
  }

  /// Reads a short text, or `{kind: shots, overlap: 0.5, base: {kind: every, interval: 5}}`.
  public init(from decoder: any Decoder) throws {
    guard decoder.codingPath.count <= 4 * Self.maximumDepth else {
      throw SpecificationError(.tooDeep, "parts are nested deeper than \(Self.maximumDepth)")
    }
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      self.init(text)
      return
    }
    let container = try decoder.container(keyedBy: Key.self)
    self.init(try container.decode(String.self, forKey: Key(stringValue: "kind")))
    for key in container.allKeys where key.stringValue != "kind" {
      if let value = try? container.decode(OptionValue.self, forKey: key) {
        options[key.stringValue] = value
      } else {
        parts[key.stringValue] = try container.decode(PartSpec.self, forKey: key)
      }
    }
  }

  /// Writes a flat mapping: `kind`, then options, then the parts by their slots.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(kind, forKey: Key(stringValue: "kind"))
    for (name, value) in options { try container.encode(value, forKey: Key(stringValue: name)) }
    for (slot, part) in parts { try container.encode(part, forKey: Key(stringValue: slot)) }
  }
}
