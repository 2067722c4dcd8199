// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Foundation
internal import Layers
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Specification
internal import Tensors
internal import Video

/// What a network consists of, and what each of its stages costs for a picture of one size.
struct NetworkInspection: Encodable {
  let schemaVersion = 1
  let path: String
  let kind: String
  /// Whether the weights are those of the folder, or drawn.
  let isTrained: Bool
  /// Height and width.
  let size: [Int]
  private(set) var stages: [Stage] = []
  let parameters: Int
  let macs: Int

  struct Stage: Encodable {
    let name: String
    let stride: Int
    /// Channels, height and width.
    let output: [Int]
    let parameters: Int
    let macs: Int
  }

  init(
    _ folder: ModelFolder, kind: String, size: PixelSize, ledger: MACCounter,
    parameters all: Parameters, stage: (String) -> String
  ) {
    (path, self.kind, isTrained) = (folder.path, kind, folder.isTrained)
    self.size = [size.height, size.width]
    (parameters, macs) = (all.count, ledger.macs)
    var counts: [String: Int] = [:]
    for parameter in all.all where parameter.kind != .statistic {
      counts[stage(parameter.name), default: 0] += parameter.tensor.count
    }
    for stage in ledger.stages {
      // A network that runs twice has its parameters once.
      let count = counts.removeValue(forKey: stage.name) ?? 0
      stages.append(
        Stage(
          name: stage.name, stride: stage.stride,
          output: Array(stage.output.dimensions.dropFirst()), parameters: count,
          macs: stage.macs))
    }
  }

  /// Runs a segmentation network on an empty picture.
  init(_ folder: NetworkFolder, size: PixelSize?) throws {
    let fixed = folder.specification.input.size
    if let size, let fixed, size != fixed {
      throw Failure(.usage, "\(folder.path) takes pictures of \(fixed), not of \(size)")
    }
    let size = size ?? fixed ?? Self.usualSize
    let network = try folder.loadOrDraw()
    let ledger = MACCounter()
    try withoutGradients {
      let input = try network.input(for: Self.frame(of: size))
      let features = try network.run(
        0..<network.stages.count, on: Features(input), in: .counting(in: ledger))
      _ = try network.head(features.main, size: size, in: .counting(in: ledger))
    }
    self.init(
      folder.folder, kind: "segmentation", size: size, ledger: ledger,
      parameters: network.parameters, stage: network.stage)
  }

  /// Runs a flow network on a pair of empty pictures.
  init(flowIn folder: ModelFolder, size: PixelSize?) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try FlowNetSpecification(root)
    }
    let flow = NetworkFlow(
      try folder.loadOrDraw { try FlowNetwork(specification, parameters: $0) })
    let (size, ledger) = (size ?? Self.usualSize, MACCounter())
    let frame = Self.frame(of: size)
    _ = try flow.motion(from: frame, to: frame, in: .counting(in: ledger))
    self.init(
      folder, kind: "flow", size: size, ledger: ledger, parameters: flow.network.parameters,
      stage: FlowNetS.stage)
  }

  /// Runs a trained propagation on a pair of empty pictures: what a non-key frame costs, but for
  /// the estimate of its optical flow.
  init(propagationIn folder: ModelFolder, size: PixelSize?) throws {
    let specification = try PropagationSpecification(
      folder, in: Parts.registries.trainablePropagations)
    let backbone = try NetworkFolder(at: specification.backbone).loadOrDraw()
    let (part, parameters) = try folder.loadOrDraw { parameters in
      (try specification.part(behind: backbone, parameters: parameters), parameters)
    }
    let size = size ?? backbone.inputSize ?? Self.usualSize
    let ledger = MACCounter()
    try withoutGradients {
      let frame = PropagatedFrame(
        backbone, tap: specification.tap, of: size, countedIn: ledger)
      try frame.run(part)
    }
    let name = part.fusion == nil ? "carry" : "fuse"
    self.init(
      folder, kind: "propagation", size: size, ledger: ledger, parameters: parameters,
      stage: { _ in name })
  }

  /// Runs a trained change score on an empty change: what a frame costs whose features or motion
  /// are known.
  init(changeScoreIn folder: ModelFolder, size: PixelSize?) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try ChangeScoreSpecification(root, folder: folder.path)
    }
    let backbone = try NetworkFolder(at: specification.backbone).loadOrDraw()
    let changeScore = try folder.loadOrDraw { parameters in
      try LearnedChangeScore(
        specification, channels: { try backbone.channels(after: $0) }, parameters: parameters)
    }
    let (size, ledger) = (size ?? backbone.inputSize ?? Self.usualSize, MACCounter())
    let change = try withoutGradients {
      try changeScore.emptyChange(behind: backbone, size: size)
    }
    let said = try withoutGradients {
      try changeScore.predict(change, in: .counting(in: ledger))
    }
    ledger.end("predict", stride: size.height / change.shape[2], giving: said)
    self.init(
      folder, kind: "change_score", size: size, ledger: ledger,
      parameters: changeScore.parameters, stage: { _ in "predict" })
  }

  /// Runs a policy on one frame's numbers, whose size does not matter.
  init(policyIn folder: ModelFolder) throws {
    let specification = try folder.read { (root) throws(SpecificationError) in
      try PolicySpecification(root, folder: folder.path)
    }
    let network = try folder.loadOrDraw {
      try PolicyNetwork(size: specification.size, parameters: $0)
    }
    let ledger = MACCounter()
    let nothing = PolicyObservation.nothing.observation(
      framesSinceKeyframe: 1, within: KeyframeBudget(.rate(0.1)))
    try withoutGradients {
      let logits = try network.step(
        Tensor(nothing, shape: [1, nothing.count]), after: network.start(1),
        in: .counting(in: ledger)
      ).logits
      ledger.end("decide", stride: 1, giving: logits)
    }
    self.init(
      folder, kind: "policy", size: Self.usualSize, ledger: ledger,
      parameters: network.parameters, stage: { _ in "decide" })
  }

  static let usualSize = PixelSize(width: 480, height: 360)

  static func frame(of size: PixelSize) -> Frame {
    let pixels = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
    return Frame(index: 0, time: 0, pixels: pixels)
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, size, stages, parameters
    case schemaVersion = "schema_version"
    case isTrained = "trained"
    case macs = "macs"
  }
}

extension NetworkInspection.Stage {
  private enum CodingKeys: String, CodingKey {
    case name, stride, output, parameters
    case macs = "macs"
  }
}

extension NetworkInspection: CustomStringConvertible {
  var description: String {
    let weights = isTrained ? "trained" : "not trained"
    let rows = stages.map {
      row($0.name, "\($0.stride)", $0.output.shape, $0.parameters, $0.macs)
    }
    return
      (["\(path): \(kind), \(weights), a picture of \(size.shape)", heading] + rows
      + [row("total", "", "", parameters, macs)]).joined(separator: "\n")
  }

  private var heading: String { columns("", "stride", "output", "parameters", "M multiply-adds") }

  private func row(
    _ name: String, _ stride: String, _ output: String, _ parameters: Int, _ work: Int
  ) -> String {
    columns(
      name, stride, output, "\(parameters)", String(format: "%.2f", Double(work) / 1_000_000))
  }

  private func columns(
    _ name: String, _ stride: String, _ output: String, _ parameters: String, _ work: String
  ) -> String {
    "  " + name.filled(to: 12) + stride.pushed(to: 6) + output.pushed(to: 16)
      + parameters.pushed(to: 13) + work.pushed(to: 17)
  }
}

extension [Int] {
  /// Sizes as people write them: 3×360×480.
  var shape: String { map(String.init).joined(separator: "×") }
}

extension String {
  /// Filled up with spaces to `width` columns.
  func filled(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// Pushed to the right of `width` columns.
  func pushed(to width: Int) -> String {
    String(repeating: " ", count: max(1, width - count)) + self
  }
}
