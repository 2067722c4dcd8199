// SPDX-License-Identifier: Apache-2.0

/// The lexical rules of short texts: arguments with commas between them, quoted where they must be.
enum ShortText {
  /// The text up to the first comma outside quotes, and what comes after it; nil where there is
  /// none.
  static func nextArgument(
    in text: Substring
  ) throws(SpecificationError) -> (Substring, rest: Substring?) {
    var (isQuoted, isEscaped) = (false, false)
    for index in text.indices {
      let letter = text[index]
      if isEscaped {
        isEscaped = false
      } else if isQuoted, letter == "\\" {
        isEscaped = true
      } else if letter == "\"" {
        isQuoted.toggle()
      } else if letter == ",", !isQuoted {
        return (text[..<index], text[text.index(after: index)...])
      }
    }
    guard !isQuoted else {
      throw SpecificationError(.badSyntax, "a quotation mark is not closed in '\(text.prefix(80))'")
    }
    return (text, nil)
  }

  /// The name before an equals sign, and the text after it; nil where there is no such sign or no
  /// name.
  static func assignment(_ argument: Substring) -> (name: String, value: Substring)? {
    guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex else { return nil }
    let name = argument[..<sign]
    let isName = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-")
    }
    return isName ? (String(name), argument[argument.index(after: sign)...]) : nil
  }

  static func isQuoted(_ text: Substring) -> Bool { text.first == "\"" }

  /// What a bare or a quoted text says.
  static func unquoted(_ text: Substring) throws(SpecificationError) -> String {
    guard isQuoted(text) else { return String(text) }
    guard text.count >= 2, text.last == "\"" else {
      throw SpecificationError(.badSyntax, "'\(text.prefix(80))' goes on after its quotation mark")
    }
    var (result, isEscaped) = ("", false)
    for letter in text.dropFirst().dropLast() {
      if isEscaped {
        result.append(letter == "n" ? "\n" : letter == "t" ? "\t" : letter)
        isEscaped = false
      } else if letter == "\\" {
        isEscaped = true
      } else if letter == "\"" {
        throw SpecificationError(
          .badSyntax, "'\(text.prefix(80))' goes on after its quotation mark")
      } else {
        result.append(letter)
      }
    }
    return result
  }

  /// A text that reads back as it is: bare where that will do, else quoted.
  static func text(_ text: String, isWord: (String) -> Bool = { _ in false }) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.value >= 0x20 && $0.value != 0x7F && !",\"\\=".unicodeScalars.contains($0)
    }
    if isPlain, !text.isEmpty, text.first != " ", text.last != " ", !isWord(text) { return text }
    var quoted = "\""
    for letter in text.unicodeScalars {
      switch letter {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default: quoted.unicodeScalars.append(letter)
      }
    }
    return quoted + "\""
  }

  /// A value as it is written after an equals sign.
  static func value(_ value: OptionValue) -> String {
    switch value {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): text(value)
    case .list(let values): values.map(Self.value).joined(separator: "/")
    }
  }

  static func kind(_ kind: String) -> String { kind }
}
