// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers
public import Propagation
public import Specification
internal import Specification

/// How frames that are no keys come by their scores: what a pipeline has beside backbone, scheduler and
/// flow.
public struct PropagationStrategy: Sendable {
  public let propagator: any Propagator
  public let fusion: (any Fusion)?
  /// The stage whose output is carried; nil where any will do.
  public let tap: String?

  public init(_ propagator: any Propagator, fusion: (any Fusion)? = nil, tap: String? = nil) {
    (self.propagator, self.fusion, self.tap) = (propagator, fusion, tap)
  }

  /// What was trained, in a model folder, for a backbone.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or the parts do not fit the backbone.
  public init(_ folder: ModelFolder, behind backbone: any Backbone) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try PropagationSpecification(root, folder: folder.path)
    }
    let part = try folder.load { try specification.part(behind: backbone, parameters: $0) }
    self.init(part.propagator, fusion: part.fusion, tap: specification.tap)
  }
}

/// Makes a strategy for a backbone.
public typealias StrategyMaker = @Sendable (any Backbone) throws -> PropagationStrategy

extension [Card<StrategyMaker>] {
  /// The propagators by name, and what was trained.
  public static let strategies: Self =
    [Card<any Propagator>].propagators.map { card in
      card.map { propagator in { _ in PropagationStrategy(propagator) } }
    } + [
      Card(
        "trained", setting: "FOLDER",
        "what was trained to carry features: a folder with spec.yaml and its weights"
      ) {
        guard let folder = $0, !folder.isEmpty else { throw Misfit("needs a folder") }
        return { try PropagationStrategy(ModelFolder(at: folder), behind: $0) }
      }
    ]
}
