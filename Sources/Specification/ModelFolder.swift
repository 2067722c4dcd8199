// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A folder with a model: `spec.yaml` says what it is, `weights.safetensors` holds what was
/// trained.
///
/// This type alone knows the names of the files. What a specification describes, its top-level keys
/// tell; the text is read once.
public struct ModelFolder: Sendable, Hashable {
  /// The folder, as its path was given.
  public let path: String
  /// What `spec.yaml` says.
  public let specification: String
  /// The file that said it, whatever it is called.
  public let specificationFile: String
  /// The top-level keys of the specification: `network`, `propagation`, `head`.
  public let sections: [String]

  /// Reads the specification in the folder at `path`; nothing else is opened.
  ///
  /// - Throws: `SpecificationError` where there is no folder, no specification, or no YAML in it.
  public init(at path: String) throws(SpecificationError) {
    let file = Self.specificationPath(in: path)
    guard FileManager.default.fileExists(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such network")
    }
    let text = try Self.text(of: file) {
      SpecificationError(.missingFile, "\(path) holds no network: there is no \(file)")
    }
    try self.init(path: path, specification: text, file: file)
  }

  /// The folder that the specification at `file` lies in, whatever that file is called.
  ///
  /// - Throws: `SpecificationError` where it is missing or no YAML.
  ///
  /// `overrides` change keys of it, as Hydra writes them: `training.batch=2`.
  public init(
    ofSpecification file: String, changedBy overrides: [String] = []
  ) throws(SpecificationError) {
    var text = try Self.text(of: file) {
      SpecificationError(.missingFile, "\(file): there is no such specification")
    }
    if !overrides.isEmpty {
      var root = try ConfigNode(yaml: text, file: file)
      for override in overrides {
        try ConfigOverride(override).apply(to: &root) { _, _ in nil }
      }
      text = root.yaml
    }
    try self.init(path: Self.folder(of: file), specification: text, file: file)
  }

  private init(path: String, specification: String, file: String) throws(SpecificationError) {
    (self.path, self.specification, specificationFile) = (path, specification, file)
    do throws(SpecificationError) {
      sections = try DescriptionReader(yaml: specification).keys
    } catch { throw SpecificationError(error.code, "\(file): \(error.message)") }
  }

  /// Where the specification of a model lies.
  public static func specificationPath(in folder: String) -> String { "\(folder)/spec.yaml" }

  /// Whether a path is that of a model's specification.
  package static func isSpecification(_ path: String) -> Bool {
    (path as NSString).lastPathComponent == "spec.yaml"
  }

  /// The folder that a file lies in.
  package static func folder(of file: String) -> String {
    let folder = (file as NSString).deletingLastPathComponent
    return folder.isEmpty ? "." : folder
  }

  /// Where the specification lies.
  public var specificationPath: String { Self.specificationPath(in: path) }

  /// The folder's path from the root of the file system.
  public var absolutePath: String { URL(fileURLWithPath: path).path }

  /// Where the weights lie, or will.
  public var weightsPath: String { Self.weightsPath(in: path) }

  /// Where the weights of a model lie, or will.
  public static func weightsPath(in folder: String) -> String { "\(folder)/weights.safetensors" }

  /// Where an unfinished training keeps its state.
  public static func checkpointPath(in folder: String) -> String {
    "\(folder)/checkpoint.safetensors"
  }

  /// Where it keeps the state before that.
  public static func formerCheckpointPath(in folder: String) -> String {
    "\(folder)/checkpoint.former.safetensors"
  }

  /// Where calibrated thresholds are kept.
  public static func thresholdsPath(in folder: String) -> String { "\(folder)/thresholds.json" }

  /// Whether a folder holds a specification.
  public static func exists(at path: String) -> Bool {
    FileManager.default.fileExists(atPath: specificationPath(in: path))
  }

  /// Whether the weights are there.
  public var isTrained: Bool { FileManager.default.fileExists(atPath: weightsPath) }

  /// The files that loading the model reads.
  public var files: [String] {
    let own = isTrained ? [specificationPath, weightsPath] : [specificationPath]
    return own + ((try? bases()) ?? []).flatMap { [$0.specificationPath, $0.weightsPath] }
  }

  /// The models whose weights stand in for those that are not here, each for the one before: `base`
  /// in a specification, a folder told from that one.
  package func bases() throws(SpecificationError) -> [ModelFolder] {
    var bases = [self]
    while let last = bases.last, last.has("base") {
      let path = try last.read { (root) throws(SpecificationError) in
        try root.path("base", in: last.path)
      }
      let base = try ModelFolder(at: path)
      guard base.isTrained, bases.count < 8 else {
        throw SpecificationError(
          .badWeights,
          "\(last.specificationPath) is based on \(path), which "
            + (base.isTrained ? "leads on to too many others" : "is not trained"))
      }
      bases.append(base)
    }
    return Array(bases.dropFirst())
  }

  /// Whether the specification has a top-level key.
  public func has(_ section: String) -> Bool { sections.contains(section) }

  /// Whether the network is one of optical flow: `network.kind` names those.
  package func hasFlowNetwork() throws(SpecificationError) -> Bool {
    try read { (root) throws(SpecificationError) in
      guard root.has("network") else { return false }
      return try root.group("network").has("kind")
    }
  }

  /// What `body` makes of the specification; its complaints are told with the file's name.
  package func read<Result>(
    _ body: (DescriptionReader) throws(SpecificationError) -> Result
  ) throws(SpecificationError) -> Result {
    do throws(SpecificationError) { return try body(DescriptionReader(yaml: specification)) } catch
    {
      throw error.located(in: specificationPath)
    }
  }

  private static func text(
    of file: String, ifMissing: () -> SpecificationError
  ) throws(SpecificationError) -> String {
    let limit = DescriptionReader.maximumBytes
    let attributes = try? FileManager.default.attributesOfItem(atPath: resolved(file))
    guard let attributes else { throw ifMissing() }
    func refuse(_ reason: String) -> SpecificationError {
      SpecificationError(.badDescription, "\(file) is no YAML text: \(reason)")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
      throw refuse("it is no regular file")
    }
    let size = (attributes[.size] as? NSNumber)?.intValue ?? .max
    guard size <= limit else { throw refuse("\(size) bytes are more than the limit of \(limit)") }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw SpecificationError(.missingFile, "\(file) cannot be read")
    }
    guard !data.isEmpty else { throw refuse("the file is empty") }
    guard let text = String(textOf: data) else {
      throw refuse("it is not UTF-8")
    }
    return text
  }

  /// The file that a symbolic link leads to.
  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }
}
