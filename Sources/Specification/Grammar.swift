// SPDX-License-Identifier: Apache-2.0

/// Every kind of part there is, by role: what short texts are read and printed by.
public struct Grammar: Sendable {
  private var kinds: [String: [PartDescriptor]] = [:]
  private var places: [String: [String: Int]] = [:]

  /// A grammar without a single kind of part.
  public init() {}

  /// Adds a kind of part to a role.
  ///
  /// - Precondition: the role has no kind of that name yet.
  public mutating func add(_ descriptor: PartDescriptor, to role: String) {
    precondition(
      places[role]?[descriptor.kind] == nil, "two kinds of \(role) are called \(descriptor.kind)")
    places[role, default: [:]][descriptor.kind] = kinds[role]?.count ?? 0
    kinds[role, default: []].append(descriptor)
  }

  /// The roles, in order of their names.
  public var roles: [String] { kinds.keys.sorted() }

  /// The kinds of a role, in the order in which they were added.
  public func descriptors(of role: String) -> [PartDescriptor] { kinds[role] ?? [] }

  /// Whether a role has a kind of this name.
  public func has(_ kind: some StringProtocol, as role: String) -> Bool {
    places[role]?[String(kind)] != nil
  }

  /// The kind of a role.
  ///
  /// - Throws: `SpecificationError` naming the nearest kind and those that there are.
  public func descriptor(
    of kind: String, as role: String
  ) throws(SpecificationError) -> PartDescriptor {
    let all = descriptors(of: role)
    if let place = places[role]?[kind] { return all[place] }
    if let renamed = all.first(where: { $0.formerNames.contains(kind) }) {
      throw SpecificationError(
        .unknownPart, "the \(role) '\(kind)' is now called '\(renamed.kind)'")
    }
    throw SpecificationError(
      .unknownPart,
      "no \(role) '\(kind.prefix(80))'; \(suggestion(for: kind, among: all.map(\.kind)))")
  }

  /// The value of a short text: `every:5`, `shots:every:10`, `dis:medium`.
  ///
  /// Options are in their places or named, `name=value`; the nested part comes last. Text that
  /// holds commas, quotes, backslashes or equals signs is quoted, `"a,b"`.
  ///
  /// - Throws: `SpecificationError` for a kind or an option that is not known, a value that is
  ///   none, or text that is too long or too deep.
  public func parse(_ text: String, as role: String) throws(SpecificationError) -> PartSpec {
    guard text.utf8.count <= PartSpec.maximumBytes else {
      throw SpecificationError(
        .tooLarge, "a \(role) of more than \(PartSpec.maximumBytes >> 10) KiB of text")
    }
    return try parse(Substring(text), as: role, depth: 1)
  }

  /// The spec in its one form: short texts taken apart, defaults filled in, values of their types.
  ///
  /// - Throws: as `parse`.
  public func canonical(
    _ spec: PartSpec, as role: String
  ) throws(SpecificationError) -> PartSpec {
    try canonical(spec, as: role, depth: 1)
  }

  private func canonical(
    _ spec: PartSpec, as role: String, depth: Int
  ) throws(SpecificationError) -> PartSpec {
    try checkDepth(depth, role)
    if spec.options.isEmpty && spec.parts.isEmpty {
      guard spec.kind.utf8.count <= PartSpec.maximumBytes else {
        return try parse(spec.kind, as: role)
      }
      return try parse(Substring(spec.kind), as: role, depth: depth)
    }
    var reading = Reading(try descriptor(of: spec.kind, as: role), as: role)
    var parts = spec.parts
    for (name, value) in spec.options.sorted(by: { $0.key < $1.key }) {
      // A part inside it may be a short text too.
      if name == reading.descriptor.slot?.name, case .text(let text) = value {
        parts[name] = PartSpec(text)
      } else {
        try reading.set(name, value)
      }
    }
    for (name, part) in parts {
      guard let slot = reading.descriptor.slot, slot.name == name else {
        throw reading.unknown(name)
      }
      reading.spec.parts[name] = try canonical(part, as: slot.role, depth: depth + 1)
    }
    return try reading.finished()
  }

  /// What a canonical spec and the parts inside it cannot do without.
  public func requirements(of spec: PartSpec, as role: String) -> Set<PartRequirement> {
    guard let descriptor = try? descriptor(of: spec.kind, as: role) else { return [] }
    guard let slot = descriptor.slot, let part = spec.parts[slot.name] else {
      return descriptor.requirements
    }
    return descriptor.requirements.union(requirements(of: part, as: slot.role))
  }

  /// A canonical spec with its relative paths told from `folder`.
  func locating(_ spec: PartSpec, as role: String, in folder: String) -> PartSpec {
    guard let descriptor = try? descriptor(of: spec.kind, as: role) else { return spec }
    var located = spec
    for option in descriptor.options {
      guard case .path = option.kind, case .text(let path) = spec.options[option.name] else {
        continue
      }
      located.options[option.name] = .text(path.located(in: folder))
    }
    if let slot = descriptor.slot, let part = spec.parts[slot.name] {
      located.parts[slot.name] = locating(part, as: slot.role, in: folder)
    }
    return located
  }

  private func checkDepth(_ depth: Int, _ role: String) throws(SpecificationError) {
    guard depth <= PartSpec.maximumDepth else {
      throw SpecificationError(
        .tooDeep, "a \(role) is nested deeper than \(PartSpec.maximumDepth) parts")
    }
  }

  private func parse(
    _ text: Substring, as role: String, depth: Int
  ) throws(SpecificationError) -> PartSpec {
    try checkDepth(depth, role)
    let colon = text.firstIndex(of: ":")
    let kind = String(text[..<(colon ?? text.endIndex)])
    var reading = Reading(try descriptor(of: kind, as: role), as: role)
    var rest = colon.map { text[text.index(after: $0)...] }
    if rest?.isEmpty == true { throw reading.complaint("has nothing after its colon") }
    while let remaining = rest {
      if let slot = reading.descriptor.slot, begins(remaining, slot, reading) {
        let nested =
          remaining.hasPrefix("\(slot.name)=")
          ? remaining.dropFirst(slot.name.count + 1) : remaining
        reading.spec.parts[slot.name] = try parse(nested, as: slot.role, depth: depth + 1)
        break
      }
      let (argument, after) = try ShortText.nextArgument(in: remaining)
      try reading.read(argument)
      rest = after
    }
    return try reading.finished()
  }

  /// Whether what is left of a text is the nested part.
  private func begins(_ text: Substring, _ slot: PartSlot, _ reading: Reading) -> Bool {
    if text.hasPrefix("\(slot.name)=") { return true }
    let head = text.prefix { $0 != ":" && $0 != "," }
    if let (name, _) = ShortText.assignment(head), reading.descriptor.option(name) != nil {
      return false
    }
    if reading.isWord(String(head)) { return false }
    guard let next = reading.nextPositional else { return true }
    return !next.isRequired && has(head, as: slot.role)
  }
}
