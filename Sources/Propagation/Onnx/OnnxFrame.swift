// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
internal import Layers
internal import Tensors
internal import Video

/// What can be asked of a frame while a part is written as ONNX operators: a `FrameContext` whose
/// answers are values of a graph.
///
/// What is asked for becomes an input of the model, or is computed in it from one; what nobody asks
/// for is no part of the model.
public struct OnnxFrame {
  /// The graph that the part is written into.
  public var graph = OnnxGraphBuilder(name: "frame")
  /// The inputs that were asked for, first to last.
  private(set) var inputs: [ExportedPort] = []
  /// The stages whose features of the key frame were asked for.
  private(set) var keptStages: [String] = []
  /// Whether the frame's own map at the tap was asked for.
  private(set) var readsOwnMap = false
  private let site: OnnxSite
  private var values: [String: OnnxValue] = [:]
  private var flows: [FlowReference: (motion: OnnxValue, unknown: OnnxValue)] = [:]
  /// What the network's first stages make of the frame, as far as they are written.
  private var stages: [OnnxValue] = []
  private var pass = OnnxPass()

  init(at site: OnnxSite) { self.site = site }
}

// As a `FrameContext` is asked.
extension OnnxFrame {
  /// A frame's pixels, 1 × 3 × H × W: blue, green and red from 0 to 255.
  ///
  /// - Throws: `PropagationError` for a frame that is neither the current nor the key frame nor the
  ///   one before.
  public mutating func image(_ side: FrameSide) throws(PropagationError) -> OnnxValue {
    let sizes = [1, 3, site.size.height, site.size.width]
    guard case .reference(let reference) = side else {
      return input("frame", sizes, "the frame: \(OnnxSite.pixels)")
    }
    let (name, title) = try Self.names(of: reference)
    return input("\(name)_frame", sizes, "\(title): \(OnnxSite.pixels)")
  }

  /// The optical flow on any grid, 1 × 2 × height × width in cells of it, 0 where it is not known;
  /// and 1 × 1 × height × width numbers, 1 where it is known and 0 where it is not.
  ///
  /// The model's input is the flow in pixels of the frame, not a number (NaN) where it is not
  /// known.
  ///
  /// - Throws: `PropagationError` for a frame that is neither the key frame nor the one before.
  public mutating func flow(
    to reference: FlowReference, height: Int, width: Int
  ) throws(PropagationError) -> (motion: OnnxValue, known: OnnxValue) {
    let (motion, unknown) = try wholeFlow(to: reference)
    // Where any cell that is read is not known, what is read is not.
    let reach = graph.resized(unknown, height: height, width: width)
    let sizes = reach.sizes
    let isUnknown = graph.node("Greater", [reach, graph.constant(0)], sizes: sizes)
    let known = graph.node(
      "Where", [isUnknown, graph.constant(0), graph.constant(1)], sizes: sizes)
    let ratio = [
      Float(width) / Float(site.size.width), Float(height) / Float(site.size.height),
    ]
    let scaled = graph.elementwise(
      "Mul", graph.resized(motion, height: height, width: width),
      graph.constant(ratio, sizes: [1, 2, 1, 1]))
    return (graph.elementwise("Mul", scaled, known), known)
  }

  /// A frame's features after the named stage of the backbone, 1 × C × h × w.
  ///
  /// The frame's own are computed in the model, but for those at the tap: these are the key
  /// network's, run on the frame, and an input. Those of the key frame are an input.
  ///
  /// - Throws: `BackboneError` where there is no such stage; `PropagationError` for a stage after
  ///   the tap, and for features of another frame.
  public mutating func features(
    after stage: String, of side: FrameSide = .current
  ) throws -> OnnxValue {
    let count = try site.network.index(ofStage: stage) + 1
    guard count <= site.tapCount else {
      throw PropagationError("the stage '\(stage)' comes after the one that is propagated")
    }
    guard side == .current else {
      guard side == .keyframe else {
        throw PropagationError("only features of this frame and of the key frame can be exported")
      }
      if !keptStages.contains(stage) { keptStages.append(stage) }
      return input(
        "key_\(stage)", try site.sizes(after: count),
        "what the key network gave of the key frame as '\(stage)'")
    }
    guard count < site.tapCount else {
      readsOwnMap = true
      return input("own", site.map, "features that the key network gives of this frame")
    }
    while stages.count < count { try runStage() }
    return stages[count - 1]
  }
}

extension OnnxFrame {
  /// An input of the model: the same value whenever it is asked for.
  mutating func input(_ name: String, _ sizes: [Int], _ meaning: String) -> OnnxValue {
    if let known = values[name] { return known }
    let value = graph.input(name, sizes: sizes)
    values[name] = value
    inputs.append(ExportedPort(name: name, sizes: sizes, meaning: meaning))
    return value
  }

  /// What stages after the tap read of the frame itself.
  mutating func skips() throws -> [OnnxValue] {
    while pass.skips.count < site.skips.count { try runStage() }
    return Array(pass.skips.prefix(site.skips.count))
  }

  private mutating func runStage() throws {
    if stages.isEmpty {
      let frame = try image(.current)
      pass.main = graph.scaled(frame, by: site.network.specification.input.scaling)
    }
    try site.network.write(stage: stages.count, of: &pass, to: &graph)
    guard let output = pass.main else { throw PropagationError("a stage gave nothing") }
    stages.append(output)
  }

  /// The flow of the whole frame, 0 where it is not known, and 1 there, as one map.
  private mutating func wholeFlow(
    to reference: FlowReference
  ) throws(PropagationError) -> (motion: OnnxValue, unknown: OnnxValue) {
    if let known = flows[reference] { return known }
    let (name, title) = try Self.names(of: reference)
    let (height, width) = (site.size.height, site.size.width)
    let given = input(
      "flow_to_\(name)", [1, 2, height, width],
      "where each pixel of the frame was in \(title): (dx, dy) in pixels, x to the right, y down; "
        + "not a number where it is not known")
    let isNone = graph.node("IsNaN", [given], sizes: given.sizes)
    let motion = graph.node("Where", [isNone, graph.constant(0), given], sizes: given.sizes)
    let marks = graph.node(
      "Where", [isNone, graph.constant(1), graph.constant(0)], sizes: given.sizes)
    let unknown = graph.elementwise(
      "Max", graph.slice(marks, axis: 1, 0..<1), graph.slice(marks, axis: 1, 1..<2))
    flows[reference] = (motion, unknown)
    return (motion, unknown)
  }

  private static func names(
    of reference: FlowReference
  ) throws(PropagationError) -> (name: String, title: String) {
    switch reference {
    case .keyframe: ("key", "the last key frame")
    case .previous: ("previous", "the frame before")
    case .scored, .refreshed:
      throw PropagationError(
        "what reads the last frame whose scores were made, or on which some stages ran, is not "
          + "exported: a model knows the key frame and the frame before")
    }
  }
}

/// Where a part is written: a network, the stage that is propagated, a size of pictures.
struct OnnxSite {
  /// The network, folded.
  let network: SegmentationNetwork
  let size: PixelSize
  /// How many stages lead to the map that is propagated.
  let tapCount: Int
  /// The sizes of that map, and of what later stages read of those before it.
  let map: [Int], skips: [[Int]]

  static let pixels = "blue, green, red, each 0 to 255"

  init(_ network: SegmentationNetwork, tap: String?, size: PixelSize) throws {
    self.network = try network.folded()
    self.size = size
    tapCount = try tap.map { try network.index(ofStage: $0) + 1 } ?? network.stages.count
    let there = try network.shapes(ofStagesBefore: tapCount, for: size)
    (map, skips) = (there.main, there.skips)
  }

  /// Whether anything comes after the map that is propagated.
  var hasRest: Bool { tapCount < network.stages.count }

  func sizes(after count: Int) throws -> [Int] {
    try network.shapes(ofStagesBefore: count, for: size).main
  }
}
