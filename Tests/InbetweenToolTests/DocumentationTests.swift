// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What the documentation tells a reader to type, typed.
///
/// Commands of a page run in its order in one folder, in which `DocumentedCommands` provides what
/// the page takes for granted. Nothing is left out: a new command is run, or the test fails.
struct DocumentationTests {
  @Test func everyPageIsRead() {
    let names = DocumentationPage.run.map(\.name)
    #expect(names.contains("README.md") && names.contains("Docs/Guides/Recipes.md"))
    #expect(DocumentationPage.others.contains { $0.name == "Docs/Architecture.md" })
    for page in DocumentationPage.all {
      #expect(!page.isEmpty, "\(page.name) cannot be read")
    }
  }

  @Test(arguments: DocumentationPage.run)
  func whatAPageSaysWorks(page: DocumentationPage) throws {
    let commands = page.commands.filter { DocumentedCommands.reasonNotToRun($0.text) == nil }
    guard !commands.isEmpty else { return }
    let scratch = try Scratch()
    try prepare(scratch, for: page)
    for command in commands {
      let line = DocumentedCommands.line(for: command.text)
      try provide(for: line, in: scratch)
      let begin = Date(timeIntervalSinceNow: -1)
      let outcome = try Running(
        "/bin/bash", ["-e", "-o", "pipefail", "-c", line], in: scratch.path,
        environment: ["PATH": scratch("bin") + ":/usr/bin:/bin"]
      ).wait()
      #expect(outcome.code == 0, "\(page.name):\(command.line): \(line)\n\(outcome.err)")
      for output in DocumentedCommands.outputs(of: line) {
        #expect(
          scratch.wasWritten(output, since: begin),
          "\(page.name):\(command.line): \(line)\nleft no \(output)")
      }
    }
  }

  /// The program by the names that pages give it, the models, and the files that the page shows.
  private func prepare(_ scratch: Scratch, for page: DocumentationPage) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: scratch("bin"), withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: scratch("bin/inbetween"), withDestinationPath: program)
    try files.createSymbolicLink(atPath: scratch("Models"), withDestinationPath: modelFolder)
    for block in page.blocks where block.language == "yaml" {
      guard let name = block.fileName else { continue }
      let folder = URL(fileURLWithPath: scratch(name)).deletingLastPathComponent()
      try files.createDirectory(at: folder, withIntermediateDirectories: true)
      try scratch.write(DocumentedCommands.reduced(file: block.text), to: name)
    }
  }

  private func provide(for line: String, in scratch: Scratch) throws {
    let outputs = DocumentedCommands.outputs(of: line)
    for (name, make) in DocumentedCommands.fixtures
    where line.names(name) && !outputs.contains(name) && !scratch.has(name) {
      try make(scratch)
    }
  }

  @Test func everyLineOfAShellIsKnown() throws {
    for page in DocumentationPage.run {
      for passage in page.shellLines where DocumentedCommands.reasonNotToRun(passage.text) == nil {
        let known = /(.* \| )?(my-)?inbetween .*|cp .*/
        #expect(
          try known.wholeMatch(in: passage.text) != nil, "\(page.name):\(passage.line): \(passage)")
      }
    }
    for page in DocumentationPage.all {
      for block in page.blocks where !block.isShell && block.language != "swift" {
        #expect(
          !block.text.contains(/(^|\| |\n)(inbetween|Scripts\/|Benchmarks\/)/),
          "\(page.name):\(block.line): commands stand in a block that says sh")
      }
    }
  }

  @Test func nothingIsProvidedThatNoPageAsksFor() {
    let commands = DocumentationPage.run.flatMap(\.commands).map(\.text)
    for text in DocumentedCommands.unrun.keys {
      #expect(commands.contains(text), "\(text) is not documented any more")
    }
    for (text, _) in DocumentedCommands.standIns {
      #expect(commands.contains { $0.names(text) }, "no command has \(text)")
    }
    let lines = commands.map(DocumentedCommands.line)
    for (name, _) in DocumentedCommands.fixtures {
      #expect(lines.contains { $0.names(name) }, "no command reads \(name)")
    }
    for (command, _) in DocumentedCommands.reductions {
      #expect(lines.contains { $0.contains("inbetween \(command) ") }, "\(command) is not run")
    }
  }

  @Test func scriptsThatAreNamedAreThere() {
    for page in DocumentationPage.all {
      for passage in page.shellLines + page.spans {
        guard let first = passage.text.split(separator: " ").first,
          first.hasPrefix("Scripts/") || first.hasPrefix("Benchmarks/")
        else { continue }
        let path = packageRoot + "/" + first.drop { $0 == "`" }
        let isThere = FileManager.default.fileExists(atPath: path)
        #expect(isThere, "\(page.name):\(passage.line): \(first)")
        if first.hasPrefix("Scripts/") {
          #expect(FileManager.default.isExecutableFile(atPath: path), "\(first)")
        }
      }
    }
  }

  /// Options that belong to other programs.
  private static let ofOthers: Set = [
    "--filter", "--package-path", "--peer", "--product", "--only", "--no-install-recommends",
    "--torch", "--own", "--network", "--masks", "--plot",
  ]

  @Test func optionsThatAreNamedExist() throws {
    let tool = try ToolOptions()
    var seen: Set<String> = []
    for page in DocumentationPage.all {
      for passage in page.shellLines + page.spans {
        let words = passage.text.split(separator: " ")[...]
        let isTool = ["inbetween", "my-inbetween"].contains(words.first)
        let command = tool.command(of: isTool ? words.dropFirst() : words)
        #expect(
          !isTool || command != nil || words.dropFirst().first?.hasPrefix("-") != false,
          "\(page.name):\(passage.line): \(passage.text)")
        let known = command.flatMap { tool.options[$0.name] } ?? tool.all
        for option in options(in: command?.rest ?? words) where option.hasPrefix("--") {
          seen.insert(option)
          #expect(
            known.contains(option) || (command == nil && Self.ofOthers.contains(option)),
            "\(page.name):\(passage.line): \(passage.text): no option \(option)")
        }
      }
    }
    #expect(Self.ofOthers.isSubset(of: seen) && Self.ofOthers.isDisjoint(with: tool.all))
  }

  // What took hours is not repeated: the tool says what it would run.
  @Test(arguments: DocumentationPage.others)
  func experimentsOfOtherPagesAreUnderstood(page: DocumentationPage) throws {
    let (tool, scratch) = (try ToolOptions(), try Scratch())
    try prepare(scratch, for: page)
    let shown = try #require(tool.options["config show"])
    for command in page.commands {
      var words = command.text.split(separator: " ")
      guard words.count > 2, words[0] == "inbetween" else { continue }
      if words[1] == "train" { #expect(scratch.has(String(words[2])), "\(command)") }
      guard ["eval", "run"].contains(words[1]) else { continue }
      // Without the options that say how it is measured.
      words = words.filter { $0 != "…" && $0 != "--agreement" }
      while let index = words.firstIndex(where: {
        $0.hasPrefix("--") && !shown.contains(String($0))
      }) { words.removeSubrange(index...min(index + 1, words.count - 1)) }
      // What a run labels is no part of its specification.
      words.removeFirst(words[1] == "run" ? 3 : 2)
      let outcome = try scratch.inbetween("config show " + words.joined(separator: " "))
      #expect(outcome.code == 0, "\(page.name):\(command.line): \(command.text)\n\(outcome.err)")
    }
  }
}

extension DocumentationPage.Block {
  /// The file that a page shows: named in its first line, or the specification of a named folder.
  fileprivate var fileName: String? {
    if let match = lines.first?.wholeMatch(of: /# (\S+\.yaml)/) { return String(match.1) }
    let name = lines.first?.wholeMatch(of: /name: (\S+)/)?.1
    return name.map { "\($0)/spec.yaml" }
  }
}

extension Scratch {
  /// Whether there is such a file, not an empty one, or a folder, as new as that.
  fileprivate func wasWritten(_ name: String, since begin: Date) -> Bool {
    let found = try? FileManager.default.attributesOfItem(atPath: self(name))
    guard let found, let changed = found[.modificationDate] as? Date, changed >= begin else {
      return false
    }
    return found[.type] as? FileAttributeType == .typeDirectory
      || (found[.size] as? Int ?? 0) > 0
  }
}
