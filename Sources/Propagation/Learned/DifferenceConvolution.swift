// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Scores that one convolution makes of the key frame's probabilities and of how the picture has
/// changed since (Budget-Aware; Mahasseni et al., CVPR 2017, section 3; its program was never
/// published).
///
/// φ ∗ [I - I_key ; P_key], and no motion. The kernel begins as seven times the probabilities at
/// the place itself, so that at first each place keeps its class.
public struct DifferenceConvolution: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// False: only the pictures are compared.
  public var usesFlow: Bool { false }
  /// The key frame's scores.
  public var remembered = RememberedMap()
  /// The parameters of the one convolution.
  public let parameters: Parameters
  private let convolution: Conv2d

  /// A propagator of scores of `classes` with a kernel of `size` cells each way.
  ///
  /// - Precondition: the size of the kernel is odd.
  public init(classes: Int, size: Int = 7, parameters: Parameters) throws {
    precondition(size % 2 == 1, "a kernel of \(size)")
    self.parameters = parameters
    convolution = try Conv2d(
      3 + classes, classes, kernel: Extent(size), initialisation: .passingLast(deviation: 0),
      in: parameters.root["convolution"])
  }

  /// Scores, N × classes × H × W, of the key frame's probabilities and the pictures' difference.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let size = Extent(height: map.shape[2], width: map.shape[3])
    let change =
      try context.image(.current).adaptiveAveragePool(size)
      - context.image(.keyframe).adaptiveAveragePool(size)
    let input = try Tensor.concatenate([change / 64, map.softmax(axis: 1)], axis: 1)
    return try convolution(input, in: pass).cast(to: .float32) * 7
  }
}

extension DifferenceConvolution: OnnxPart {
  /// Scores of the key frame's probabilities and the pictures' difference.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let (height, width) = (map.sizes[2], map.sizes[3])
    let here = frame.graph.averaged(try frame.image(.current), height: height, width: width)
    let there = frame.graph.averaged(try frame.image(.keyframe), height: height, width: width)
    let change = frame.graph.elementwise(
      "Div", frame.graph.elementwise("Sub", here, there), frame.graph.constant(64))
    let input = frame.graph.joined([change, frame.graph.softmax(map)])
    return frame.graph.elementwise(
      "Mul", try convolution.write(input, to: &frame.graph), frame.graph.constant(7))
  }
}
