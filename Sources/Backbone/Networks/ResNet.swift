// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// A residual network without its classifier (He et al., CVPR 2016), of any width and output stride.
///
/// Parameters bear torchvision's names. An output stride of 16 or 8 replaces the last one or two
/// strides of 2 by dilation, as torchvision does: the first block of such a stage keeps the
/// dilation before it.
public struct ResNet: Encoder {
  /// How many blocks each stage has, and of which kind.
  public enum Depth: Int, Hashable, Sendable, CaseIterable {
    case ten = 10
    case eighteen = 18
    case thirtyFour = 34
    case fifty = 50
    case hundredAndOne = 101

    var blocks: [Int] {
      switch self {
      case .ten: [1, 1, 1, 1]
      case .eighteen: [2, 2, 2, 2]
      case .thirtyFour, .fifty: [3, 4, 6, 3]
      case .hundredAndOne: [3, 4, 23, 3]
      }
    }

    var isBottlenecked: Bool { rawValue >= 50 }
  }

  public let stages: [EncoderStage]
  private let layers: [Sequential]

  /// - Precondition: the output stride is 8, 16 or 32, and the width leaves at least one channel.
  public init(
    _ depth: Depth, width: Double = 1, outputStride: Int = 32, in scope: ParameterScope
  ) throws {
    precondition([8, 16, 32].contains(outputStride), "an output stride of \(outputStride)")
    func scaled(_ channels: Int) -> Int { max(1, Int((Double(channels) * width).rounded())) }
    let first = scaled(64)
    var layers = [
      Sequential([
        try Conv2d(3, first, kernel: 7, stride: 2, bias: false, in: scope["conv1"]),
        try BatchNorm2d(first, rectified: true, in: scope["bn1"]),
      ])
    ]
    var stages = [EncoderStage("stem", stride: 2, channels: first)]
    var (channels, stride, dilation) = (first, 4, 1)
    for (index, count) in depth.blocks.enumerated() {
      let before = dilation
      var step = index == 0 ? 1 : 2
      if stride * step > outputStride { (step, dilation) = (1, dilation * 2) }
      stride *= step
      let row = try ResidualRow(
        count, inputs: channels, width: scaled(64 << index), stride: step,
        dilations: (before, dilation), bottleneck: depth.isBottlenecked,
        in: scope["layer\(index + 1)"])
      channels = row.channels
      let pool = Pool2d(.largest, size: 3, stride: 2, padding: 1)
      layers.append(Sequential(index == 0 ? [pool] + row.blocks : row.blocks))
      stages.append(EncoderStage("layer\(index + 1)", stride: stride, channels: channels))
    }
    (self.layers, self.stages) = (layers, stages)
  }

  public func run(
    stage index: Int, on input: Tensor, in pass: Pass
  ) throws(TensorError) -> Tensor {
    try layers[index](input, in: pass)
  }
}

/// The blocks of one stage.
private struct ResidualRow {
  let blocks: [any Layer]
  let channels: Int

  init(
    _ count: Int, inputs: Int, width: Int, stride: Int, dilations: (first: Int, rest: Int),
    bottleneck: Bool, in scope: ParameterScope
  ) throws {
    var blocks: [any Layer] = []
    channels = bottleneck ? 4 * width : width
    for index in 0..<count {
      let shape = BlockShape(
        inputs: index == 0 ? inputs : channels, width: width, outputs: channels,
        stride: index == 0 ? stride : 1, dilation: index == 0 ? dilations.first : dilations.rest)
      blocks.append(
        bottleneck
          ? try Bottleneck(shape, in: scope[index]) : try BasicBlock(shape, in: scope[index]))
    }
    self.blocks = blocks
  }
}

struct BlockShape {
  let inputs: Int, width: Int, outputs: Int
  let stride: Int, dilation: Int
}

/// The input, plus what two convolutions make of it (He et al., figure 5 left).
struct BasicBlock: Layer {
  private let conv1: Conv2d, bn1: BatchNorm2d
  private let conv2: Conv2d, bn2: BatchNorm2d
  private let downsample: Sequential

  init(_ shape: BlockShape, in scope: ParameterScope) throws {
    conv1 = try Conv2d(
      shape.inputs, shape.width, kernel: 3, stride: Extent(shape.stride),
      dilation: Extent(shape.dilation), bias: false, in: scope["conv1"])
    bn1 = try BatchNorm2d(shape.width, rectified: true, in: scope["bn1"])
    conv2 = try Conv2d(
      shape.width, shape.width, kernel: 3, dilation: Extent(shape.dilation), bias: false,
      in: scope["conv2"])
    bn2 = try BatchNorm2d(shape.width, in: scope["bn2"])
    downsample = try shortcut(shape, in: scope["downsample"])
  }

  func callAsFunction(_ input: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    let inner = try bn1(conv1(input, in: pass), in: pass)
    let residual = try bn2(conv2(inner, in: pass), in: pass)
    return try residual.addingRectified(downsample(input, in: pass).cast(to: residual.type))
  }
}

/// The input, plus what a narrow convolution between two 1×1 makes of it (He et al., figure 5 right).
///
/// The stride is taken by the 3×3, as in torchvision.
struct Bottleneck: Layer {
  private let conv1: Conv2d, bn1: BatchNorm2d
  private let conv2: Conv2d, bn2: BatchNorm2d
  private let conv3: Conv2d, bn3: BatchNorm2d
  private let downsample: Sequential

  init(_ shape: BlockShape, in scope: ParameterScope) throws {
    conv1 = try Conv2d(shape.inputs, shape.width, kernel: 1, bias: false, in: scope["conv1"])
    bn1 = try BatchNorm2d(shape.width, rectified: true, in: scope["bn1"])
    conv2 = try Conv2d(
      shape.width, shape.width, kernel: 3, stride: Extent(shape.stride),
      dilation: Extent(shape.dilation), bias: false, in: scope["conv2"])
    bn2 = try BatchNorm2d(shape.width, rectified: true, in: scope["bn2"])
    conv3 = try Conv2d(shape.width, shape.outputs, kernel: 1, bias: false, in: scope["conv3"])
    bn3 = try BatchNorm2d(shape.outputs, in: scope["bn3"])
    downsample = try shortcut(shape, in: scope["downsample"])
  }

  func callAsFunction(_ input: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    let narrow = try bn1(conv1(input, in: pass), in: pass)
    let inner = try bn2(conv2(narrow, in: pass), in: pass)
    let residual = try bn3(conv3(inner, in: pass), in: pass)
    return try residual.addingRectified(downsample(input, in: pass).cast(to: residual.type))
  }
}

/// What brings a block's input to the shape of its output; no layers where it has it.
private func shortcut(_ shape: BlockShape, in scope: ParameterScope) throws -> Sequential {
  guard shape.stride != 1 || shape.inputs != shape.outputs else { return Sequential([]) }
  return Sequential([
    try Conv2d(
      shape.inputs, shape.outputs, kernel: 1, stride: Extent(shape.stride), bias: false,
      in: scope[0]),
    try BatchNorm2d(shape.outputs, in: scope[1]),
  ])
}
