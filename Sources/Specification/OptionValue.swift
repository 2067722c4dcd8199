// SPDX-License-Identifier: Apache-2.0

/// The value of a part's option: a scalar, or a list of them.
///
/// A value has one form: whole numbers are integers however they were written, so that `8`, `8.0`
/// and `8e0` are equal and hash alike. Numbers are finite.
public enum OptionValue: Sendable, Hashable {
  /// True or false.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number with a fraction, or beyond 2⁵³; made by `init(_: Double)` alone.
  case number(Double)
  /// Text, a path or a choice.
  case text(String)
  /// Several values in order.
  case list([OptionValue])

  /// A number in its one form.
  ///
  /// - Precondition: the number is finite.
  public init(_ number: Double) {
    precondition(number.isFinite, "an option of \(number)")
    if number == number.rounded(), abs(number) < 0x1p53 {
      self = .integer(Int(number))
    } else {
      self = .number(number)
    }
  }

  /// The number that this is; nil for any other value.
  public var asNumber: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }
}

extension OptionValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
  /// The integer that a literal spells.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// The number that a literal spells, in its one form: `8.0` becomes an integer.
  public init(floatLiteral value: Double) { self.init(value) }
  /// The truth value that a literal spells.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// The text that a literal spells.
  public init(stringLiteral value: String) { self = .text(value) }
  /// A list of the literal's values.
  public init(arrayLiteral elements: OptionValue...) { self = .list(elements) }
}

extension OptionValue: Codable {
  /// Reads a truth value, a number, a text or an array of these; a whole number becomes an integer.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self), value.isFinite {
      self.init(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else {
      self = .list(try container.decode([OptionValue].self))
    }
  }

  /// Writes the bare value: a truth value, a number, a text or an array.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    }
  }
}

extension OptionValue {
  /// The value as it is written in a short text.
  public var text: String { ShortText.value(self) }
}
