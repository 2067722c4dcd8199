// SPDX-License-Identifier: Apache-2.0

import Specification
import Testing

struct GrammarTests {
  private let grammar = Grammar.made

  private func parse(_ text: String, as role: String = "scheduler") throws -> PartSpec {
    try grammar.parse(text, as: role)
  }

  @Test func shortTextsAreTakenApart() throws {
    #expect(try parse("every:5") == PartSpec("every", ["interval": 5]))
    #expect(
      try parse("budget:0.1,shots:every:10")
        == PartSpec(
          "budget", ["share": 0.1],
          parts: [
            "base": PartSpec(
              "shots", ["overlap": 0.5], parts: ["base": PartSpec("every", ["interval": 10])])
          ]))
    #expect(
      try parse("ladder:0.5/0.7/1,budget=0.1,moved:8").options
        == ["scales": [0.5, 0.7, 1], "budget": 0.1])
    #expect(try parse("ladder:0.5,3,every:4").options == ["scales": [0.5], "interval": 3])
    #expect(
      try parse("codec:rounded,filled", as: "flow").options == ["filled": true, "rounded": true])
    #expect(try parse("warp:previous,zero", as: "propagator").options["border"] == "zero")
    #expect(
      try parse("learned:\"a,b=\\\"c\",rate=0.2").options == ["folder": "a,b=\"c", "rate": 0.2])
  }

  @Test(arguments: [
    ["every:5", "every:interval=5", "every:5.0", "every:5e0"],
    ["moved:rate=0.1", "moved:rate=0.10", "moved:rate=1e-1"],
    ["shots:every:10", "shots:base=every:10", "shots:overlap=0.5,every:10"],
  ])
  func spellingsOfAValueAreEqual(texts: [String]) throws {
    let values = try Set(texts.map { try parse($0) })
    #expect(values.count == 1)
    let literal: PartSpec = "every:5"
    #expect(try grammar.canonical(literal, as: "scheduler") == parse("every:5"))
  }

  @Test func flowsOfOneMeaningAreEqual() throws {
    for texts in [
      ["dis", "dis:medium", "dis:preset=medium"], ["chained:dis", "chained:dis:medium"],
    ] {
      #expect(try Set(texts.map { try parse($0, as: "flow") }).count == 1)
    }
  }

  @Test(arguments: [
    ("evry:5", "did you mean 'every'"), ("every", "needs a whole number of at least 1"),
    ("every:0", "not '0'"), ("every:5,6", "takes no '6'"), ("every:5,interval=6", "twice"),
    ("every:", "nothing after its colon"), ("moved:8,rate=0.1", "either"), ("moved", "either"),
    ("moved:rate=inf", "not 'inf'"), ("moved:rat=0.1", "did you mean 'rate'"),
    ("shots", "needs a scheduler"), ("shots:evry:5", "no scheduler 'evry'"),
    ("still-every:5", "now called 'every'"), ("learned:\"a", "not closed"),
    ("", "no scheduler ''"), (":", "no scheduler ''"),
  ])
  func whatIsWrongIsTold(text: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) { try parse(text) }
    #expect(error.message.contains(complaint), "\(error.message)")
    #expect(!error.message.contains("\n"))
  }

  @Test func textThatIsTooDeepOrTooLongIsRefused() throws {
    for (text, role) in [
      (String(repeating: "chained:", count: 100) + "dis", "flow"),
      (String(repeating: "shots:", count: 20_000) + "every:5", "scheduler"),
      (String(repeating: "a", count: 1 << 20), "scheduler"),
    ] {
      #expect(throws: SpecificationError.self) { try grammar.parse(text, as: role) }
    }
    let deep = String(repeating: "chained:", count: 31) + "dis"
    #expect(try grammar.text(of: parse(deep, as: "flow"), as: "flow") == deep + ":medium")
  }

  // Ten thousand values of every kind, nasty texts among them: what is printed is read as the same
  // value.
  @Test func whatIsPrintedIsReadAsTheSameValue() throws {
    var random = SpecMaker(seed: 7)
    var kinds: Set<String> = []
    for _ in 0..<10_000 {
      let role = ["scheduler", "flow", "propagator"].randomElement(using: &random.numbers) ?? ""
      let spec = try grammar.canonical(random.spec(of: role, in: grammar), as: role)
      kinds.insert("\(role) \(spec.kind)")
      let short = grammar.text(of: spec, as: role)
      #expect(try grammar.parse(short, as: role) == spec, "\(short)")
      #expect(try grammar.parse("\(spec)", as: role) == spec, "\(spec)")
    }
    let all = ["scheduler", "flow", "propagator"].flatMap { role in
      grammar.descriptors(of: role).map { "\(role) \($0.kind)" }
    }
    #expect(kinds == Set(all))
  }
}
