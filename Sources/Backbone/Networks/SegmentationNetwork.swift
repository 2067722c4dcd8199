// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors
public import Video

/// An encoder, a view of the surroundings, and a decoder that joins finer features step by step.
///
/// The stages are the encoder's, then `context` at the coarsest stride, then `decoder` at the stride
/// of the finest features it joins, where there is one. What comes after is `head`: a 1×1
/// convolution to scores, which are interpolated to the size of the frame. Where the decoder joins
/// the output of an encoder's stage, features cut in between carry it as a skip.
public struct SegmentationNetwork: Backbone {
  public let specification: NetworkSpecification
  public let stages: [Stage]
  public let head: ClassifierHead
  /// All of the network's, the head's included.
  public let parameters: Parameters
  private let encoder: any Encoder
  private let context: any Layer
  private let decoder: [DecoderStep]

  /// A network with parameters drawn or read as `parameters` says.
  ///
  /// - Throws: `BackboneError` where the specification joins a stride that the encoder does not have,
  ///   and what reading parameters throws.
  public init(_ specification: NetworkSpecification, parameters: Parameters) throws {
    let scope = parameters.root
    let encoder = try specification.encoder.make(in: scope["encoder"])
    let last = encoder.stages[encoder.stages.count - 1]
    context = try specification.context.layer(
      last.channels, specification.contextChannels, in: scope["context"])
    var (steps, channels): ([DecoderStep], Int) = ([], specification.contextChannels)
    for join in specification.joins {
      guard let index = encoder.stages.lastIndex(where: { $0.stride == join.stride }),
        index < encoder.stages.count - 1
      else {
        let strides = Set(encoder.stages.dropLast().map(\.stride)).sorted()
        throw BackboneError(
          .badDescription, "no features of stride \(join.stride) to join; there are \(strides)")
      }
      steps.append(
        try DecoderStep(
          from: index, fine: encoder.stages[index].channels, coarse: channels,
          outputs: join.channels, in: scope["decoder"]["\(join.stride)"]))
      channels = join.channels
    }
    head = try ClassifierHead(
      channels, classes: specification.classes, in: scope["classifier"])
    decoder = steps
    var stages = encoder.stages.map { Stage($0.name, stride: $0.stride) }
    stages.append(Stage("context", stride: last.stride))
    if let finest = specification.joins.last {
      stages.append(Stage("decoder", stride: finest.stride))
    }
    (self.specification, self.encoder, self.stages, self.parameters) = (
      specification, encoder, stages, parameters
    )
  }

  public var inputSize: PixelSize? { specification.input.size }

  public func input(for frame: Frame) throws -> Tensor {
    try specification.input.tensor(of: frame.pixels)
  }

  public func run(_ range: Range<Int>, on input: Features) throws -> Features {
    try withoutGradients { try run(range, on: input, in: .inference) }
  }

  /// As `run(_:on:)`, for N images, in a pass that may be one of training.
  public func run(
    _ range: Range<Int>, on input: Features, in pass: Pass
  ) throws(TensorError) -> Features {
    var features = input
    for index in range { features = try run(stage: index, on: features, in: pass) }
    return features
  }

  /// Scores at the stride of the last stage, N × classes × H × W, of images N × 3 × height × width.
  public func scores(of images: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    try head.scores(
      of: run(0..<stages.count, on: Features(images), in: pass).main, in: pass)
  }

  private func run(
    stage index: Int, on input: Features, in pass: Pass
  ) throws(TensorError) -> Features {
    if index < encoder.stages.count {
      let output = try encoder.run(stage: index, on: input.main, in: pass)
      let isJoined = decoder.contains { $0.stage == index }
      return Features(output, skips: input.skips + (isJoined ? [output] : []))
    }
    if index == encoder.stages.count {
      return Features(try context(input.main, in: pass), skips: input.skips)
    }
    var output = input.main
    for (step, fine) in zip(decoder, input.skips.reversed()) {
      output = try step(output, joining: fine, in: pass)
    }
    return Features(output)
  }
}

/// Brings coarse features to the grid of finer ones, adds those, and convolves the sum.
///
/// The finer ones pass a 1×1 convolution first, so that both have as many channels.
struct DecoderStep: Sendable {
  /// Which stage of the encoder gives the finer features.
  let stage: Int
  private let lateral: ConvolutionBlock
  private let fusion: ConvolutionBlock

  init(
    from stage: Int, fine: Int, coarse: Int, outputs: Int, in scope: ParameterScope
  ) throws {
    self.stage = stage
    lateral = try ConvolutionBlock(fine, coarse, kernel: 1, rectified: false, in: scope["lateral"])
    fusion = try ConvolutionBlock(coarse, outputs, kernel: 3, in: scope["fusion"])
  }

  func callAsFunction(
    _ coarse: Tensor, joining fine: Tensor, in pass: Pass
  ) throws(TensorError) -> Tensor {
    let side = try lateral(fine, in: pass)
    return try fusion(
      side.addingRectified(coarse.resized(like: side, in: pass).cast(to: side.type)), in: pass)
  }
}

/// A 1×1 convolution to one score a class, interpolated to the size of the frame.
public struct ClassifierHead: SegmentationHead {
  public let classes: ClassList
  private let convolution: Conv2d

  public init(_ inputs: Int, classes: ClassList, in scope: ParameterScope) throws {
    self.classes = classes
    convolution = try Conv2d(
      inputs, classes.count, kernel: 1, initialisation: .normal(deviation: 0.01), in: scope)
  }

  /// Scores at the stride of the features, in single precision.
  public func scores(of features: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    try convolution(features, in: pass).cast(to: .float32)
  }

  public func callAsFunction(_ features: Tensor, size: PixelSize) throws -> Tensor {
    try withoutGradients {
      try scores(of: features, in: .inference).resized(
        height: size.height, width: size.width, in: .inference)
    }
  }
}
