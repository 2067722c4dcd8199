// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Foundation
internal import Frames
internal import Layers
internal import Propagation
public import Specification
internal import Tensors
internal import Tracking

extension Registries {
  mutating func registerPropagators() {
    propagators.register("copy", "features stay where they were: the baseline") { _, _ in
      PropagationStrategy(Copy())
    }
    propagators.register(
      "warp",
      "features follow the flow; 'previous' from frame to frame, 'zero' reads zeros outside",
      options: [
        .optional(
          "reference", .choice(["keyframe", "previous"]), standard: "keyframe", positional: false),
        .optional("border", .choice(["clamp", "zero"]), standard: "clamp", positional: false),
      ], usage: "warp[:previous,zero]"
    ) { options, _ in
      PropagationStrategy(
        Warp(
          from: options.text("reference") == "previous" ? .previous : .keyframe,
          border: options.text("border") == "zero" ? .zero : .clamp))
    }
    propagators.register(
      "adaptive-warp",
      "the warp, and a change told by an early stage's features and learned while it runs",
      options: [.required("after", .text), AdaptiveWarp.priorOption],
      usage: "adaptive-warp:STAGE[,prior=3]"
    ) { options, context in
      let stage = options.text("after")
      _ = try context[BackboneInUse.self]?.backbone.index(ofStage: stage)
      return PropagationStrategy(AdaptiveWarp(after: stage, prior: options.number("prior")))
    }
    propagators.register(
      "boxes",
      "boxes follow the flow inside them, with identities: for networks that find objects",
      options: [
        .optional(
          "by", .choice(BoxMotion.Settings.Way.allCases.map(\.rawValue)), standard: "flow",
          positional: false)
      ]
    ) { options, _ in
      let way = BoxMotion.Settings.Way(rawValue: options.text("by")) ?? .flow
      let settings = BoxTracks.Settings(motion: BoxMotion.Settings(way: way))
      return PropagationStrategy(PredictionCarrier(BoxPropagator(settings: settings)))
    }
    propagators.register(
      "trained", "a trained propagation: a folder with its weights",
      options: [
        .required("folder", .path), .optional("scale", .number(0.05...1), positional: false),
      ], usage: "trained:FOLDER[,scale=0.5]", requires: [.ownTap]
    ) { options, context in
      guard let backbone = context[BackboneInUse.self] else {
        preconditionFailure("a trained propagation is built behind a backbone")
      }
      let folder = try ModelFolder(at: options.text("folder"))
      folder.files.forEach(context.note(file:))
      let known = context.registries.trainablePropagations
      let strategy = try PropagationStrategy(
        folder, behind: backbone.backbone, scale: options.numberIfGiven("scale"), in: known)
      try strategy.warnOfOtherParts(folder, backbone, in: context)
      return strategy
    }
  }
}

/// The stages that are propagated in a pipeline, in the backbone's order.
public struct TapsInUse: Sendable {
  /// The stages' names.
  public let stages: [String]
  /// Those of which nothing reads what is propagated.
  public let idle: [String]

  /// Stages in the backbone's order.
  public init(_ stages: [String], idle: [String] = []) { (self.stages, self.idle) = (stages, idle) }
}

/// The backbone that parts are built behind.
public struct BackboneInUse: Sendable {
  /// The loaded backbone.
  public let backbone: any Backbone
  /// Its folder or file; nil where it has none.
  public let path: String?

  /// A backbone that was loaded from `path`, or made without one.
  public init(_ backbone: any Backbone, path: String? = nil) {
    (self.backbone, self.path) = (backbone, path)
  }
}

extension PropagationStrategy {
  /// Says where a part runs behind another backbone, or along another flow, than it was trained
  /// with.
  fileprivate func warnOfOtherParts(
    _ folder: ModelFolder, _ backbone: BackboneInUse, in context: BuildContext
  ) throws {
    let known = context.registries.trainablePropagations
    let trained = try PropagationSpecification(folder, in: known)
    try context.warn(
      folder.path, trainedBehind: trained.backbone,
      along: propagator.usesFlow ? trained.flow : nil)
  }
}

extension BuildContext {
  /// Says where a trained part runs behind another backbone, or along another flow, than it was
  /// trained with; `flow` is nil for one that looks at none.
  func warn(_ part: String, trainedBehind backbone: String, along flow: String?) throws {
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    if let path = self[BackboneInUse.self]?.path, resolved(path) != resolved(backbone) {
      note(warning: "\(part) was trained behind \(backbone), and runs behind \(path)")
    }
    guard let flow, let used = self[FlowInUse.self]?.spec else { return }
    let grammar = registries.grammar, role = registries.flows.role
    guard try grammar.parse(flow, as: role) != used else { return }
    note(
      warning: "\(part) was trained along \(flow), and runs along "
        + grammar.text(of: used, as: role))
  }
}

/// The optical flow that a pipeline runs along.
public struct FlowInUse: Sendable {
  /// The estimator's spec in its one form.
  public let spec: PartSpec
  /// Whether the estimator finds motion; true as long as it is not made.
  public let findsMotion: Bool

  /// The flow of a pipeline by its spec.
  public init(_ spec: PartSpec, findsMotion: Bool = true) {
    (self.spec, self.findsMotion) = (spec, findsMotion)
  }
}

extension BuildContext {
  /// Says where a part looks at optical flow and there is none to look at.
  public func warnOfMissingMotion(_ part: String) {
    guard self[FlowInUse.self]?.findsMotion == false else { return }
    note(warning: "\(part) looks at optical flow, and the pipeline's finds no motion")
  }
}
