// SPDX-License-Identifier: Apache-2.0

import Specification

extension Grammar {
  /// A grammar with kinds of every shape.
  static let made: Grammar = {
    var grammar = Grammar()
    let base = PartSlot("base", role: "scheduler")
    let scale = OptionSpec.Kind.number(0...1, above: true)
    func score(_ kind: String, _ options: [OptionSpec] = []) -> PartDescriptor {
      PartDescriptor(
        kind, "a score",
        options: options + [
          .optional("threshold", .number(0...Double.greatestFiniteMagnitude, above: true)),
          .optional("rate", scale, positional: false),
        ]
      ) { options throws(InvalidOption) in
        guard (options["threshold"] == nil) != (options["rate"] == nil) else {
          throw InvalidOption("needs either a threshold or a rate")
        }
      }
    }
    for descriptor in [
      PartDescriptor(
        "every", "every N frames", options: [.required("interval", .integer(1...Int.max))],
        formerNames: ["still-every"]),
      score("moved"), score("features", [.required("stage", .text)]),
      score("learned", [.required("folder", .path)]),
      PartDescriptor("random", "random", options: [.required("rate", scale)]),
      PartDescriptor("codec", "codec", options: [.optional("longest", .integer(1...1000))]),
      PartDescriptor(
        "shots", "shots",
        options: [.optional("overlap", .number(0...1), standard: 0.5, positional: false)],
        slot: base),
      PartDescriptor("budget", "budget", options: [.required("share", scale)], slot: base),
      PartDescriptor(
        "ladder", "ladder",
        options: [
          .required("scales", .list(scale)), .optional("interval", .integer(1...100)),
          .optional("budget", scale, positional: false),
        ], slot: base),
    ] { grammar.add(descriptor, to: "scheduler") }
    for descriptor in [
      PartDescriptor(
        "dis", "dis",
        options: [
          .optional("preset", .choice(["ultrafast", "fast", "medium"]), standard: "medium")
        ]),
      PartDescriptor("codec", "codec", options: [.flag("filled"), .flag("rounded")]),
      PartDescriptor("flownet", "flownet", options: [.required("folder", .path)]),
      PartDescriptor("chained", "chained", slot: PartSlot("base", role: "flow")),
    ] { grammar.add(descriptor, to: "flow") }
    for descriptor in [
      PartDescriptor("copy", "copy"),
      PartDescriptor(
        "warp", "warp",
        options: [
          .optional(
            "reference", .choice(["keyframe", "previous"]), standard: "keyframe",
            positional: false),
          .optional("border", .choice(["clamp", "zero"]), standard: "clamp", positional: false),
        ]),
    ] { grammar.add(descriptor, to: "propagator") }
    return grammar
  }()
}

/// SplitMix64: the same numbers on every machine.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Draws specs of every kind of a grammar.
struct SpecMaker {
  var numbers: Numbers

  init(seed: UInt64) { numbers = Numbers(state: seed) }

  private static let texts = [
    "Models/a", "a,b", "a=b", "\"", "\\", "a\\\"b", " lead", "tail ", "every", "every:5", "zero",
    "filled", "a\nb", "a\tb", "ä…🎞", "5", "0.1", "rate=0.5", "true", ":", "x:y", "base=every:5",
  ]

  mutating func spec(of role: String, in grammar: Grammar, depth: Int = 0) -> PartSpec {
    let all = grammar.descriptors(of: role).filter { depth < 6 || $0.slot == nil }
    guard let descriptor = all.randomElement(using: &numbers) else { return "" }
    var spec = PartSpec(descriptor.kind)
    for option in descriptor.options where option.isRequired || Bool.random(using: &numbers) {
      spec.options[option.name] = value(of: option.kind)
    }
    if descriptor.option(named: "threshold") {
      spec.options[Bool.random(using: &numbers) ? "rate" : "threshold"] = nil
      if spec.options["rate"] == nil && spec.options["threshold"] == nil {
        spec.options["threshold"] = OptionValue(Double.random(in: 0.001...50, using: &numbers))
      }
    }
    if let slot = descriptor.slot {
      spec.parts[slot.name] = self.spec(of: slot.role, in: grammar, depth: depth + 1)
    }
    return spec
  }

  private mutating func value(of kind: OptionSpec.Kind) -> OptionValue {
    switch kind {
    case .flag: return .bool(Bool.random(using: &numbers))
    case .integer(let range):
      return .integer(
        Int.random(in: range.lowerBound...min(range.upperBound, 1 << 40), using: &numbers))
    case .number(let range, _):
      let upper = min(range.upperBound, 1e6)
      return OptionValue(Double.random(in: range.lowerBound.nextUp...upper, using: &numbers))
    case .text, .path: return .text(Self.texts.randomElement(using: &numbers) ?? "a")
    case .choice(let words): return .text(words.randomElement(using: &numbers) ?? "")
    case .list(let element):
      return .list((0..<Int.random(in: 1...4, using: &numbers)).map { _ in value(of: element) })
    }
  }
}

extension PartDescriptor {
  fileprivate func option(named name: String) -> Bool { options.contains { $0.name == name } }
}
