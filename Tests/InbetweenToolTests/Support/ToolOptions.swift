// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// The commands of the tool and their options, as it tells them itself.
struct ToolOptions {
  /// By command, such as `eval` and `config show`; those of the tool itself under the empty name.
  let options: [String: Set<String>]

  var all: Set<String> { options.values.reduce([]) { $0.union($1) } }

  private struct Dump: Decodable { let command: Command }

  private struct Command: Decodable {
    let commandName: String
    let arguments: [Argument]?
    let subcommands: [Command]?
  }

  private struct Argument: Decodable {
    let names: [Name]?
    let shouldDisplay: Bool
  }

  private struct Name: Decodable { let kind: String, name: String }

  init() throws {
    let outcome = try Scratch().inbetween("--experimental-dump-help")
    let dump = try JSONDecoder().decode(Dump.self, from: Data(outcome.out.utf8))
    var options: [String: Set<String>] = [:]
    func add(_ command: Command, as name: String) {
      options[name] = Set(
        (command.arguments ?? []).filter(\.shouldDisplay).flatMap { $0.names ?? [] }
          .map { ($0.kind == "short" ? "-" : "--") + $0.name })
      for other in command.subcommands ?? [] {
        add(other, as: (name + " " + other.commandName).trimmingCharacters(in: .whitespaces))
      }
    }
    add(dump.command, as: "")
    self.options = options
  }

  /// The command that words begin with, and the words after it; nil where there is none.
  func command(of words: ArraySlice<Substring>) -> (name: String, rest: ArraySlice<Substring>)? {
    for count in [2, 1] where words.count >= count {
      let name = words.prefix(count).joined(separator: " ")
      if options[name] != nil { return (name, words.dropFirst(count)) }
    }
    return nil
  }
}

/// The options among words, without values that are joined to them.
func options(in words: some Sequence<Substring>) -> [String] {
  words.compactMap { word in
    word.firstMatch(of: /^(?:\[|\()?(--[a-z][a-z-]*|-[a-z]\b)/).map { String($0.1) }
  }
}
