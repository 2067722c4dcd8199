// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Specification
internal import Synchronization

/// A published system as a pipeline of parts.
///
/// Each part is written as on the command line, so that any of them can be put in another's place.
public struct Recipe: Sendable {
  /// The name by which it is asked for: `two-clocks`.
  public let name: String
  /// What it does, and who published it.
  public let summary: String
  /// Clips that its settings were chosen on, by name: figures there are no test of it.
  public let chosenOn: [String]
  private let compose: @Sendable (RecipeModels) -> PipelineSpec

  /// A system; `compose` says its parts, with trained models out of a folder of them.
  public init(
    _ name: String, _ summary: String, chosenOn: [String] = [],
    compose: @escaping @Sendable (RecipeModels) -> PipelineSpec
  ) {
    (self.name, self.summary, self.compose) = (name, summary, compose)
    self.chosenOn = chosenOn
  }

  /// The parts, with what was trained out of `models`.
  public func pipeline(of models: RecipeModels) -> PipelineSpec {
    var spec = compose(models)
    spec.backbone = spec.backbone ?? PartSpec("network", ["path": .text(models.backbone)])
    return spec
  }

  /// The data for which all that it takes has been trained, in this folder.
  public func dataWithWeights(in folder: String) -> [String] {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let data = Set(folders.compactMap { $0.split(separator: "-").first.map(String.init) })
    return data.sorted().filter { data in
      let used = FoldersUsed()
      _ = pipeline(of: RecipeModels(in: folder, data: data, used: used))
      return used.all.allSatisfy(Self.isWhole)
    }
  }

  /// Whether a model folder has its weights; what another engine reads may be one file.
  private static func isWhole(_ path: String) -> Bool {
    let files = FileManager.default
    if ModelFolder.exists(at: path) {
      return files.fileExists(atPath: ModelFolder.weightsPath(in: path))
    }
    var isFolder: ObjCBool = false
    return files.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }
}

/// Where trained models lie: a folder of folders, each named after the data and what it is.
public struct RecipeModels: Sendable {
  /// The folder of folders.
  public let folder: String
  /// The data that all of it was trained on: `camvid`, `street`.
  public let data: String
  private let used: FoldersUsed?

  /// The folder `Models` here or, where there is none, beside the program or in a folder above it,
  /// itself or in `share/inbetween`, where it is installed.
  public static var usualFolder: String {
    let files = FileManager.default, name = "Models"
    guard !files.fileExists(atPath: name) else { return name }
    let program = try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = URL(fileURLWithPath: program ?? "/")
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let places = [name, "share/inbetween/\(name)"].map { folder.appending(path: $0).path }
      if let found = places.first(where: files.fileExists) { return found }
    }
    return name
  }

  /// The trained models in `folder` whose names begin with `data`; nothing is looked for yet.
  public init(in folder: String = RecipeModels.usualFolder, data: String = "camvid") {
    self.init(in: folder, data: data, used: nil)
  }

  fileprivate init(in folder: String, data: String, used: FoldersUsed?) {
    (self.folder, self.data, self.used) = (folder, data, used)
  }

  /// The folder of a trained propagation, fusion or scheduler.
  public subscript(_ part: String) -> String {
    let path = "\(folder)/\(data)-\(part)"
    used?.add(path)
    return path
  }

  /// The folder of the heavy network.
  public var backbone: String { data == "camvid" ? self["resnet18"] : self["heavy"] }

  /// The folder of the heavy network that has seen regions of pictures; where there is none of
  /// these data, the heavy network.
  public var regionBackbone: String { data == "camvid" ? self["regions"] : backbone }

  /// The trained propagation of this name.
  public func trained(_ part: String) -> PartSpec {
    PartSpec("trained", ["folder": .text(self[part])])
  }
}

/// The systems by name, open to anyone's.
public struct RecipeBook: Sendable {
  /// In the order in which they were added.
  public private(set) var all: [Recipe] = []

  /// A book without recipes.
  public init() {}

  /// Adds a system.
  ///
  /// - Precondition: none of that name is there yet.
  public mutating func add(_ recipe: Recipe) {
    precondition(!all.contains { $0.name == recipe.name }, "two recipes are called \(recipe.name)")
    all.append(recipe)
  }

  /// The parts of `NAME` or `NAME:DATA`, out of a folder of models.
  ///
  /// - Throws: `SpecificationError` naming the nearest recipe and those that there are.
  public func pipeline(
    _ text: String, models: String = RecipeModels.usualFolder
  ) throws(SpecificationError) -> PipelineSpec {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = halves.first.map(String.init) ?? ""
    guard let recipe = all.first(where: { $0.name == name }) else {
      throw SpecificationError(
        .unknownPart, "no recipe '\(name)'; \(suggestion(for: name, among: all.map(\.name)))")
    }
    let data = halves.count > 1 ? String(halves[1]) : "camvid"
    guard !data.isEmpty else {
      throw SpecificationError(.badValue, "the recipe \(name):DATA has nothing after its colon")
    }
    return recipe.pipeline(of: RecipeModels(in: models, data: data))
  }
}

extension RecipeBook {
  /// The systems that this package ships.
  public static var standard: RecipeBook {
    var book = RecipeBook()
    for recipe in Recipe.all { book.add(recipe) }
    return book
  }
}

extension Recipe {
  /// The systems that this package ships.
  public static let all: [Recipe] = [
    .perFrame, .deepFeatureFlow, .accel, .davss, .dvsNet, .llvss, .lowLatency, .clockwork,
    .adaptiveClockwork, .threeClocks, .pipelinedClockwork, .budgetAware, .arSeg, .dcfm, .grfp,
    .netWarp, .twoClocks, .codecClocks,
  ]
}

/// Notes which folders a recipe names.
private final class FoldersUsed: Sendable {
  private let folders = Mutex<Set<String>>([])
  func add(_ path: String) { folders.withLock { _ = $0.insert(path) } }
  var all: Set<String> { folders.withLock { $0 } }
}
