// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// What is asked of YAML text before anything is made of it.
enum YAMLText {
  /// The root node; nil of an empty text.
  static func compose(_ text: String, file: String) throws(SpecificationError) -> Node? {
    guard text.utf8.count <= ConfigNode.maximumBytes else {
      throw SpecificationError(.tooLarge, "\(file) is longer than 1 MiB")
    }
    if let found = refused(in: text) {
      throw SpecificationError(.badDescription, "\(found.what) is not read")
        .located(in: file, line: found.line)
    }
    do { return try Yams.compose(yaml: text) } catch {
      let reason = "\(error)".split(separator: "\n").joined(separator: " ")
      throw SpecificationError(.badDescription, "\(file) is no YAML: \(reason)")
    }
  }

  /// The first anchor, alias or key with a question mark, and its line; nil where there is none.
  ///
  /// A few bytes of aliases stand for billions of nodes, and composing alone may take for ever
  /// where a key is made of them, or is itself a tree of many levels. So none is ever missed; what
  /// only looks like one, in a quoted text after a comma say, is refused too.
  static func refused(in text: String) -> (what: String, line: Int)? {
    var scan = Scan()
    var scalars = text.unicodeScalars.makeIterator()
    var next = scalars.next()
    while let scalar = next {
      next = scalars.next()
      if let what = scan.take(scalar, before: next) { return (what, scan.line) }
    }
    return nil
  }
}

/// Looks at one character after the other, and knows where a value may begin.
private struct Scan {
  private(set) var line = 1
  /// The last character that is no blank; a line feed at the beginning of a line.
  private var last: Unicode.Scalar = "\n"
  private var followsBlank = true
  /// Whether what stands between blanks began as a tag, after which a value may begin.
  private var isTag = false
  /// Within a comment; a quote in what looks like one may end a text that it lies in.
  private var isComment = false

  /// - Returns: What is refused here.
  mutating func take(_ scalar: Unicode.Scalar, before next: Unicode.Scalar?) -> String? {
    if Self.breaks.contains(scalar) {
      if scalar == "\n" { line += 1 }
      (last, followsBlank, isTag, isComment) = ("\n", true, false, false)
      return nil
    }
    if scalar == " " || scalar == "\t" {
      followsBlank = true
      return nil
    }
    defer { note(scalar) }
    if isComment {
      isComment = scalar != "\"" && scalar != "'"
      return nil
    }
    if scalar == "#", followsBlank {
      isComment = true
      return nil
    }
    guard begins else { return nil }
    switch scalar {
    case "&", "*": return next.map(Self.isInName) == true ? "an anchor or an alias" : nil
    case "?": return next.map { Self.isBlank($0) } ?? true ? "a key with a question mark" : nil
    default: return nil
    }
  }

  private mutating func note(_ scalar: Unicode.Scalar) {
    isTag = followsBlank ? scalar == "!" : isTag
    (last, followsBlank) = (scalar, false)
  }

  /// Whether a value may begin after what was last.
  private var begins: Bool {
    "\n:-?[{,".unicodeScalars.contains(last) || (isTag && followsBlank)
  }

  /// What libyaml takes for the end of a line.
  private static let breaks: Set<Unicode.Scalar> = [
    "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}",
  ]

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || breaks.contains(scalar)
  }

  private static func isInName(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII
      && (scalar.properties.isAlphabetic || "0123456789_-".unicodeScalars.contains(scalar))
  }
}

extension Node {
  /// The whole number that this is; nil for anything else.
  ///
  /// Of base 60, `1:30`, no number is made: sums of many such digits leave what numbers hold.
  var wholeNumber: Int? { isBase60 ? nil : int }

  /// A number by itself, or lists of numbers that are nested alike; nil for anything else.
  var array: (sizes: [Int], numbers: [Double])? {
    if let number = finiteNumber { return ([], [number]) }
    guard let parts = sequence?.map(\.array), let first = parts.first?.flatMap(\.self) else {
      return nil
    }
    var numbers: [Double] = []
    for part in parts {
      guard let part, part.sizes == first.sizes else { return nil }
      numbers += part.numbers
    }
    return ([parts.count] + first.sizes, numbers)
  }

  /// The finite number that this is; nil for anything else.
  var finiteNumber: Double? {
    guard !isBase60, let number = float, number.isFinite else { return nil }
    return number
  }

  private var isBase60: Bool { scalar?.string.contains(":") == true }
}
