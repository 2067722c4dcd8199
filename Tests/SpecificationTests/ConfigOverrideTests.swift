// SPDX-License-Identifier: Apache-2.0

import Specification
import Testing

struct ConfigOverrideTests {
  private let yaml = """
    batch: 4
    scales: [0.5, 1]
    stages:
      - {name: first, steps: 10, rates: {head: 0.1}}
      - {name: second, steps: 20}
    """

  private func changed(_ text: String) throws -> ConfigNode {
    var root = try ConfigNode(yaml: yaml, file: "given")
    try ConfigOverride(text).apply(to: &root) { _, _ throws(SpecificationError) in nil }
    return root
  }

  @Test(arguments: [
    (
      "stages.0.steps=3",
      "stages: [{name: first, steps: 3, rates: {head: 0.1}}, {name: second, steps: 20}]"
    ),
    (
      "stages.0.rates.head=1",
      "stages: [{name: first, steps: 10, rates: {head: 1}}, {name: second, steps: 20}]"
    ),
    (
      "+stages.1.clip=5",
      "stages: [{name: first, steps: 10, rates: {head: 0.1}}, {name: second, steps: 20, clip: 5}]"
    ),
    ("~stages.0", "stages: [{name: second, steps: 20}]"),
    ("scales.1=2", "scales: [0.5, 2]"), ("+scales.2=4", "scales: [0.5, 1, 4]"),
    ("++scales.0=3", "scales: [3, 1]"),
  ]) func valuesOfAListAreReachedByNumber(text: String, expected: String) throws {
    let (root, wanted) = (try changed(text), try ConfigNode(yaml: expected, file: "wanted"))
    for entry in wanted.entries {
      #expect(root[entry.key].map(plain) == plain(entry.node))
    }
    #expect(root["batch"].map(plain) == "4")
  }

  @Test(arguments: [
    ("stages.2.steps=3", "'stages' is a list of 2, numbered from 0: there is no '2'"),
    ("stages.first.steps=3", "there is no 'first'"), ("stages.-1=3", "there is no '-1'"),
    ("scales.2=4", "there is no '2'"), ("+scales.3=4", "there is no '3'"),
    ("+scales.0=4", "is there already"), ("scales.0.1=4", "has no keys of its own"),
    ("~scales.2", "there is no '2'"), ("stages.0.rate=1", nil), ("optimizer.rate=1", "is not said"),
  ]) func whatIsNotThereIsSaid(text: String, complaint: String?) throws {
    guard let complaint else {
      #expect(try changed(text)["stages"] != nil)
      return
    }
    let error = try #require(throws: SpecificationError.self) { try changed(text) }
    #expect(error.message.contains(complaint), "\(error.message)")
  }

  /// A tree without the places where its values stand.
  private func plain(_ node: ConfigNode) -> String {
    switch node.value {
    case .null: "null"
    case .scalar(let value): value.text
    case .list(let values): "[\(values.map(plain).joined(separator: ", "))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.key): \(plain($0.node))" }.joined(separator: ", "))}"
    }
  }
}
