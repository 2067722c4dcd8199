// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
internal import Foundation
public import Frames
public import Layers
public import Tensors

/// Features of the key frame, each place a mean over a neighbourhood of where the motion leads: a
/// spatially displaced convolution (SDC-Net; Reda et al., ECCV 2018, section 3.2).
///
/// Of the flow, the picture, the key frame's picture warped along it and their difference, 3 × 3
/// convolutions make a correction of the motion and two soft-maxed kernels a place, one of rows and
/// one of columns, shared by all channels; `Tensor.displaced(along:vertical:horizontal:)` applies
/// them. The paper predicts the motion too; here it is a part of the pipeline. It begins as a warp
/// along the motion, but for a hundredth each way.
public struct DisplacedConvolution: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// The key frame's map.
  public var remembered = RememberedMap()
  /// The parameters of the network that tells motion and kernels.
  public let parameters: Parameters
  /// Side of the kernels, in cells of what is propagated.
  public let size: Int
  private let layers: [Conv2d]
  private let correction: Conv2d, kernels: Conv2d

  /// A propagator with kernels of `size` cells, told by layers of `width` and twice as many
  /// channels.
  ///
  /// - Precondition: the size is odd, from 3 to 25.
  public init(size: Int = 5, width: Int = 16, parameters: Parameters) throws {
    precondition(size % 2 == 1 && (3...25).contains(size), "kernels of \(size)")
    (self.size, self.parameters) = (size, parameters)
    let scope = parameters.root
    layers = try [(11, width), (width, 2 * width)].enumerated().map { index, channels in
      try Conv2d(channels.0, channels.1, kernel: 3, in: scope["conv\(index + 1)"])
    }
    func last(_ outputs: Int, _ name: String) throws -> Conv2d {
      try Conv2d(
        2 * width, outputs, kernel: 3, initialisation: .constant(0), in: scope[name])
    }
    (correction, kernels) = (try last(2, "correction"), try last(2 * size, "kernels"))
  }

  /// The map with its channels last, as it is read fastest.
  public func prepared(_ map: Tensor) throws -> Tensor { try map.channelsLast() }

  /// The key frame's map, each place a mean around where the corrected motion leads.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let (height, width) = (map.shape[2], map.shape[3])
    let (motion, known) = try context.flow(to: reference, height: height, width: width)
    let pictures = try PictureChange(context, to: reference, along: motion, known: known)
    var seen = try pictures.joined(with: motion * (Float(pictures.cell) / 8))
    for layer in layers { seen = try layer(seen, in: pass).cast(to: .float32).relu() }
    let moved = try motion + correction(seen, in: pass).cast(to: .float32)
    let logits = try kernels(seen, in: pass).cast(to: .float32) + start()
    func kernel(_ channels: Range<Int>) throws -> Tensor {
      try logits.slice(axis: 1, channels).softmax(axis: 1)
    }
    pass.ledger?.add(macs: map.count * size * (size + 4))
    return try map.displaced(
      along: moved, vertical: kernel(0..<size), horizontal: kernel(size..<2 * size), known: known)
  }

  /// What makes the place itself weigh 99 of 100 each way where the network says nothing.
  private func start() throws(TensorError) -> Tensor {
    var logits = [Float](repeating: 0, count: 2 * size)
    for middle in [size / 2, size + size / 2] {
      logits[middle] = Float(log(99 * Double(size - 1)))
    }
    return try Tensor(logits, shape: [1, 2 * size, 1, 1]).to(parameters.device)
  }
}

/// Both pictures on the grid of a flow, the reference warped along it, in sixty-fourths of a sample
/// around 128.
struct PictureChange {
  let current: Tensor, warped: Tensor
  /// Pixels that a cell spans.
  let cell: Double

  init(
    _ context: FrameContext, to reference: FlowReference, along motion: Tensor, known: Tensor?
  ) throws {
    let size = Extent(height: motion.shape[2], width: motion.shape[3])
    let (here, there) = (
      try context.image(.current), try context.image(.reference(reference))
    )
    cell = Double(here.shape[3]) / Double(size.width)
    current = try (here.adaptiveAveragePool(size) - 128) / 64
    warped = try ((there.adaptiveAveragePool(size) - 128) / 64).warped(along: motion, known: known)
  }

  /// `before`, then the current picture, the warped one and what sets them apart: 9 channels.
  func joined(with before: Tensor...) throws -> Tensor {
    try .concatenate(before + [current, warped, current - warped], axis: 1)
  }
}

/// `PictureChange` as values of a graph.
struct OnnxPictureChange {
  let current: OnnxValue, warped: OnnxValue
  /// Pixels that a cell spans.
  let cell: Double

  init(
    _ frame: inout OnnxFrame, to reference: FlowReference, along motion: OnnxValue
  ) throws {
    let (height, width) = (motion.sizes[2], motion.sizes[3])
    let (here, there) = (try frame.image(.current), try frame.image(.reference(reference)))
    cell = Double(here.sizes[3]) / Double(width)
    current = frame.graph.centred(here, height: height, width: width)
    let seen = frame.graph.centred(there, height: height, width: width)
    warped = frame.graph.warped(seen, along: motion)
  }

  /// `before`, then the current picture, the warped one and what sets them apart.
  func joined(with before: [OnnxValue], in graph: inout OnnxGraphBuilder) -> OnnxValue {
    graph.joined(before + [current, warped, graph.elementwise("Sub", current, warped)])
  }
}

extension DisplacedConvolution: OnnxPart {
  /// The key frame's map, each place a mean around where the corrected motion leads.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let (height, width) = (map.sizes[2], map.sizes[3])
    let (motion, known) = try frame.flow(to: reference, height: height, width: width)
    let pictures = try OnnxPictureChange(&frame, to: reference, along: motion)
    let scaled = frame.graph.elementwise(
      "Mul", motion, frame.graph.constant(Float(pictures.cell) / 8))
    var seen = pictures.joined(with: [scaled], in: &frame.graph)
    for layer in layers {
      seen = frame.graph.elementwise("Relu", try layer.write(seen, to: &frame.graph))
    }
    // A cell whose motion is not known reads its own place, whatever the correction says.
    let moved = frame.graph.elementwise(
      "Mul", frame.graph.elementwise("Add", motion, try correction.write(seen, to: &frame.graph)),
      known)
    let logits = frame.graph.elementwise(
      "Add", try kernels.write(seen, to: &frame.graph), try frame.graph.constant(start()))
    let sides = [0..<size, size..<2 * size].map {
      frame.graph.softmax(frame.graph.slice(logits, axis: 1, $0))
    }
    return frame.graph.displaced(map, along: moved, vertical: sides[0], horizontal: sides[1])
  }
}
