// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// A mapping in a YAML file, read key by key with the path of each in every complaint.
///
/// Works on the parsed nodes and never decodes, and counts them first: a few hundred bytes of
/// aliases can stand for billions of nodes.
package struct DescriptionReader {
  package static var maximumBytes: Int { 1 << 20 }
  private static var maximumNodes: Int { 10_000 }
  private static var maximumDepth: Int { 16 }

  private let path: String
  private let mapping: Node.Mapping

  package init(yaml: String) throws(SpecificationError) {
    guard yaml.utf8.count <= Self.maximumBytes else {
      throw SpecificationError(.badDescription, "the description is longer than 1 MiB")
    }
    if let found = YAMLText.refused(in: yaml) {
      throw SpecificationError(.badDescription, "line \(found.line) uses \(found.what)")
    }
    let node: Node?
    do { node = try Yams.compose(yaml: yaml) } catch {
      let reason = "\(error)".split(separator: "\n").joined(separator: " ")
      throw SpecificationError(.badDescription, "no YAML: \(reason)")
    }
    guard let node, let mapping = node.mapping else {
      throw SpecificationError(.badDescription, "the description is no mapping of keys to values")
    }
    var budget = Self.maximumNodes
    try Self.spend(&budget, on: node, depth: 0)
    (path, self.mapping) = ("", mapping)
  }

  private init(path: String, mapping: Node.Mapping) { (self.path, self.mapping) = (path, mapping) }

  private static func spend(_ budget: inout Int, on node: Node, depth: Int)
    throws(SpecificationError)
  {
    budget -= 1
    guard budget > 0, depth <= maximumDepth else {
      throw SpecificationError(
        .badDescription, "more than \(maximumNodes) values or \(maximumDepth) levels")
    }
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping {
        try spend(&budget, on: key, depth: depth + 1)
        try spend(&budget, on: value, depth: depth + 1)
      }
    case .sequence(let sequence):
      for value in sequence { try spend(&budget, on: value, depth: depth + 1) }
    default: break
    }
  }

  package func has(_ key: String) -> Bool { node(key) != nil }

  /// The value of a key, which may be written in quotes: `"1"` is another node than `1`.
  private func node(_ key: String) -> Node? {
    mapping[key] ?? mapping.first { $0.key.string == key }?.value
  }

  /// The keys, in order.
  package var keys: [String] { mapping.keys.map { $0.string ?? "?" } }

  /// Complains of the first key that is not among `keys`.
  package func allow(_ keys: [String]) throws(SpecificationError) {
    for case let key in mapping.keys where !keys.contains(key.string ?? "") {
      let name = key.string ?? "?"
      if let now = formerKeys[name], keys.contains(now) {
        throw complaint(name, "is now called \(now)")
      }
      throw complaint(name, "unknown; there are \(keys.joined(separator: ", "))")
    }
  }

  package func check(_ key: String, isOneOf values: [String]) throws(SpecificationError) {
    guard values.contains(try string(key)) else {
      throw complaint(key, "must be one of \(values.joined(separator: ", "))")
    }
  }

  package func string(_ key: String) throws(SpecificationError) -> String {
    guard let value = node(key)?.string else { throw complaint(key, "must be given, as text") }
    return value
  }

  /// A path that is told from `folder`.
  package func path(_ key: String, in folder: String) throws(SpecificationError) -> String {
    try string(key).located(in: folder)
  }

  /// A number within `range`.
  package func number(
    _ key: String, in range: ClosedRange<Double>
  ) throws(SpecificationError) -> Double {
    let value = try number(key)
    guard range.contains(value) else {
      throw complaint(key, "must be \(range.lowerBound)…\(range.upperBound), not \(value)")
    }
    return value
  }

  /// A number within `range`, or the usual one.
  package func number(
    _ key: String, in range: ClosedRange<Double>, usual: Double
  ) throws(SpecificationError) -> Double {
    has(key) ? try number(key, in: range) : usual
  }

  /// A whole number within `range`, or the usual one.
  package func integer(
    _ key: String, in range: ClosedRange<Int>, usual: Int
  ) throws(SpecificationError) -> Int {
    has(key) ? try integer(key, in: range) : usual
  }

  /// A list of whole numbers within `range`, at least one.
  package func integers(
    _ key: String, in range: ClosedRange<Int>
  ) throws(SpecificationError) -> [Int] {
    let values = node(key)?.sequence?.compactMap(\.wholeNumber) ?? []
    guard !values.isEmpty, values.count == node(key)?.sequence?.count,
      values.allSatisfy(range.contains)
    else {
      throw complaint(
        key, "must be a list of whole numbers of \(range.lowerBound)…\(range.upperBound)")
    }
    return values
  }

  package func number(_ key: String) throws(SpecificationError) -> Double {
    guard let value = node(key)?.finiteNumber else {
      throw complaint(key, "must be given, as a number")
    }
    return value
  }

  package func integer(_ key: String, in range: ClosedRange<Int>) throws(SpecificationError) -> Int
  {
    guard let value = node(key)?.wholeNumber, range.contains(value) else {
      throw complaint(
        key, "must be given, as a whole number of \(range.lowerBound)…\(range.upperBound)")
    }
    return value
  }

  package func numbers(_ key: String, count: Int) throws(SpecificationError) -> [Double] {
    let values = node(key)?.sequence?.compactMap(\.finiteNumber) ?? []
    guard values.count == count, node(key)?.sequence?.count == count
    else { throw complaint(key, "must be given, as \(count) numbers") }
    return values
  }

  /// Numbers in lists that are nested as deep as there are axes: their sizes, and the numbers with
  /// the last axis running fastest; no sizes for a number by itself.
  package func array(
    _ key: String
  ) throws(SpecificationError) -> (sizes: [Int], numbers: [Double]) {
    guard let node = node(key), let array = node.array else {
      throw complaint(key, "must be a number, or lists of numbers of equal lengths")
    }
    return array
  }

  /// All keys of this group, with the number each gives.
  package func allNumbers() throws(SpecificationError) -> [String: Double] {
    var numbers: [String: Double] = [:]
    for case let key in mapping.keys {
      let name = key.string ?? "?"
      numbers[name] = try number(name)
    }
    return numbers
  }

  package func strings(_ key: String) -> [String]? {
    guard let sequence = node(key)?.sequence else { return nil }
    return sequence.map { $0.string ?? "?" }
  }

  package func group(_ key: String) throws(SpecificationError) -> DescriptionReader {
    guard let group = node(key)?.mapping else {
      throw complaint(key, "must be given, as a group of keys")
    }
    return DescriptionReader(path: path + key + ".", mapping: group)
  }

  /// The groups of a list; none where the key is absent.
  package func groups(_ key: String) throws(SpecificationError) -> [DescriptionReader] {
    guard let value = node(key) else { return [] }
    guard let list = value.sequence?.compactMap(\.mapping), list.count == value.sequence?.count
    else { throw complaint(key, "must be a list of groups") }
    return list.enumerated().map {
      DescriptionReader(path: "\(path)\(key)[\($0.offset)].", mapping: $0.element)
    }
  }

  /// The same description with no more than the first `count` groups of a list in one of its
  /// groups.
  package func text(
    keeping count: Int, of list: String, in group: String
  ) throws(SpecificationError) -> String {
    var (root, inner) = (mapping, mapping[group]?.mapping)
    if let sequence = inner?[list]?.sequence {
      inner?[Node(list)] = Node(Array(sequence.prefix(count)))
    }
    if let inner { root[Node(group)] = .mapping(inner) }
    do { return try Yams.serialize(node: .mapping(root)) } catch {
      throw complaint(list, "cannot be written down: \(error)")
    }
  }

  /// The part of a role that a group of keys describes, in its one form.
  ///
  /// `folder` is where paths are told from. A group inside it may leave out its kind where only
  /// one fits.
  package func part(
    _ key: String, as role: String, in folder: String, by grammar: Grammar
  ) throws(SpecificationError) -> PartSpec {
    do throws(SpecificationError) {
      let spec = try group(key).partSpec(as: role, by: grammar)
      return grammar.locating(try grammar.canonical(spec, as: role), as: role, in: folder)
    } catch {
      // What was complained of here has its key already.
      guard !error.message.hasPrefix(path + key) else { throw error }
      throw SpecificationError(error.code, "\(path)\(key): \(error.message)")
    }
  }

  private func partSpec(
    as role: String, by grammar: Grammar
  ) throws(SpecificationError) -> PartSpec {
    let kinds = grammar.descriptors(of: role).map(\.kind)
    let usual = kinds.count == 1 && !has("kind") ? kinds[0] : nil
    var spec = PartSpec(usual ?? "")
    if usual == nil { spec.kind = try string("kind") }
    let slot = try grammar.descriptor(of: spec.kind, as: role).slot
    for name in keys where name != "kind" {
      if let slot, slot.name == name {
        spec.parts[name] = try group(name).partSpec(as: slot.role, by: grammar)
      } else if let value = mapping[name].flatMap(ConfigNode.optionValue) {
        spec.options[name] = value
      } else {
        throw complaint(name, "must be a value or a list of values")
      }
    }
    return spec
  }

  package func complaint(_ key: String, _ message: String) -> SpecificationError {
    SpecificationError(.badDescription, "\(path)\(key) \(message)")
  }
}

extension String {
  /// A path that is told from `folder`.
  func located(in folder: String) -> String {
    hasPrefix("/") ? self : "\(folder.isEmpty ? "." : folder)/\(self)"
  }
}

/// What keys were called before.
private let formerKeys = [
  "tilt": "rotation", "hardest": "ohem", "mixing": "classmix", "overlap": "soft_iou",
  "averaging": "ema_decay", "agreement": "distillation", "deviation": "change_score",
  "class-weights": "class_weights", "warm-up": "warmup", "carrying": "propagator",
]
