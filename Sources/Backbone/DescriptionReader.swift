// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// A mapping in a YAML file, read key by key with the path of each in every complaint.
///
/// Works on the parsed nodes and never decodes, and counts them first: a few hundred bytes of
/// aliases can stand for billions of nodes.
struct DescriptionReader {
  static let maximumBytes = 1 << 20
  private static let (maximumNodes, maximumDepth) = (10_000, 16)

  private let path: String
  private let mapping: Node.Mapping

  init(yaml: String) throws(BackboneError) {
    guard yaml.utf8.count <= Self.maximumBytes else {
      throw BackboneError(.badDescription, "the description is longer than 1 MiB")
    }
    let node: Node?
    do { node = try Yams.compose(yaml: yaml) } catch {
      let reason = "\(error)".split(separator: "\n").joined(separator: " ")
      throw BackboneError(.badDescription, "no YAML: \(reason)")
    }
    guard let node, let mapping = node.mapping else {
      throw BackboneError(.badDescription, "the description is no mapping of keys to values")
    }
    var budget = Self.maximumNodes
    try Self.spend(&budget, on: node, depth: 0)
    (path, self.mapping) = ("", mapping)
  }

  private init(path: String, mapping: Node.Mapping) { (self.path, self.mapping) = (path, mapping) }

  private static func spend(_ budget: inout Int, on node: Node, depth: Int) throws(BackboneError) {
    budget -= 1
    guard budget > 0, depth <= maximumDepth else {
      throw BackboneError(
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

  func has(_ key: String) -> Bool { mapping[key] != nil }

  /// Complains of the first key that is not among `keys`.
  func allow(_ keys: [String]) throws(BackboneError) {
    for case let key in mapping.keys where !keys.contains(key.string ?? "") {
      throw complaint(key.string ?? "?", "unknown; there are \(keys.joined(separator: ", "))")
    }
  }

  func check(_ key: String, isOneOf values: [String]) throws(BackboneError) {
    guard values.contains(try string(key)) else {
      throw complaint(key, "must be one of \(values.joined(separator: ", "))")
    }
  }

  func string(_ key: String) throws(BackboneError) -> String {
    guard let value = mapping[key]?.string else { throw complaint(key, "must be given, as text") }
    return value
  }

  func number(_ key: String) throws(BackboneError) -> Double {
    guard let value = mapping[key]?.float, value.isFinite else {
      throw complaint(key, "must be given, as a number")
    }
    return value
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(BackboneError) -> Int {
    guard let value = mapping[key]?.int, range.contains(value) else {
      throw complaint(
        key, "must be given, as a whole number of \(range.lowerBound)…\(range.upperBound)")
    }
    return value
  }

  func numbers(_ key: String, count: Int) throws(BackboneError) -> [Double] {
    let values = mapping[key]?.sequence?.compactMap(\.float) ?? []
    guard values.count == count, mapping[key]?.sequence?.count == count,
      values.allSatisfy(\.isFinite)
    else { throw complaint(key, "must be given, as \(count) numbers") }
    return values
  }

  func strings(_ key: String) -> [String]? {
    guard let sequence = mapping[key]?.sequence else { return nil }
    return sequence.map { $0.string ?? "?" }
  }

  func group(_ key: String) throws(BackboneError) -> DescriptionReader {
    guard let group = mapping[key]?.mapping else {
      throw complaint(key, "must be given, as a group of keys")
    }
    return DescriptionReader(path: path + key + ".", mapping: group)
  }

  /// The groups of a list; none where the key is absent.
  func groups(_ key: String) throws(BackboneError) -> [DescriptionReader] {
    guard let value = mapping[key] else { return [] }
    guard let list = value.sequence?.compactMap(\.mapping), list.count == value.sequence?.count
    else { throw complaint(key, "must be a list of groups") }
    return list.enumerated().map {
      DescriptionReader(path: "\(path)\(key)[\($0.offset)].", mapping: $0.element)
    }
  }

  private func complaint(_ key: String, _ message: String) -> BackboneError {
    BackboneError(.badDescription, "\(path)\(key) \(message)")
  }
}
