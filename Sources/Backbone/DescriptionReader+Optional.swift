// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension DescriptionReader {
  /// The text of a key; nil where it is not given.
  func text(_ key: String) throws(SpecificationError) -> String? {
    has(key) ? try string(key) : nil
  }

  /// The whole number of a key; nil where it is not given.
  func optional(_ key: String, in range: ClosedRange<Int>) throws(SpecificationError) -> Int? {
    has(key) ? try integer(key, in: range) : nil
  }

  /// The choice of a key; nil where it is not given.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, _: Choice.Type
  ) throws(SpecificationError) -> Choice? {
    guard has(key) else { return nil }
    try check(key, isOneOf: Choice.allCases.map(\.rawValue))
    return Choice(rawValue: try string(key))
  }

  func checkIfGiven(_ key: String, isOneOf values: [String]) throws(SpecificationError) {
    if has(key) { try check(key, isOneOf: values) }
  }
}

extension DescriptionReader? {
  /// A group of keys; nil where it, or all of the description, is not given.
  func group(_ key: String) throws(SpecificationError) -> DescriptionReader? {
    guard let self, self.has(key) else { return nil }
    return try self.group(key)
  }
}
