// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Engines
public import Flow
internal import Layers
public import Video

/// What a `FlowNetwork` found, as values of a graph.
struct OnnxFlowStep {
  /// Pixels of the frame that a cell of the motion spans, each way.
  let stride: Int
  /// 1 × 2 × rows × columns, (dx, dy) in pixels of the frame.
  let motion: OnnxValue
  /// What the motion was predicted from; nil where that is the coarsest level.
  let finestFeatures: OnnxValue?
}

extension FlowNetwork {
  /// The network as an ONNX model for pictures of `size`.
  ///
  /// From two pictures, 1 × 3 × height × width of blue, green and red from 0 to 255, to the optical
  /// flow, 1 × 2 × height × width: where each pixel of `frame` was in `reference`, in pixels, x to
  /// the right and y down.
  ///
  /// - Throws: `BackboneError` where a layer cannot be written.
  public func onnx(for size: PixelSize) throws -> ExportedNetwork {
    var graph = OnnxGraphBuilder(name: "flow")
    let sizes = [1, 3, size.height, size.width]
    let (frame, reference) = (
      graph.input("frame", sizes: sizes), graph.input("reference", sizes: sizes)
    )
    let step = try write(current: frame, reference: reference, to: &graph)
    let motion = graph.motion(of: step, onGridOf: 1, height: size.height, width: size.width)
    graph.output(motion, as: "flow")
    return ExportedNetwork(
      model: graph.model(producer: "inbetween"), inputs: ["frame", "reference"], outputs: ["flow"])
  }

  /// The finest motion between two pictures, 1 × 3 × H × W from 0 to 255, of the last pass.
  func write(
    current: OnnxValue, reference: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxFlowStep {
    let here = graph.scaled(current, by: specification.scaling)
    let there = graph.scaled(reference, by: specification.scaling)
    var step: OnnxFlowStep?
    for divisor in specification.steps {
      let now = graph.pooled(here, by: divisor)
      var then = graph.pooled(there, by: divisor)
      let before = step.map {
        graph.motion(of: $0, onGridOf: divisor, height: now.sizes[2], width: now.sizes[3])
      }
      if let before {
        let cells = graph.elementwise("Mul", before, graph.constant(1 / Float(divisor)))
        then = graph.warped(then, along: cells)
      }
      let found = try network.write(graph.joined([now, then]), to: &graph)
      let unit = graph.constant(specification.unit * Float(divisor))
      var motion = graph.elementwise("Mul", found.motion, unit)
      if let before {
        motion = graph.elementwise("Add", motion, graph.pooled(before, by: 1 << network.finest))
      }
      step = OnnxFlowStep(
        stride: divisor << network.finest, motion: motion, finestFeatures: found.features)
    }
    guard let step else { throw PropagationError("a flow network without a pass") }
    return step
  }
}

extension FlowNetS {
  /// The finest motion, in the network's unit, of 1 × 6 × H × W, and what it was predicted from.
  fileprivate func write(
    _ images: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> (motion: OnnxValue, features: OnnxValue?) {
    var (seen, skips) = (images, [images])
    for block in contraction {
      seen = try block.layers.write(seen, to: &graph)
      if block.endsLevel { skips.append(seen) }
    }
    var motion = try coarsest.write(seen, to: &graph)
    for level in expansion {
      let skip = skips[level.level]
      let up = try LeakyReLU(slope: 0.1).write(
        level.features.write(seen, to: &graph), to: &graph)
      let moved = try level.flow.write(motion, to: &graph)
      seen = graph.joined(
        [skip] + [up, moved].map { graph.cut($0, height: skip.sizes[2], width: skip.sizes[3]) })
      motion = try level.prediction.write(seen, to: &graph)
    }
    return (motion, expansion.isEmpty ? nil : seen)
  }
}

extension OnnxGraphBuilder {
  /// The motion, in pixels of the frame, on a grid whose cells span `stride` of them, as
  /// `FlowStep.motion(onGridOf:height:width:in:)` has it.
  mutating func motion(
    of step: OnnxFlowStep, onGridOf stride: Int, height: Int, width: Int
  ) -> Value {
    if step.stride < stride {
      return cut(pooled(step.motion, by: stride / step.stride), height: height, width: width)
    }
    let times = step.stride / stride
    let larger = resized(
      step.motion, height: step.motion.sizes[2] * times, width: step.motion.sizes[3] * times)
    return cut(larger, height: height, width: width)
  }

  /// Means over blocks of `factor` × `factor` cells; beyond the edge the nearest cell counts on.
  fileprivate mutating func pooled(_ map: Value, by factor: Int) -> Value {
    if factor == 1 { return map }
    let right = (factor - map.sizes[3] % factor) % factor
    let bottom = (factor - map.sizes[2] % factor) % factor
    var (whole, sizes) = (map, map.sizes)
    (sizes[2], sizes[3]) = (sizes[2] + bottom, sizes[3] + right)
    if right + bottom > 0 {
      whole = node(
        "Pad", [map, constant([0, 0, 0, 0, 0, 0, bottom, right])], sizes: sizes,
        [.word("mode", "edge")])
    }
    return averaged(whole, height: sizes[2] / factor, width: sizes[3] / factor)
  }

  /// The first `height` rows and `width` columns, where there are more.
  fileprivate mutating func cut(_ map: Value, height: Int, width: Int) -> Value {
    let rows = slice(map, axis: 2, 0..<min(height, map.sizes[2]))
    return slice(rows, axis: 3, 0..<min(width, map.sizes[3]))
  }
}
