// SPDX-License-Identifier: Apache-2.0

import Foundation
import Specification
import Testing

struct CodingTests {
  private let grammar = Grammar.made

  @Test func jsonKeepsTheValue() throws {
    var random = SpecMaker(seed: 3)
    for _ in 0..<2000 {
      let spec = try grammar.canonical(random.spec(of: "scheduler", in: grammar), as: "scheduler")
      let data = try JSONEncoder().encode(spec)
      #expect(try JSONDecoder().decode(PartSpec.self, from: data) == spec)
    }
  }

  @Test func aPartIsAFlatMappingOrAText() throws {
    let json = #"{"kind": "shots", "overlap": 0.25, "base": {"kind": "every", "interval": 10.0}}"#
    let spec = try JSONDecoder().decode(PartSpec.self, from: Data(json.utf8))
    #expect(
      try grammar.canonical(spec, as: "scheduler")
        == grammar.parse("shots:overlap=0.25,every:10", as: "scheduler"))
    let text = try JSONDecoder().decode([PartSpec].self, from: Data(#"["every:5"]"#.utf8))
    #expect(try grammar.canonical(text[0], as: "scheduler") == PartSpec("every", ["interval": 5]))
  }

  @Test func numbersHaveOneForm() {
    #expect(OptionValue(8.0) == 8 && OptionValue(0.5) == .number(0.5))
    #expect(Set([OptionValue(3.0), 3, OptionValue(3e0)]).count == 1)
  }
}
