// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
internal import Layers

/// A propagator, or a fusion, of one map that can be written as operators of an ONNX graph.
///
/// It is written as it is run: what `propagate` or `fuse` does to tensors, `write` does to values
/// of a graph, and an ``OnnxFrame`` stands in the place of the `FrameContext`. A part of your own
/// that conforms is exported as those of this package are.
public protocol OnnxPart: Sendable {
  /// Adds what the part does to the frame's graph, and gives what becomes of `map`, both 1 × C × H
  /// × W.
  ///
  /// A propagator is given the map of the frame that it reads, a fusion what was propagated.
  func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue

  /// The map that the next frame's is made from, where `map` became `propagated` at this one.
  ///
  /// It is asked of propagators that go from frame to frame only. What was propagated, unless one
  /// says otherwise.
  func next(
    after map: OnnxValue, propagated: OnnxValue, given frame: inout OnnxFrame
  ) throws -> OnnxValue
}

extension OnnxPart {
  /// What was propagated, unless a part says otherwise.
  public func next(
    after _: OnnxValue, propagated: OnnxValue, given _: inout OnnxFrame
  ) throws -> OnnxValue { propagated }
}

/// A branch that can be written as operators of an ONNX graph.
public protocol OnnxBranch: Sendable {
  /// Adds the branch to a graph, and gives what it makes of `pictures`, 1 × 3 × H × W in blue,
  /// green and red from 0 to 255: 1 × C × h × w.
  func write(_ pictures: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue
}

extension Branch {
  /// What the branch makes of `pictures`, as an ``OnnxBranch`` writes it.
  ///
  /// - Throws: `PropagationError` for a branch that is none.
  public func written(
    _ pictures: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    guard let branch = self as? any OnnxBranch else {
      throw PropagationError("\(Self.self) cannot be written as ONNX operators")
    }
    return try branch.write(pictures, to: &graph)
  }
}

extension NetworkBranch: OnnxBranch {
  /// What the network gives of the pictures, made smaller by `scale` first.
  public func write(
    _ pictures: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let (height, width) = (reduced(pictures.sizes[2]), reduced(pictures.sizes[3]))
    let seen = graph.averaged(pictures, height: height, width: width)
    var pass = OnnxPass(graph.scaled(seen, by: network.specification.input.scaling))
    let folded = try network.folded()
    for index in 0..<stages { try folded.write(stage: index, of: &pass, to: &graph) }
    return pass.main ?? seen
  }
}

extension Copy: OnnxPart {
  /// The map as it is.
  public func write(_ map: OnnxValue, given _: inout OnnxFrame) -> OnnxValue { map }
}

extension Warp: OnnxPart {
  /// The map of the frame that is read, along the motion from there.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let motion = try frame.flow(to: reference, height: map.sizes[2], width: map.sizes[3]).motion
    return frame.graph.warped(map, along: motion, border: border)
  }
}
