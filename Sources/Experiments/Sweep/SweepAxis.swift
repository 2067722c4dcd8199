// SPDX-License-Identifier: Apache-2.0

public import Specification

/// A key of a specification with the values that a sweep tries: `scheduler=every:1,every:5`.
public struct SweepAxis: Sendable, Hashable {
  /// The path of the key, as an override has it: `scheduler`, `flow`, `scheduler.interval`.
  public let key: String
  /// The values as texts, in order.
  public let values: [String]

  /// Reads KEY=VALUE,VALUE,…; a value that holds a comma stands in single or double quotes.
  public init(_ text: String) throws(SpecificationError) {
    let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, !halves[0].isEmpty else {
      throw SpecificationError(
        .badSyntax, "a setting of a sweep is key=value,value,…, not '\(text.prefix(80))'")
    }
    key = String(halves[0])
    values = try Self.values(String(halves[1]), of: text)
  }

  /// A key with its values.
  public init(key: String, values: [String]) { (self.key, self.values) = (key, values) }

  /// The parts between commas that no quotes, brackets or braces hold.
  static func values(_ text: String, of whole: String) throws(SpecificationError) -> [String] {
    var (values, value, quote, depth) = ([String](), "", Character?.none, 0)
    for character in text {
      switch character {
      case "'", "\"":
        if quote == nil {
          quote = character
          continue
        } else if quote == character {
          quote = nil
          continue
        }
      case "[", "{": depth += quote == nil ? 1 : 0
      case "]", "}": depth -= quote == nil ? 1 : 0
      case "," where quote == nil && depth == 0:
        values.append(value)
        value = ""
        continue
      default: break
      }
      value.append(character)
    }
    values.append(value)
    guard quote == nil, depth == 0, !values.contains("") else {
      throw SpecificationError(
        .badSyntax,
        "'\(whole.prefix(80))' has an empty value, or a quote or bracket that stays open")
    }
    guard values.count <= 4096 else {
      throw SpecificationError(.badValue, "'\(key(of: whole))' has more than 4096 values")
    }
    return values
  }

  private static func key(of text: String) -> Substring { text.prefix { $0 != "=" } }
}

/// What a sweep leaves out: points of which all these hold, `scheduler=every:1,flow=dis:*`.
public struct SweepExclusion: Sendable, Hashable {
  private let conditions: [(key: String, pattern: String)]

  /// Reads KEY=PATTERN,KEY=PATTERN,…; `*` in a pattern stands for anything.
  public init(_ text: String) throws(SpecificationError) {
    conditions = try SweepAxis.values(text, of: text).map {
      (condition) throws(SpecificationError) in
      let halves = condition.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, !halves[0].isEmpty else {
        throw SpecificationError(
          .badSyntax, "--exclude needs key=pattern,…, not '\(text.prefix(80))'")
      }
      return (String(halves[0]), String(halves[1]))
    }
  }

  /// The keys that it looks at.
  var keys: [String] { conditions.map(\.key) }

  /// Whether a point with these settings is left out.
  func excludes(_ settings: [String: String]) -> Bool {
    conditions.allSatisfy { condition in
      settings[condition.key].map { Self.matches($0[...], condition.pattern[...]) } ?? false
    }
  }

  static func matches(_ text: Substring, _ pattern: Substring) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard pieces.count > 1 else { return text == pattern }
    guard text.hasPrefix(pieces[0]) else { return false }
    var rest = text.dropFirst(pieces[0].count)
    for piece in pieces[1..<(pieces.count - 1)] where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(pieces[pieces.count - 1])
  }

  /// Whether both look at the same.
  public static func == (lhs: Self, rhs: Self) -> Bool {
    lhs.conditions.elementsEqual(rhs.conditions) { $0 == $1 }
  }

  /// Hashes the conditions.
  public func hash(into hasher: inout Hasher) {
    for condition in conditions { hasher.combine(condition.key + "=" + condition.pattern) }
  }
}
