// SPDX-License-Identifier: Apache-2.0

/// One change of a tree of settings, as Hydra writes it.
///
/// `path.to.key=value` sets a key that may be there, `+key=value` adds one that must not,
/// `++key=value` does either, `~key` removes one. The values of a list have their numbers as keys,
/// from 0: `training.stages.0.steps=600`. A value is a text, a number, `true`, `false`,
/// `null`, a quoted text, a list `[a, b]` or a mapping `{a: 1}`.
public struct ConfigOverride: Sendable, Hashable {
  /// What is done to the key.
  public enum Action: Sendable, Hashable { case set, add, force, remove }

  /// What is done to the key.
  public let action: Action
  /// The keys from the root down to the one meant, none of them empty.
  public let path: [String]
  /// The key's new value; null where the key is removed.
  public let value: ConfigNode
  private let text: String

  /// Reads an override.
  ///
  /// - Throws: `SpecificationError` where it is none.
  public init(_ text: String) throws(SpecificationError) {
    self.text = text
    let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    var key = String(halves[0])
    if key.hasPrefix("~") {
      action = .remove
      key.removeFirst()
    } else if key.hasPrefix("++") {
      action = .force
      key.removeFirst(2)
    } else if key.hasPrefix("+") {
      action = .add
      key.removeFirst()
    } else {
      action = .set
    }
    path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !path.contains(""), path.count <= PartSpec.maximumDepth, text.utf8.count <= 64 << 10,
      halves.count == 2 || action == .remove
    else {
      throw SpecificationError(
        .badSyntax, "an override is path.to.key=value, not '\(text.prefix(80))'")
    }
    value = halves.count == 2 ? try Self.value(String(halves[1]), of: text) : ConfigNode(.null)
  }

  private static func value(
    _ text: String, of override: String
  ) throws(SpecificationError) -> ConfigNode {
    if text.isEmpty { return ConfigNode(.scalar(.text(""))) }
    do throws(SpecificationError) {
      var node = try ConfigNode(yaml: text, file: "--set \(override.prefix(80))")
      node.place = nil
      return node
    } catch { throw SpecificationError(.badSyntax, error.message) }
  }

  /// Changes a tree.
  ///
  /// `expand` turns the text of a part, which stands at a path, into its mapping, so that a path
  /// can lead into it; nil where no part stands there.
  ///
  /// - Throws: `SpecificationError` where the path leads nowhere.
  public func apply(
    to root: inout ConfigNode,
    expanding expand: (_ path: [String], ConfigNode) throws(SpecificationError) -> ConfigNode?
  ) throws(SpecificationError) {
    root = try changed(root, at: 0, expand)
  }

  private func changed(
    _ node: ConfigNode, at depth: Int,
    _ expand: ([String], ConfigNode) throws(SpecificationError) -> ConfigNode?
  ) throws(SpecificationError) -> ConfigNode {
    if case .list(let values) = node.value {
      return try changed(values, in: node, at: depth, expand)
    }
    var node = node
    let key = path[depth]
    if depth == path.count - 1 {
      switch action {
      case .remove where node[key] == nil: throw failure("there is no such key")
      case .add where node[key] != nil: throw failure("the key is there already; ++ sets it")
      case .remove: node[key] = nil
      default: node[key] = value
      }
      return node
    }
    guard action == .force || action == .add || node[key] != nil else {
      let whole = path[...depth].joined(separator: ".")
      throw failure("'\(whole)' is not said; say it as a whole, \(whole)=…")
    }
    node[key] = try changed(within: node[key] ?? .empty, at: depth, expand)
    return node
  }

  /// A value that the path leads into.
  private func changed(
    within child: ConfigNode, at depth: Int,
    _ expand: ([String], ConfigNode) throws(SpecificationError) -> ConfigNode?
  ) throws(SpecificationError) -> ConfigNode {
    guard child.text != nil else { return try changed(child, at: depth + 1, expand) }
    guard let expanded = try expand(Array(path[...depth]), child) else {
      throw failure("'\(path[...depth].joined(separator: "."))' has no keys of its own")
    }
    return try changed(expanded, at: depth + 1, expand)
  }

  /// A list of `values`, one of which the path leads to, or into.
  private func changed(
    _ values: [ConfigNode], in list: ConfigNode, at depth: Int,
    _ expand: ([String], ConfigNode) throws(SpecificationError) -> ConfigNode?
  ) throws(SpecificationError) -> ConfigNode {
    let isLast = depth == path.count - 1, mayAppend = isLast && (action == .add || action == .force)
    guard let index = Int(path[depth]), index >= 0, index < values.count + (mayAppend ? 1 : 0)
    else {
      let name = path[..<depth].joined(separator: ".")
      throw failure(
        "'\(name)' is a list of \(values.count), numbered from 0: there is no '\(path[depth])'")
    }
    var (node, values) = (list, values)
    switch action {
    case _ where !isLast: values[index] = try changed(within: values[index], at: depth, expand)
    case .remove: values.remove(at: index)
    case .add where index < values.count: throw failure("the value is there already; ++ sets it")
    case _ where index == values.count: values.append(value)
    default: values[index] = value
    }
    node.value = .list(values)
    return node
  }

  private func failure(_ reason: String) -> SpecificationError {
    SpecificationError(.badValue, "--set \(text.prefix(80)): \(reason)")
  }
}

extension ConfigNode {
  /// This tree with what another one says in its place, key by key at the top.
  public func overlaid(with other: ConfigNode) -> ConfigNode {
    var result = self
    for entry in other.entries { result[entry.key] = entry.node }
    return result
  }
}
