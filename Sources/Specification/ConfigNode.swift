// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// A tree of settings out of a YAML file, a recipe or a command line, with the line of each key.
public struct ConfigNode: Sendable, Hashable {
  /// What a node holds.
  public indirect enum Value: Sendable, Hashable {
    /// Nothing: an empty value, or `null`.
    case null
    /// A truth value, a number or a text.
    case scalar(OptionValue)
    /// Values in order.
    case list([ConfigNode])
    /// Keys with their values, in the order of the file.
    case mapping([Entry])
  }

  /// A key of a mapping with its value.
  public struct Entry: Sendable, Hashable {
    /// The key as the file spells it.
    public let key: String
    /// Its value.
    public var node: ConfigNode
  }

  /// What the node holds.
  public var value: Value
  /// Where it stands: the file and the line; nil for what no file says.
  public var place: Place?

  /// A line of a file.
  public struct Place: Sendable, Hashable {
    /// The file, as its path was given.
    public let file: String
    /// The line, from 1.
    public let line: Int
  }

  /// A node of a value, with where it was read.
  public init(_ value: Value, at place: Place? = nil) { (self.value, self.place) = (value, place) }

  /// A mapping without keys.
  public static let empty = ConfigNode(.mapping([]))

  /// What is refused beyond: bytes of a text, values in it, levels of nesting.
  public static let maximumBytes = 1 << 20, maximumNodes = 10_000, maximumDepth = 40

  /// Reads YAML, of which JSON is a part.
  ///
  /// - Throws: `SpecificationError` with the line, where it is none, too large, or uses anchors.
  public init(yaml: String, file: String) throws(SpecificationError) {
    let node = try YAMLText.compose(yaml, file: file)
    var budget = Self.maximumNodes
    guard let node else { throw SpecificationError(.badDescription, "\(file) is empty") }
    self = try ConfigNode(node, file: file, depth: 0, budget: &budget)
  }

  private init(
    _ node: Node, file: String, depth: Int, budget: inout Int
  ) throws(SpecificationError) {
    budget -= 1
    place = Place(file: file, line: node.mark?.line ?? 1)
    guard budget > 0, depth <= Self.maximumDepth else {
      throw SpecificationError(
        .tooLarge,
        "\(file) has more than \(Self.maximumNodes) values or \(Self.maximumDepth) levels")
    }
    switch node {
    case .scalar(let scalar):
      value = Self.value(of: scalar, node)
    case .sequence(let sequence):
      var list: [ConfigNode] = []
      for item in sequence {
        list.append(try ConfigNode(item, file: file, depth: depth + 1, budget: &budget))
      }
      value = .list(list)
    case .mapping(let mapping):
      var entries: [Entry] = []
      for (key, item) in mapping {
        let line = key.mark?.line ?? 1
        guard let name = key.string else {
          throw SpecificationError(.badDescription, "a key that is no text")
            .located(in: file, line: line)
        }
        var node = try ConfigNode(item, file: file, depth: depth + 1, budget: &budget)
        node.place = Place(file: file, line: line)
        entries.append(Entry(key: name, node: node))
      }
      value = .mapping(entries)
    case .alias:
      throw SpecificationError(.badDescription, "\(file) uses an alias")
    }
  }

  /// The scalar or list that a node stands for; nil for anything else.
  static func optionValue(_ node: Node) -> OptionValue? {
    switch node {
    case .scalar(let scalar):
      if case .scalar(let value) = value(of: scalar, node) { value } else { nil }
    case .sequence(let sequence):
      sequence.map(optionValue).reduce(into: [OptionValue]?([])) { all, value in
        all = value.flatMap { value in all.map { $0 + [value] } }
      }.map { .list($0) }
    default: nil
    }
  }

  private static func value(of scalar: Node.Scalar, _ node: Node) -> Value {
    guard scalar.style == .plain else { return .scalar(.text(scalar.string)) }
    if node.null != nil { return .null }
    if let truth = node.bool, ["true", "false"].contains(scalar.string) {
      return .scalar(.bool(truth))
    }
    if let number = node.wholeNumber { return .scalar(.integer(number)) }
    if let number = node.finiteNumber { return .scalar(OptionValue(number)) }
    return .scalar(.text(scalar.string))
  }
}

extension ConfigNode {
  /// The entries of a mapping; none where it is something else.
  public var entries: [Entry] {
    if case .mapping(let entries) = value { entries } else { [] }
  }

  /// The value of a key; setting nil removes it.
  public subscript(_ key: String) -> ConfigNode? {
    get { entries.first { $0.key == key }?.node }
    set {
      var entries = entries
      let index = entries.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let node?): entries[index].node = node
      case (let index?, nil): entries.remove(at: index)
      case (nil, let node?): entries.append(Entry(key: key, node: node))
      case (nil, nil): return
      }
      value = .mapping(entries)
    }
  }

  /// The text of a scalar; nil for anything else.
  public var text: String? {
    switch value {
    case .scalar(.text(let text)): text
    case .scalar(let scalar): scalar.text
    default: nil
    }
  }

  /// Refuses keys that are not among `known`, with the line and the nearest one.
  public func allow(_ known: [String], path: String = "") throws(SpecificationError) {
    for entry in entries where !known.contains(entry.key) {
      let error = SpecificationError(
        .unknownOption,
        "unknown key '\(path)\(entry.key)'; \(suggestion(for: entry.key, among: known))")
      throw entry.node.located(error)
    }
  }

  /// The error with the place of this node before it, where it has one.
  public func located(_ error: SpecificationError) -> SpecificationError {
    place.map { error.located(in: $0.file, line: $0.line) } ?? error
  }
}
