// SPDX-License-Identifier: Apache-2.0

public import Layers
internal import Tensors

/// A small encoder for update and low-resolution branches: two strided convolutions, then residual
/// blocks at strides 4, 8, 16 and 32.
///
/// Plain 3×3 convolutions throughout: on processors they beat depthwise ones of as many
/// multiplications, which wait for memory. At width 1 the stages have 32, 64, 96 and 128 channels.
public struct LightNet: Encoder, LayeredEncoder {
  /// `stem`, then `stage1` to `stage4`.
  public let stages: [EncoderStage]
  var layers: [Sequential]

  /// An encoder whose channels are multiplied by `width`, drawn or read in `scope`.
  ///
  /// - Precondition: the output stride is 8, 16 or 32.
  public init(width: Double = 1, outputStride: Int = 32, in scope: ParameterScope) throws {
    precondition([8, 16, 32].contains(outputStride), "an output stride of \(outputStride)")
    func scaled(_ channels: Int) -> Int { max(1, Int((Double(channels) * width).rounded())) }
    let first = scaled(16)
    var layers = [
      Sequential([try ConvolutionBlock(3, first, kernel: 3, stride: 2, in: scope["stem"])])
    ]
    var stages = [EncoderStage("stem", stride: 2, channels: first)]
    var (inputs, stride, dilation) = (first, 2, 1)
    for (index, (channels, blocks)) in [(32, 1), (64, 2), (96, 2), (128, 2)].enumerated() {
      let step = stride < outputStride ? 2 : 1
      if step == 1 { dilation *= 2 }
      stride *= step
      var row: [any Layer] = []
      for block in 0..<blocks {
        let shape = BlockShape(
          inputs: block == 0 ? inputs : scaled(channels), width: scaled(channels),
          outputs: scaled(channels), stride: block == 0 ? step : 1, dilation: dilation)
        row.append(try BasicBlock(shape, in: scope["stage\(index + 1)"][block]))
      }
      inputs = scaled(channels)
      layers.append(Sequential(row))
      stages.append(EncoderStage("stage\(index + 1)", stride: stride, channels: inputs))
    }
    (self.layers, self.stages) = (layers, stages)
  }
}
