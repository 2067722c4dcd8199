// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What a model was trained on, and what its settings were chosen by: `provenance.yaml` in its
/// folder.
///
/// ```yaml
/// trained_on: [camvid/train]   # clips by the names that results call them
/// chosen_on: [camvid/val]
/// ```
///
/// Training writes what it was trained on. What was chosen by looking at a clip only a person
/// knows, who adds it.
public struct Provenance: Sendable, Hashable {
  /// Clips, or data sets, that weights were fitted to.
  public var trainedOn: [String]
  /// Clips by whose figures settings were chosen.
  public var chosenOn: [String]

  /// What is stated.
  public init(trainedOn: [String] = [], chosenOn: [String] = []) {
    (self.trainedOn, self.chosenOn) = (trainedOn, chosenOn)
  }

  /// Where it lies.
  public static func path(in folder: String) -> String { "\(folder)/provenance.yaml" }

  /// Reads what a model's folder states; nil where it states nothing.
  ///
  /// - Throws: `SpecificationError` where the file is no such text.
  public init?(in folder: String) throws(SpecificationError) {
    let path = Self.path(in: folder)
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
    else { return nil }
    guard size.intValue <= DescriptionReader.maximumBytes,
      let text = FileManager.default.contents(atPath: path).flatMap({ String(textOf: $0) })
    else { throw SpecificationError(.badDescription, "\(path) is no YAML text") }
    do throws(SpecificationError) {
      let root = try DescriptionReader(yaml: text)
      try root.allow(["trained_on", "chosen_on"])
      for key in root.keys where root.strings(key) == nil {
        throw root.complaint(key, "must be a list of clips")
      }
      self.init(
        trainedOn: root.strings("trained_on") ?? [], chosenOn: root.strings("chosen_on") ?? [])
    } catch { throw error.located(in: path) }
  }

  /// The same of the folder that a model's specification lies in.
  package init?(besideSpecification file: String) throws(SpecificationError) {
    try self.init(in: ModelFolder.folder(of: file))
  }

  /// What `init(in:)` reads.
  public var yaml: String {
    func list(_ clips: [String]) -> ConfigNode {
      ConfigNode(.list(clips.map { ConfigNode(.scalar(.text($0))) }))
    }
    var entries = [ConfigNode.Entry(key: "trained_on", node: list(trainedOn))]
    if !chosenOn.isEmpty { entries.append(.init(key: "chosen_on", node: list(chosenOn))) }
    return ConfigNode(.mapping(entries)).yaml
  }
}
