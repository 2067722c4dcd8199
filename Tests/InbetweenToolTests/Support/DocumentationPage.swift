// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A page of the documentation, taken apart: what it tells a reader to type, in its order.
struct DocumentationPage: CustomTestStringConvertible {
  /// The page's path in the package.
  let name: String
  let blocks: [Block]
  /// What stands in backticks in its prose.
  let spans: [Passage]
  /// Whether nothing could be read.
  let isEmpty: Bool

  var testDescription: String { name }

  struct Passage {
    let line: Int
    let text: String
  }

  /// Lines between fences, and the language that they are said to be in.
  struct Block {
    let language: String
    let line: Int
    var lines: [String] = []

    var isShell: Bool { ["sh", "bash", "console"].contains(language) }
    var text: String { lines.map { $0 + "\n" }.joined() }
  }

  /// Reads a page; one that cannot be read has nothing on it, and a test says so.
  init(_ name: String) {
    self.name = name
    let text = (try? String(contentsOfFile: packageRoot + "/" + name, encoding: .utf8)) ?? ""
    var (blocks, prose, open): ([Block], [String], Block?) = ([], [], nil)
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      let content = line.drop { $0 == " " }
      if content.hasPrefix("```") {
        if let block = open { blocks.append(block) }
        open =
          open == nil ? Block(language: String(content.dropFirst(3)), line: index + 1) : nil
      } else {
        open?.lines.append(line)
      }
      // Blank where a block is, so that lines are counted and no span reaches across.
      prose.append(open != nil || content.hasPrefix("```") ? "" : line)
    }
    (self.blocks, isEmpty) = (blocks, text.isEmpty)
    spans = Self.spans(of: prose)
  }

  /// Of each paragraph, since what stands in backticks may go on in the next line.
  private static func spans(of lines: [String]) -> [Passage] {
    var spans: [Passage] = []
    var (start, paragraph) = (0, "")
    for (index, line) in (lines + [""]).enumerated() {
      guard line.allSatisfy({ $0 == " " }) else {
        if paragraph.isEmpty { start = index }
        paragraph += line.drop { $0 == " " } + "\n"
        continue
      }
      for match in paragraph.matches(of: /`([^`]+)`/) {
        let before = paragraph[..<match.range.lowerBound].count { $0 == "\n" }
        let text = match.1.replacingOccurrences(of: "\n", with: " ")
        spans.append(Passage(line: start + before + 1, text: text))
      }
      paragraph = ""
    }
    return spans
  }

  /// The lines of its shell blocks, continued ones joined, comments left out.
  var shellLines: [Passage] {
    blocks.filter(\.isShell).flatMap { block in
      var (passages, joined): ([Passage], String) = ([], "")
      for (index, line) in block.lines.enumerated() {
        joined += Self.withoutComment(line)
        if joined.hasSuffix("\\") {
          joined = joined.dropLast() + " "
        } else {
          passages.append(Passage(line: block.line + index + 1, text: joined))
          joined = ""
        }
      }
      return passages.filter { !$0.text.isEmpty }
    }
  }

  /// All that a reader may type: lines of shell blocks, and commands in prose that have arguments.
  var commands: [Passage] {
    let inProse = spans.filter { span in
      guard span.text.hasPrefix("inbetween ") else { return false }
      let isName = span.text.wholeMatch(of: /inbetween [a-z]+( prepare| show)?/) != nil
      return !isName || span.text == "inbetween list"
    }
    return (shellLines + inProse).sorted { $0.line < $1.line }
  }

  private static func withoutComment(_ line: String) -> String {
    var (kept, quote): (String, Character?) = ("", nil)
    for character in line {
      if character == "#", quote == nil, kept.last.map({ $0 == " " }) ?? true { break }
      if character == quote {
        quote = nil
      } else if quote == nil, "'\"".contains(character) {
        quote = character
      }
      kept.append(character)
    }
    return kept.trimmingCharacters(in: .whitespaces)
  }
}

extension DocumentationPage {
  /// Those whose commands are run.
  static let run: [DocumentationPage] = pages {
    ["README.md", "Docs/Protocol.md", "Docs/Reliability.md"].contains($0)
      || $0.hasPrefix("Docs/Guides/")
  }

  /// The others, of which commands are read by the tool, and not run.
  static let others: [DocumentationPage] = pages { name in
    !run.contains { $0.name == name }
  }

  static let all = run + others

  private static func pages(where isWanted: (String) -> Bool) -> [DocumentationPage] {
    let below = FileManager.default.enumerator(atPath: packageRoot + "/Docs")?.allObjects ?? []
    let names = ["README.md"] + below.compactMap { $0 as? String }.map { "Docs/" + $0 }
    return names.filter { $0.hasSuffix(".md") && isWanted($0) }.sorted()
      .map(DocumentationPage.init)
  }
}
