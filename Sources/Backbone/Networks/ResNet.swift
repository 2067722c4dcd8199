// SPDX-License-Identifier: Apache-2.0

public import Layers
internal import Tensors

/// A residual network without its classifier (He et al., CVPR 2016), of any width and output
/// stride.
///
/// Parameters bear torchvision's names. An output stride of 16 or 8 replaces the last one or two
/// strides of 2 by dilation, as torchvision does: the first block of such a stage keeps the
/// dilation before it. With bottlenecks the network then computes at more places what the same
/// weights give at an output stride of 32; torchvision dilates no others.
public struct ResNet: Encoder, LayeredEncoder {
  /// How many blocks each stage has, and of which kind.
  public enum Depth: Int, Hashable, Sendable, CaseIterable {
    /// One block a stage, half of eighteen; the paper has no such network.
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

  /// `stem`, then `layer1` to `layer4`.
  public let stages: [EncoderStage]
  var layers: [Sequential]

  /// A network whose channels are multiplied by `width`, drawn or read in `scope`.
  ///
  /// - Precondition: the output stride is 8, 16 or 32, and the width leaves at least one channel.
  public init(
    _ depth: Depth, width: Double = 1, outputStride: Int = 32, in scope: ParameterScope
  ) throws {
    precondition([8, 16, 32].contains(outputStride), "an output stride of \(outputStride)")
    func scaled(_ channels: Int) -> Int { max(1, Int((Double(channels) * width).rounded())) }
    let first = scaled(64)
    let stem = try Conv2d(3, first, kernel: 7, stride: 2, bias: false, in: scope["conv1"])
    var layers = [Sequential([try ConvolutionBlock(normalising: stem, in: scope["bn1"])])]
    var stages = [EncoderStage("stem", stride: 2, channels: first)]
    var (channels, stride, dilation) = (first, 4, 1)
    for (index, count) in depth.blocks.enumerated() {
      let before = dilation
      var step = index == 0 ? 1 : 2
      if stride * step > outputStride { (step, dilation) = (1, dilation * 2) }
      stride *= step
      let row = try ResidualRow(
        count, inputs: channels, width: scaled(64 << index), stride: step,
        dilation: (before, dilation), bottleneck: depth.isBottlenecked,
        in: scope["layer\(index + 1)"])
      channels = row.channels
      let pool = Pool2d(.largest, size: 3, stride: 2, padding: 1)
      layers.append(Sequential(index == 0 ? [pool] + row.blocks : row.blocks))
      stages.append(EncoderStage("layer\(index + 1)", stride: stride, channels: channels))
    }
    (self.layers, self.stages) = (layers, stages)
  }
}

/// The blocks of one stage.
private struct ResidualRow {
  let blocks: [any Layer]
  let channels: Int

  init(
    _ count: Int, inputs: Int, width: Int, stride: Int, dilation: (before: Int, after: Int),
    bottleneck: Bool, in scope: ParameterScope
  ) throws {
    var blocks: [any Layer] = []
    channels = bottleneck ? 4 * width : width
    for index in 0..<count {
      let shape = BlockShape(
        inputs: index == 0 ? inputs : channels, width: width, outputs: channels,
        stride: index == 0 ? stride : 1, dilation: index == 0 ? dilation.before : dilation.after)
      blocks.append(
        bottleneck
          ? try Bottleneck(shape, in: scope[index]) : try BasicBlock(shape, in: scope[index]))
    }
    self.blocks = blocks
  }
}
