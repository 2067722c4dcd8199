// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Recipes
internal import Specification

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show specifications, and what they may say.",
    subcommands: [Show.self, Schema.self])

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print the specification that a file, overrides and options come to, as YAML.",
      discussion: "Every part is in its one form, with its defaults. Nothing is loaded.")

    @Argument(help: "The clip, as for eval.")
    var data: String?

    @OptionGroup var parts: PartOptions

    private var own: [(key: String, value: OptionValue)] {
      data.map { [("data", .text($0))] } ?? []
    }

    func run() throws {
      let spec = try parts.validated(own)
      print("# specification \(spec.fingerprint)")
      print(try ConfigNode(encoding: spec).ordered(by: ExperimentSpec.keys).yaml, terminator: "")
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "schema", abstract: "Print a JSON Schema of specifications, for editors.")

    func run() throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let schema = ExperimentSpec.schema(in: Parts.registries)
      print(String(decoding: try encoder.encode(schema), as: UTF8.self))
    }
  }
}

extension ConfigNode {
  /// The mapping with its keys in this order.
  func ordered(by keys: [String]) -> ConfigNode {
    var result = ConfigNode.empty
    for key in keys { result[key] = self[key] }
    return result
  }
}
