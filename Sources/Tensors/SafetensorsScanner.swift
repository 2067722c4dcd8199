// SPDX-License-Identifier: Apache-2.0

/// Reads JSON more strictly than the general readers do: no key twice, no sign, fraction or
/// exponent where a count is wanted, no deep nesting, nothing that is not text.
struct SafetensorsScanner {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  private static let deepest = 32

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// What `position` is at, after white space; nil at the end.
  private mutating func next() -> UInt8? {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func take(_ wanted: Unicode.Scalar) throws(SafetensorsError) {
    guard next() == UInt8(ascii: wanted) else { throw unexpected("'\(wanted)'") }
    position += 1
  }

  private mutating func takes(_ wanted: Unicode.Scalar) -> Bool {
    guard next() == UInt8(ascii: wanted) else { return false }
    position += 1
    return true
  }

  private func unexpected(_ wanted: String) -> SafetensorsError {
    let found = position < bytes.count ? "byte \(position)" : "its end"
    return SafetensorsError(.badHeader, "the header wants \(wanted) at \(found)")
  }

  private mutating func deeper<Value>(
    _ body: (inout Self) throws(SafetensorsError) -> Value
  ) throws(SafetensorsError) -> Value {
    guard depth < Self.deepest else {
      throw SafetensorsError(.badHeader, "the header is nested more than \(Self.deepest) deep")
    }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  /// Nothing but white space may follow.
  mutating func end() throws(SafetensorsError) {
    if next() != nil { throw unexpected("nothing more") }
  }

  /// An object; `member` reads the value of each key.
  mutating func object(
    _ member: (inout Self, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try deeper { scanner throws(SafetensorsError) in
      try scanner.take("{")
      if scanner.takes("}") { return }
      var keys: Set<String> = []
      repeat {
        let key = try scanner.string()
        guard keys.insert(key).inserted else {
          throw SafetensorsError(
            .badHeader, "the header has the key \(SafetensorsError.escaped(key)) twice")
        }
        try scanner.take(":")
        try member(&scanner, key)
      } while scanner.takes(",")
      try scanner.take("}")
    }
  }

  /// An array; `element` reads each value.
  mutating func array(
    _ element: (inout Self) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try deeper { scanner throws(SafetensorsError) in
      try scanner.take("[")
      if scanner.takes("]") { return }
      repeat { try element(&scanner) } while scanner.takes(",")
      try scanner.take("]")
    }
  }

  /// A number of things: digits only, no leading zero, at most 2^63 - 1.
  mutating func count() throws(SafetensorsError) -> Int {
    guard let first = next(), Self.digits.contains(first) else { throw unexpected("a count") }
    var value = 0
    let start = position
    while position < bytes.count, Self.digits.contains(bytes[position]) {
      let (tens, tooMany) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !tooMany, !overflow else { throw unexpected("a smaller count") }
      value = sum
      position += 1
    }
    let isFraction = position < bytes.count && Array(".eE".utf8).contains(bytes[position])
    guard !isFraction, first != 0x30 || position == start + 1 else { throw unexpected("a count") }
    return value
  }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
}

// Strings.
extension SafetensorsScanner {
  mutating func string() throws(SafetensorsError) -> String {
    try take("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw unexpected("no control character") }
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape().utf8
      default: text.append(byte)
      }
    }
    throw unexpected("the end of a string")
  }

  private mutating func escape() throws(SafetensorsError) -> String {
    guard position < bytes.count else { throw unexpected("the end of a string") }
    let plain: [UInt8: String] = [
      0x22: "\"", 0x5C: "\\", 0x2F: "/", 0x62: "\u{8}", 0x66: "\u{C}", 0x6E: "\n", 0x72: "\r",
      0x74: "\t",
    ]
    let kind = bytes[position]
    position += 1
    if let character = plain[kind] { return character }
    guard kind == UInt8(ascii: "u") else { throw unexpected("an escape sequence") }
    return try character()
  }

  /// What \u stands for; two of them where it takes a surrogate pair.
  private mutating func character() throws(SafetensorsError) -> String {
    let first = try codeUnit()
    guard UTF16.isLeadSurrogate(first) else {
      guard let scalar = Unicode.Scalar(first) else { throw unexpected("a whole character") }
      return String(scalar)
    }
    guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
      throw unexpected("the second half of a character")
    }
    position += 2
    let second = try codeUnit()
    guard UTF16.isTrailSurrogate(second) else {
      throw unexpected("the second half of a character")
    }
    return String(decoding: [first, second], as: UTF16.self)
  }

  private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw unexpected("four hexadecimal digits") }
    position += 4
    return unit
  }
}

// What is not looked at.
extension SafetensorsScanner {
  /// Any value, read and forgotten.
  mutating func skip() throws(SafetensorsError) {
    switch next() {
    case UInt8(ascii: "{"):
      try object { scanner, _ throws(SafetensorsError) in try scanner.skip() }
    case UInt8(ascii: "["): try array { scanner throws(SafetensorsError) in try scanner.skip() }
    case UInt8(ascii: "\""): _ = try string()
    default: try skipWord()
    }
  }

  /// `true`, `false`, `null` or a number.
  private mutating func skipWord() throws(SafetensorsError) {
    let letters = Array("+-.0123456789abcdefghijklmnopqrstuvwxyzE".utf8)
    let word = bytes[position...].prefix { letters.contains($0) }
    let text = String(decoding: word, as: UTF8.self)
    let isNumber = text.wholeMatch(of: Self.number) != nil
    guard isNumber || ["true", "false", "null"].contains(text) else { throw unexpected("a value") }
    position += word.count
  }

  private static var number: Regex<Substring> {
    /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?/
  }
}
