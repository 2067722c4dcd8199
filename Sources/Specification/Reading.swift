// SPDX-License-Identifier: Apache-2.0

/// A part while its options are read: what is known of them so far.
struct Reading {
  let descriptor: PartDescriptor
  private let role: String
  var spec: PartSpec

  init(_ descriptor: PartDescriptor, as role: String) {
    (self.descriptor, self.role) = (descriptor, role)
    spec = PartSpec(descriptor.kind)
  }

  /// The next option that may be given by its place.
  var nextPositional: OptionSpec? {
    descriptor.options.first { $0.isPositional && spec.options[$0.name] == nil }
  }

  /// Whether a bare word is a flag, or a choice that tells by itself which option it is.
  func isWord(_ text: String) -> Bool { option(ofWord: text) != nil }

  private func option(ofWord text: String) -> OptionSpec? {
    descriptor.options.first { option in
      switch option.kind {
      case .flag: option.name == text
      case .choice(let words): words.contains(text)
      default: false
      }
    }
  }

  /// Takes one argument of a short text.
  mutating func read(_ argument: Substring) throws(SpecificationError) {
    if let (name, value) = ShortText.assignment(argument) {
      if let option = descriptor.option(name) {
        return try assign(option, try ShortText.unquoted(value))
      }
      guard let next = nextPositional, next.takesText else { throw unknown(name) }
    }
    if !ShortText.isQuoted(argument), let option = option(ofWord: String(argument)) {
      if case .flag = option.kind { return try assign(option, "true") }
      return try assign(option, String(argument))
    }
    guard let next = nextPositional else {
      throw complaint("takes no '\(argument.prefix(80))'")
    }
    try assign(next, try ShortText.unquoted(argument))
  }

  private mutating func assign(
    _ option: OptionSpec, _ text: String
  ) throws(SpecificationError) {
    guard spec.options[option.name] == nil else {
      throw complaint("is given its \(option.name) twice")
    }
    guard let value = option.kind.value(ofText: text) else {
      throw complaint("needs \(option.kind.wanted) for \(option.name), not '\(text.prefix(80))'")
    }
    spec.options[option.name] = value
  }

  /// Takes an option by its name.
  mutating func set(_ name: String, _ value: OptionValue) throws(SpecificationError) {
    guard let option = descriptor.option(name) else { throw unknown(name) }
    guard let fitting = option.kind.value(of: value) else {
      throw complaint(
        "needs \(option.kind.wanted) for \(name), not '\(ShortText.value(value).prefix(80))'")
    }
    spec.options[name] = fitting
  }

  /// The spec with its defaults, once all that must be given is.
  func finished() throws(SpecificationError) -> PartSpec {
    var spec = spec
    for option in descriptor.options where spec.options[option.name] == nil {
      if option.isRequired { throw complaint("needs \(option.kind.wanted) for \(option.name)") }
      spec.options[option.name] = option.standard
    }
    if let slot = descriptor.slot, spec.parts[slot.name] == nil {
      throw complaint("needs a \(slot.role)")
    }
    do throws(InvalidOption) { try descriptor.validate(ResolvedOptions(spec)) } catch {
      throw complaint(error.message)
    }
    return spec
  }

  func complaint(_ message: String) -> SpecificationError {
    SpecificationError(.badValue, "the \(role) \(descriptor.usage) \(message)")
  }

  func unknown(_ name: String) -> SpecificationError {
    if let renamed = descriptor.options.first(where: { $0.formerNames.contains(name) }) {
      return complaint("calls '\(name)' now '\(renamed.name)'")
    }
    let known = descriptor.options.map(\.name) + (descriptor.slot.map { [$0.name] } ?? [])
    guard !known.isEmpty else { return complaint("takes no options, and '\(name)' was given") }
    return SpecificationError(
      .unknownOption,
      "the \(role) \(descriptor.usage) has no option '\(name.prefix(80))'; "
        + suggestion(for: name, among: known))
  }
}

extension OptionSpec {
  /// Whether any text will do.
  fileprivate var takesText: Bool {
    switch kind {
    case .text, .path: true
    default: false
    }
  }
}

extension OptionSpec.Kind {
  /// What a text stands for; nil where it is none of these.
  func value(ofText text: String) -> OptionValue? {
    switch self {
    case .flag: ["true": .bool(true), "false": .bool(false)][text]
    case .integer, .number: Double(text).flatMap { $0.isFinite ? value(of: OptionValue($0)) : nil }
    case .text, .path, .choice: value(of: .text(text))
    case .list(let element):
      value(
        of: .list(
          text.split(separator: "/", omittingEmptySubsequences: false).map {
            element.value(ofText: String($0)) ?? .list([])
          }))
    }
  }

  /// The value in this option's own type; nil where it is none of these.
  func value(of value: OptionValue) -> OptionValue? {
    switch (self, value) {
    case (.flag, .bool): return value
    case (.integer(let range), .integer(let integer)):
      return range.contains(integer) ? value : nil
    case (.number(let range, let above), .integer), (.number(let range, let above), .number):
      guard let number = value.asNumber, range.contains(number),
        !above || number > range.lowerBound
      else { return nil }
      return OptionValue(number)
    case (.text, .text(let text)), (.path, .text(let text)):
      return text.isEmpty ? nil : value
    case (.text, .integer), (.path, .integer), (.text, .number), (.path, .number):
      return .text(ShortText.value(value))
    case (.choice(let words), .text(let text)): return words.contains(text) ? value : nil
    case (.list(let element), .list(let values)):
      let fitting = values.compactMap { element.value(of: $0) }
      return values.isEmpty || fitting.count != values.count ? nil : .list(fitting)
    case (.list(let element), _): return element.value(of: value).map { .list([$0]) }
    default: return nil
    }
  }

  /// What is wanted, in words.
  var wanted: String {
    switch self {
    case .flag: return "true or false"
    case .integer(let range):
      return range.upperBound >= 1_000_000_000
        ? "a whole number of at least \(range.lowerBound)"
          + (range.upperBound < .max ? " and not above \(range.upperBound)" : "")
        : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range, let above):
      let lower = OptionValue(range.lowerBound), upper = range.upperBound
      let least = "\(above ? "above" : "of at least") \(ShortText.value(lower))"
      return upper >= .greatestFiniteMagnitude
        ? "a number \(least)"
        : "a number \(least) and not above \(ShortText.value(OptionValue(upper)))"
    case .text: return "text"
    case .path: return "a file or folder"
    case .choice(let words): return "one of \(words.joined(separator: ", "))"
    case .list(let element): return "values with slashes between them, each \(element.wanted),"
    }
  }
}
