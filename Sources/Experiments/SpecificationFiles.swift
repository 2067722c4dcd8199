// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Foundation
public import Recipes
internal import Specification

/// Every file that parts lead to: what they name, and what the specifications in there name.
///
/// Nothing is loaded. A trained part names the backbone it was trained behind, its flow, a light
/// network; whatever text in a specification is the path of something that is there counts, for it
/// is better to refuse one name too many than to write over weights.
struct SpecificationFiles {
  private(set) var paths: [String] = []
  private var visited: Set<String> = []
  private static let deepest = 8

  /// Takes a part and those inside it; `grammar` tells which of their options are paths.
  mutating func add(_ part: PartSpec, as role: String, by grammar: Grammar) {
    guard let descriptor = try? grammar.descriptor(of: part.kind, as: role) else { return }
    for option in descriptor.options {
      guard case .path = option.kind, case .text(let path)? = part.options[option.name] else {
        continue
      }
      add(path, depth: 0)
    }
    for (name, inner) in part.parts {
      if let slot = descriptor.slot, slot.name == name { add(inner, as: slot.role, by: grammar) }
    }
  }

  /// Takes a file, or a model's folder.
  mutating func add(_ path: String, depth: Int = 0) {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    guard depth <= Self.deepest, visited.insert(real).inserted else { return }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      paths += [path, NetworkDescription.path(besideNetwork: path)]
      if path.hasSuffix(".yaml") { addNames(in: path, depth: depth) }
      return
    }
    guard ModelFolder.exists(at: path) else { return addLists(in: path) }
    paths.append(ModelFolder.weightsPath(in: path))
    add(ModelFolder.specificationPath(in: path), depth: depth)
  }

  /// Takes the lists and tables that lie in a data set's folder.
  private mutating func addLists(in folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    paths += names.filter { $0.hasSuffix(".txt") || $0.hasSuffix(".csv") }.map { "\(folder)/\($0)" }
  }

  /// Takes what a specification's texts name, each told from its folder.
  private mutating func addNames(in specification: String, depth: Int) {
    guard let data = FileManager.default.contents(atPath: specification),
      data.count <= ConfigNode.maximumBytes,
      let text = String(textOf: data)
    else { return }
    let folder = (specification as NSString).deletingLastPathComponent
    add(specification: text, in: folder, depth: depth)
  }

  /// Takes what the texts of a specification in `folder` name.
  mutating func add(specification: String, in folder: String, depth: Int = 0) {
    guard let root = try? ConfigNode(yaml: specification, file: "") else { return }
    for text in root.texts {
      for name in Self.names(in: text) {
        add(name.hasPrefix("/") || folder.isEmpty ? name : "\(folder)/\(name)", depth: depth + 1)
      }
    }
  }

  /// A text itself, and what stands in it after a colon, an equals sign or a comma.
  private static func names(in text: String) -> [String] {
    guard !text.isEmpty, text.utf8.count <= 4096 else { return [] }
    let starts = text.indices.filter { ":=,".contains(text[$0]) }.map { text.index(after: $0) }
    return ([text.startIndex] + starts).prefix(32).flatMap { start in
      let rest = text[start...]
      return [String(rest), String(rest.prefix { $0 != "," })]
    }.filter { !$0.isEmpty && $0 != "." && $0 != ".." }
  }
}

extension ExperimentSpec {
  /// Every file that the parts of the specification lead to, whether or not it is there.
  ///
  /// The frames of a data set are its clip's to tell.
  public func files(in registries: Registries) -> [String] {
    let grammar = registries.grammar
    var files = SpecificationFiles()
    let parts: [(PartSpec?, String)] = [
      (pipeline.backbone, registries.backbones.role), (pipeline.head, registries.heads.role),
      (pipeline.scheduler, registries.schedulers.role),
      (pipeline.propagator, registries.propagators.role),
      (pipeline.fusion, registries.fusions.role), (pipeline.flow, registries.flows.role),
      (data, registries.datasets.role), (consistency?.flow, registries.flows.role),
    ]
    for (part, role) in parts { if let part { files.add(part, as: role, by: grammar) } }
    for metric in metrics { files.add(metric, as: registries.metrics.role, by: grammar) }
    return files.paths
  }
}

extension ConfigNode {
  /// Every text in the tree.
  fileprivate var texts: [String] {
    switch value {
    case .scalar(.text(let text)): [text]
    case .scalar(.list(let values)): values.map(\.text)
    case .list(let list): list.flatMap(\.texts)
    case .mapping(let entries): entries.flatMap(\.node.texts)
    default: []
    }
  }
}
