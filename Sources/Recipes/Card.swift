// SPDX-License-Identifier: Apache-2.0

/// What a name on the command line, or in an experiment, stands for.
///
/// A part is named `name` or `name:setting`, as in `every:5` or `dis:medium`.
public struct Card<Product>: Sendable {
  public let name: String
  /// What the setting means, as shown in help: `N`, `PIXELS`; nil where there is none.
  public let setting: String?
  public let summary: String
  private let build: @Sendable (_ setting: String?) throws -> Product

  /// A card whose `build` makes the part, or throws `Misfit` where the setting is wrong.
  public init(
    _ name: String, setting: String? = nil, _ summary: String,
    build: @escaping @Sendable (_ setting: String?) throws -> Product
  ) {
    (self.name, self.setting, self.summary, self.build) = (name, setting, summary, build)
  }

  /// A card of the same name that makes something of the part.
  func map<Other>(
    _ transform: @escaping @Sendable (Product) throws -> Other
  ) -> Card<Other> {
    Card<Other>(name, setting: setting, summary) { [build] in try transform(build($0)) }
  }

  /// How the part is written: `every:N`.
  public var usage: String { setting.map { "\(name):\($0)" } ?? name }

  fileprivate func make(_ given: String?) throws -> Product {
    guard setting != nil || given == nil else {
      throw CatalogueError("'\(name)' takes no setting, and '\(given ?? "")' was given")
    }
    do {
      return try build(given)
    } catch let misfit as Misfit {
      throw CatalogueError("\(usage) \(misfit.message), not '\(given ?? "")'")
    }
  }
}

/// What is wrong with a card's setting: "needs a whole number of at least 1".
public struct Misfit: Error {
  public let message: String
  public init(_ message: String) { self.message = message }
}

/// A name that no card bears, or a setting that its card does not take.
public struct CatalogueError: Error, Hashable, CustomStringConvertible {
  public let message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

extension Array {
  /// The part that `text` names: `every:5`.
  ///
  /// - Throws: `CatalogueError` naming what there is, and what was probably meant.
  public func part<Product>(_ text: String) throws -> Product where Element == Card<Product> {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = halves.first.map(String.init) ?? ""
    guard let card = first(where: { $0.name == name }) else {
      let known = map(\.usage).joined(separator: ", ")
      let near = map(\.name).min { $0.distance(to: name) < $1.distance(to: name) }
      let hint = near.flatMap { $0.distance(to: name) <= 2 ? "; did you mean '\($0)'?" : nil } ?? ""
      throw CatalogueError("no '\(name)'; there are \(known)\(hint)")
    }
    return try card.make(halves.count > 1 ? String(halves[1]) : nil)
  }
}

extension String {
  /// How many letters have to be changed, added or left out to get `other` (Levenshtein).
  func distance(to other: String) -> Int {
    let (from, to) = (Array(self), Array(other))
    var row = Array(0...to.count)
    for (i, letter) in from.enumerated() {
      var corner = row[0]
      row[0] = i + 1
      for (j, wanted) in to.enumerated() {
        let replaced = corner + (letter == wanted ? 0 : 1)
        corner = row[j + 1]
        row[j + 1] = Swift.min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[to.count]
  }
}
