// SPDX-License-Identifier: Apache-2.0

/// An option of a part: its name, what it may be, and how it is written.
public struct OptionSpec: Sendable {
  /// What an option may be.
  public indirect enum Kind: Sendable {
    /// True where its name is given.
    case flag
    /// A whole number of a range.
    case integer(ClosedRange<Int>)
    /// A number of a range; `above` leaves the lower bound out.
    case number(ClosedRange<Double>, above: Bool = false)
    /// Any text.
    case text
    /// A file or a folder.
    case path
    /// One of these words.
    case choice([String])
    /// Several values, with slashes between them.
    case list(Kind)
  }

  /// The name as a key and in short texts.
  public let name: String
  /// What values it may have.
  public let kind: Kind
  /// What it is where it is not given; nil where it must be given, or may be left out.
  public let standard: OptionValue?
  /// Whether a part without it is refused.
  public let isRequired: Bool
  /// Whether it may be given by its place, without its name.
  public let isPositional: Bool
  /// What stands for it in help: `N`, `PIXELS`.
  public let placeholder: String
  /// What it was called before.
  public let formerNames: [String]

  private init(
    _ name: String, _ kind: Kind, standard: OptionValue?, isRequired: Bool, isPositional: Bool,
    placeholder: String?, formerNames: [String]
  ) {
    (self.name, self.kind, self.standard) = (name, kind, standard)
    (self.isRequired, self.isPositional) = (isRequired, isPositional)
    (self.placeholder, self.formerNames) = (placeholder ?? name.uppercased(), formerNames)
  }

  /// An option that must be given, by its place or by its name.
  public static func required(
    _ name: String, _ kind: Kind, placeholder: String? = nil, formerNames: [String] = []
  ) -> OptionSpec {
    OptionSpec(
      name, kind, standard: nil, isRequired: true, isPositional: true, placeholder: placeholder,
      formerNames: formerNames)
  }

  /// An option that may be left out, and is then `standard` or nothing.
  public static func optional(
    _ name: String, _ kind: Kind, standard: OptionValue? = nil, positional: Bool = true,
    placeholder: String? = nil, formerNames: [String] = []
  ) -> OptionSpec {
    OptionSpec(
      name, kind, standard: standard, isRequired: false, isPositional: positional,
      placeholder: placeholder, formerNames: formerNames)
  }

  /// An option that is true where its name is given.
  public static func flag(_ name: String) -> OptionSpec {
    OptionSpec(
      name, .flag, standard: false, isRequired: false, isPositional: false, placeholder: name,
      formerNames: [])
  }
}

extension OptionSpec.Kind {
  /// A share: above 0 and not above 1.
  public static let share = Self.number(0...1, above: true)
  /// A whole number of at least 1, of frames say; a thousand million is more than anybody counts.
  public static let count = Self.integer(1...1_000_000_000)
}

/// A place for another part inside a part.
public struct PartSlot: Sendable {
  /// Its name as a key: `base`.
  public let name: String
  /// The role of what fills it: `scheduler`.
  public let role: String

  /// A place called `name`, to be filled by a part of `role`.
  public init(_ name: String, role: String) { (self.name, self.role) = (name, role) }
}

/// What is wrong with a part's options: "needs a rate or a threshold".
public struct InvalidOption: Error, Hashable {
  /// What is wrong, as the end of a sentence that begins with the part.
  public let message: String
  /// A complaint that ends a sentence which begins with the part.
  public init(_ message: String) { self.message = message }
}

/// What a part cannot do without: an open set.
public struct PartRequirement: RawRepresentable, Hashable, Sendable {
  /// What is needed, as messages name it.
  public let rawValue: String
  /// A requirement of anyone's, by what messages call it.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Labels of the clip that it runs on.
  public static let labels = PartRequirement(rawValue: "labels")
  /// Stages of the backbone after the tap, or a fusion.
  public static let stagesAfterTap = PartRequirement(rawValue: "stages after the tap")
  /// The stage of the backbone that it was trained for, which it names itself.
  public static let ownTap = PartRequirement(rawValue: "its own tap")
  /// A propagator of predictions, as of boxes, in the place of one of features.
  public static let propagatedObjects = PartRequirement(rawValue: "propagated boxes")
  /// A propagator that reads the key frame itself, not the frame before.
  public static let directPropagation = PartRequirement(rawValue: "direct propagation")
}

/// A kind of part: its name, its options, what it is made of.
public struct PartDescriptor: Sendable {
  /// The name in the registry and in texts.
  public let kind: String
  /// What it does, in a few words for help.
  public let summary: String
  /// Its options; those given by place are in this order.
  public let options: [OptionSpec]
  /// The place for a part inside it; nil where it has none.
  public let slot: PartSlot?
  /// What it was called before.
  public let formerNames: [String]
  /// How it is written: `every:N`.
  public let usage: String
  /// What it cannot do without.
  public let requirements: Set<PartRequirement>
  let validate: @Sendable (ResolvedOptions) throws(InvalidOption) -> Void

  /// A kind of part; `validate` looks at what each option by itself cannot tell.
  public init(
    _ kind: String, _ summary: String, options: [OptionSpec] = [], slot: PartSlot? = nil,
    formerNames: [String] = [], usage: String? = nil, requires: Set<PartRequirement> = [],
    validate: @escaping @Sendable (ResolvedOptions) throws(InvalidOption) -> Void = { _ in }
  ) {
    (self.kind, self.summary, self.options, self.slot) = (kind, summary, options, slot)
    (self.formerNames, self.validate, requirements) = (formerNames, validate, requires)
    let places =
      options.map { option in
        if case .flag = option.kind { return option.name }
        return option.isPositional ? option.placeholder : "\(option.name)=\(option.placeholder)"
      } + (slot.map { [$0.role.uppercased()] } ?? [])
    self.usage = usage ?? (places.isEmpty ? kind : "\(kind):\(places.joined(separator: ","))")
  }

  /// The option of this name; nil where the part has none.
  func option(_ name: String) -> OptionSpec? { options.first { $0.name == name } }
}

/// The options of a canonical spec, by type.
///
/// Asking for an option that the part does not declare is a programmer's error.
public struct ResolvedOptions: Sendable {
  private let spec: PartSpec

  /// The options of `spec`, which has been made canonical by a grammar.
  public init(_ spec: PartSpec) { self.spec = spec }

  /// The value of an option; nil where it is neither given nor has a standard value.
  public subscript(_ name: String) -> OptionValue? { spec.options[name] }

  /// The whole number of an option that is given or has a standard value.
  ///
  /// - Precondition: the option is a whole number.
  public func integer(_ name: String) -> Int { required(name, integerIfGiven(name)) }

  /// The whole number of an option; nil where it is not given, or no whole number.
  public func integerIfGiven(_ name: String) -> Int? {
    if case .integer(let value) = spec.options[name] { value } else { nil }
  }

  /// The number of an option that is given or has a standard value.
  ///
  /// - Precondition: the option is a number.
  public func number(_ name: String) -> Double { required(name, numberIfGiven(name)) }

  /// The number of an option; nil where it is not given, or no number.
  public func numberIfGiven(_ name: String) -> Double? { spec.options[name]?.asNumber }

  /// The text of an option that is given or has a standard value.
  ///
  /// - Precondition: the option is text, a path or a choice.
  public func text(_ name: String) -> String { required(name, textIfGiven(name)) }

  /// The text, path or choice of an option; nil where it is not given.
  public func textIfGiven(_ name: String) -> String? {
    if case .text(let value) = spec.options[name] { value } else { nil }
  }

  /// Whether the option of this name is given.
  public func flag(_ name: String) -> Bool { spec.options[name] == .bool(true) }

  /// The numbers of a list; none where it is not given.
  public func numbers(_ name: String) -> [Double] {
    guard case .list(let values) = spec.options[name] else { return [] }
    return values.compactMap(\.asNumber)
  }

  /// The texts of a list; none where it is not given.
  public func texts(_ name: String) -> [String] {
    guard case .list(let values) = spec.options[name] else { return [] }
    return values.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }

  /// The part in a slot.
  ///
  /// - Precondition: the part has that slot.
  public func part(_ slot: String) -> PartSpec { required(slot, spec.parts[slot]) }

  private func required<Value>(_ name: String, _ value: Value?) -> Value {
    guard let value else { preconditionFailure("\(spec.kind) has no \(name)") }
    return value
  }
}
