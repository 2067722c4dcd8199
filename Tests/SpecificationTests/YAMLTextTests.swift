// SPDX-License-Identifier: Apache-2.0

import Specification
import Testing

/// Text that would keep a YAML parser busy for ever, or make it stop, is refused before it is
/// parsed.
struct YAMLTextTests {
  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      // Aliases of aliases as keys, hidden from a reader that believes in quotes and comments.
      "? *b\n: 1", "? *b : 1", "? [a#, *b]\n: 1", "x: y -\"\n? *b\n: 1", "x: |\n  \"\n? *b\n: 1",
      "{x: \"a #\", *b : 1}", "x: 1\u{2028}*b : 2", "x: 1\u{85}*b : 2", "x: 1\r*b : 2",
      "{\"k\":*b}", "[1,*b]", "- *b", "--- *b", "x: !!seq &c [1]",
      // A key that is a tree, level in level.
      "? ? ? a\n", "? [a]\n: 1", "x:\n  ?\ta",
    ])
  func aliasesAndKeysThatAreTreesAreRefused(text: String) {
    let nine = "[\(Array(repeating: "*a0", count: 9).joined(separator: ","))]"
    for whole in [text, "a0: &a0 [x]\nb: &b \(nine)\n\(text)\n"] {
      #expect(throws: SpecificationError.self) { try ConfigNode(yaml: whole, file: "f") }
      #expect(throws: SpecificationError.self) { try DescriptionReader(yaml: whole) }
    }
  }

  @Test(arguments: [
    "x: a*b", "x: a &b", "x: a & b", "x: 'clip/*.png'", "x: \"*.png\"", "x: clips/*/*.png # *all*",
    "x: what? yes", "# - *strong*\nx: 1", "x: 3 * 4", "x: [a*, b&]",
  ])
  func whatOnlyLooksLikeThemIsRead(text: String) throws {
    #expect(try ConfigNode(yaml: text, file: "f")["x"] != nil)
  }

  /// Sums of digits of base 60 leave what an integer holds.
  @Test(arguments: ["1:1:1:1:1:1:1:1:1:1:1:1:1", "59:59:59:59:59:59:59:59:59:59:59:59", "-1:30"])
  func digitsOfBaseSixtyAreNoNumbers(text: String) throws {
    let node = try ConfigNode(yaml: "x: \(text)", file: "f")
    #expect(node["x"]?.value == .scalar(.text(text)))
    let reader = try DescriptionReader(yaml: "x: \(text)\ny: [\(text), 1]")
    #expect(throws: SpecificationError.self) { try reader.integer("x", in: 0...10) }
    #expect(throws: SpecificationError.self) { try reader.number("x") }
    #expect(throws: SpecificationError.self) { try reader.integers("y", in: 0...10) }
  }

  // Quoted, a name is a text; as it stands, it may be a number to YAML. It is the same name.
  @Test(arguments: ["1", "true", "null", "~", "1.5", "a b"])
  func keysMayBeQuoted(key: String) throws {
    for text in [key, "\"\(key)\"", "'\(key)'"] {
      let reader = try DescriptionReader(yaml: "{\(text): 2, other: [[1, 2], [3, 4.5]]}")
      #expect(reader.has(key) && reader.keys.contains(key))
      #expect(try reader.number(key) == 2)
      #expect(try reader.array(key).numbers == [2])
      let array = try reader.array("other")
      #expect(array.sizes == [2, 2] && array.numbers == [1, 2, 3, 4.5])
    }
  }

  @Test func countsBeyondAnyUseAreRefused() throws {
    var grammar = Grammar()
    grammar.add(PartDescriptor("n", "n", options: [.required("count", .count)]), to: "x")
    #expect(try grammar.parse("n:1000000000", as: "x").options["count"] == 1_000_000_000)
    for text in ["9223372036854775807", "1000000001", "1e18"] {
      #expect(throws: SpecificationError.self) { try grammar.parse("n:\(text)", as: "x") }
    }
    let given = PartSpec("n", ["count": .integer(.max)])
    #expect(throws: SpecificationError.self) { try grammar.canonical(given, as: "x") }
  }
}
