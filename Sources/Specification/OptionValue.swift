// SPDX-License-Identifier: Apache-2.0

/// The value of a part's option: a scalar, or a list of them.
///
/// A value has one form: whole numbers are integers however they were written, so that `8`, `8.0`
/// and `8e0` are equal and hash alike. Numbers are finite.
public enum OptionValue: Sendable, Hashable {
  case bool(Bool)
  case integer(Int)
  /// A number with a fraction, or beyond 2⁵³; made by `init(_: Double)` alone.
  case number(Double)
  case text(String)
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
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(stringLiteral value: String) { self = .text(value) }
  public init(arrayLiteral elements: OptionValue...) { self = .list(elements) }
}

extension OptionValue: Codable {
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
