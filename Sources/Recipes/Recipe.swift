// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Specification

/// A published system as a composition of this package's parts.
///
/// Each part is written as on the command line, so that any of them can be put in another's place.
public struct Recipe: Sendable {
  public let name: String
  /// What it does, and who published it.
  public let summary: String
  private let compose: @Sendable (RecipeModels) -> Composition

  init(
    _ name: String, _ summary: String,
    compose: @escaping @Sendable (RecipeModels) -> Composition
  ) {
    (self.name, self.summary, self.compose) = (name, summary, compose)
  }

  /// The parts, with what was trained out of `models`.
  public func composition(of models: RecipeModels) -> Composition { compose(models) }

  /// The data for which all that it takes has been trained, in this folder.
  public func dataWithWeights(in folder: String) -> [String] {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let data = Set(folders.compactMap { $0.split(separator: "-").first.map(String.init) })
    return data.sorted().filter { data in
      let models = RecipeModels(in: folder, data: data), parts = compose(models)
      let names = [parts.scheduler, parts.propagation, parts.flow].flatMap {
        $0.split { ",:".contains($0) }.map(String.init)
      }
      let needed = [models.backbone] + names.filter { $0.hasPrefix(models[""]) }
      return needed.allSatisfy { ModelFolder.exists(at: $0) }
    }
  }
}

/// Where what was trained lies: a folder of folders, each named after the data and what it is.
public struct RecipeModels: Sendable, Hashable {
  public let folder: String
  /// The data that all of it was trained on: `camvid`, `street`.
  public let data: String

  public init(in folder: String = "Models", data: String = "camvid") {
    (self.folder, self.data) = (folder, data)
  }

  /// The folder of what carries, fuses or schedules.
  public subscript(_ part: String) -> String { "\(folder)/\(data)-\(part)" }

  /// The folder of the heavy network.
  public var backbone: String { data == "camvid" ? self["resnet18"] : self["heavy"] }
}

/// Makes the parts of a recipe, and names the folder of its backbone, out of a folder of models.
public typealias RecipeMaker = @Sendable (_ models: String) -> (Composition, backbone: String)

extension [Card<RecipeMaker>] {
  /// The systems; the setting names the data that their networks were trained on.
  public static let recipes: Self = Recipe.all.map { recipe in
    Card(recipe.name, setting: "DATA", recipe.summary) { data in
      { folder in
        let models = RecipeModels(in: folder, data: data ?? "camvid")
        return (recipe.composition(of: models), models.backbone)
      }
    }
  }
}

extension Recipe {
  public static let all: [Recipe] = [
    .perFrame, .deepFeatureFlow, .accel, .davss, .dvsNet, .llvss, .lowLatency, .clockwork,
    .adaptiveClockwork, .pipelinedClockwork, .budgetAware, .arSeg, .grfp, .netWarp, .twoClocks,
    .codecClocks,
  ]
}
