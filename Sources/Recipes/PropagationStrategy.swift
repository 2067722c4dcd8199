// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Foundation
internal import Layers
public import Propagation
internal import Tensors

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

  /// What was trained, from a folder with `spec.yaml` and `weights.safetensors`, for a backbone.
  ///
  /// - Throws: `BackboneError` where a file is missing, or the parts do not fit the backbone.
  public init(contentsOf folder: String, behind backbone: any Backbone) throws {
    let (path, weights) = (
      NetworkFolder.specificationPath(in: folder), "\(folder)/weights.safetensors"
    )
    let text = try NetworkFolder.text(in: folder)
    guard FileManager.default.fileExists(atPath: weights) else {
      throw BackboneError(.missingFile, "\(folder) is not trained: there is no \(weights)")
    }
    do {
      let specification = try PropagationSpecification(yaml: text, folder: folder)
      let parameters = Parameters(reading: try SafetensorsFile(contentsOf: weights))
      let part = try specification.part(behind: backbone, parameters: parameters)
      if let name = parameters.unread.first {
        throw LayerError("nothing here is called \(String(reflecting: name))")
      }
      self.init(part.propagator, fusion: part.fusion, tap: specification.tap)
    } catch let error as BackboneError {
      throw BackboneError(error.code, "\(path): \(error.message)")
    } catch let error as LayerError {
      throw BackboneError(
        .badWeights, "\(weights) does not fit this backbone or \(path): \(error)")
    }
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
        return { try PropagationStrategy(contentsOf: folder, behind: $0) }
      }
    ]
}
