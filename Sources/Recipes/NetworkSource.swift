// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Foundation
public import Specification
public import Video

/// A network that a pipeline can run, opened but not loaded.
///
/// What is said of it is known at once; the network itself, which may be large, is made by `load`.
public protocol NetworkSource: Sendable {
  /// What users call it: its folder or file.
  var path: String { get }
  /// The classes that its scores stand for.
  var classes: ClassList { get }
  /// Every file that is read.
  var files: [String] { get }

  /// What it predicts by itself other than labels: depth, boxes; nil, as usually, for labels.
  var task: (any PredictionTask)? { get }
  /// What is to be said of it once it is loaded; usually nothing.
  var remarks: [String] { get }

  /// The network, made ready for use, and the head that reads what it gives.
  func load() throws -> (backbone: any Backbone, head: any SegmentationHead)
}

extension NetworkSource {
  /// Nil: the network gives scores of classes unless a source says otherwise.
  public var task: (any PredictionTask)? { nil }
  /// Nothing unless a source says otherwise.
  public var remarks: [String] { [] }
}

/// What runs networks of some kind: how a path tells that it is one for it.
public struct Engine: Sendable {
  /// The kind of backbone that it registers.
  public let kind: String
  /// Whether what lies at a path is for this engine, as its name or its first bytes say.
  public let opens: @Sendable (_ path: String) -> Bool

  /// An engine for the paths that `opens` tells; `kind` must be registered as a backbone.
  public init(_ kind: String, opens: @escaping @Sendable (_ path: String) -> Bool) {
    (self.kind, self.opens) = (kind, opens)
  }
}

extension Registries {
  /// Adds an engine that is asked before those that are there.
  public mutating func add(_ engine: Engine) { engines.insert(engine, at: 0) }

  /// A backbone's spec in its one form: a path alone is given to the first engine that opens it.
  package func backbone(
    _ spec: PartSpec, by grammar: Grammar
  ) throws(SpecificationError) -> PartSpec {
    let (role, path) = (backbones.role, spec.kind)
    let head = path.prefix { $0 != ":" }
    // Options beside a path are those of the engine that opens it.
    guard spec.options["path"] == nil, spec.parts.isEmpty, !grammar.has(head, as: role) else {
      return try grammar.canonical(spec, as: role)
    }
    guard let engine = engines.first(where: { $0.opens(path) }) ?? engines.last else {
      throw SpecificationError(.unknownPart, "no engine is there that could open \(path)")
    }
    let options = spec.options.merging(["path": .text(path)]) { $1 }
    return try grammar.canonical(PartSpec(engine.kind, options), as: role)
  }

  /// Opens the backbone of a canonical spec.
  public func source(of spec: PartSpec, in context: BuildContext) throws -> any NetworkSource {
    let source = try backbones.build(spec, in: context)
    source.files.forEach(context.note(file:))
    return source
  }
}
