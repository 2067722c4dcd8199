// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Flow
public import Frames
public import Layers
public import Tensors

/// Features of the key frame along the motion that a network of its own finds, each number times
/// what that network says of it (Deep Feature Flow; Zhu et al., CVPR 2017, section 3).
///
/// warp(F_keyframe, M) ⊙ S. The flow network reads both pictures and gives the motion M and, by a 1
/// × 1 convolution of its finest features, the scale field S, one number a channel and place. As in
/// the paper's program that convolution begins as zero and its offset stays 1, so that at first S
/// is 1. The task's loss reaches the flow network through the warp, which by the paper's own
/// ablation matters most.
public struct ScaledWarp: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// False: the motion is its own network's.
  public var usesFlow: Bool { false }
  /// The key frame's map.
  public var remembered = RememberedMap()
  /// The parameters of the flow network and of the scale field.
  public let parameters: Parameters
  /// The network that finds the motion, trained with the task.
  public let flow: FlowNetwork
  private let scale: Conv2d

  /// A warp of features with `channels`, its flow network drawn or read as `parameters` says.
  public init(
    channels: Int, flow specification: FlowNetSpecification, parameters: Parameters
  ) throws {
    self.parameters = parameters
    flow = try FlowNetwork(specification, parameters: parameters, in: parameters.root["flow"])
    scale = try Conv2d(
      flow.network.finestChannels, channels, kernel: 1, bias: false, initialisation: .constant(0),
      in: parameters.root["scale"])
  }

  /// The map with its channels last, as it is read fastest.
  public func prepared(_ map: Tensor) throws -> Tensor { try map.channelsLast() }

  /// The key frame's map along the motion, times the scale field; both pictures are asked for.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    try propagate(map, planes: nil, given: context, in: pass).map
  }

  /// True: that of its own network.
  public var findsMotion: Bool { true }

  /// The key frame's map along the motion, times the scale field, and `planes` along the same
  /// motion as they are.
  public func propagate(
    _ map: Tensor, beside planes: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (map: Tensor, planes: Tensor?) {
    try propagate(map, planes: planes, given: context, in: pass)
  }

  private func propagate(
    _ map: Tensor, planes: Tensor?, given context: FrameContext, in pass: ForwardContext
  ) throws -> (map: Tensor, planes: Tensor?) {
    let scaling = flow.specification.scaling
    let current = try context.image(.current).scaled(by: scaling)
    let reference = try context.image(.keyframe).scaled(by: scaling)
    let steps = try flow.steps(from: current, to: reference, in: pass)
    guard let step = steps.last, let features = step.finestFeatures else { return (map, planes) }
    func warped(_ map: Tensor) throws -> Tensor {
      let (height, width) = (map.shape[2], map.shape[3])
      let cell = max(1, Int((Double(current.shape[3]) / Double(width)).rounded()))
      let motion = try step.motion(onGridOf: cell, height: height, width: width, in: pass)
      return try map.warped(along: motion / Float(cell))
    }
    pass.ledger?.add(macs: 5 * map.count)
    let scales = try scale(features, in: pass).cast(to: .float32)
      .resized(height: map.shape[2], width: map.shape[3], in: pass)
    return (try warped(map) * (scales + 1), try planes.map(warped))
  }
}

extension ScaledWarp: OnnxPart {
  /// The key frame's map along the motion, times the scale field; both pictures are read.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let (here, there) = (try frame.image(.current), try frame.image(.keyframe))
    let step = try flow.write(current: here, reference: there, to: &frame.graph)
    guard let features = step.finestFeatures else { return map }
    let (height, width) = (map.sizes[2], map.sizes[3])
    let cell = max(1, Int((Double(here.sizes[3]) / Double(width)).rounded()))
    let motion = frame.graph.motion(of: step, onGridOf: cell, height: height, width: width)
    let cells = frame.graph.elementwise("Div", motion, frame.graph.constant(Float(cell)))
    let scales = frame.graph.resized(
      try scale.write(features, to: &frame.graph), height: height, width: width)
    return frame.graph.elementwise(
      "Mul", frame.graph.warped(map, along: cells),
      frame.graph.elementwise("Add", scales, frame.graph.constant(1)))
  }
}
