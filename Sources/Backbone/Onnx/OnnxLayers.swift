// SPDX-License-Identifier: Apache-2.0

public import Engines
public import Layers
public import Tensors

/// A layer that can be written as operators of an ONNX graph.
///
/// A layer of your own that conforms is exported as a part of whatever it is a part of.
public protocol OnnxLayer {
  /// Adds what the layer does, and gives what it makes of `input`, 1 × C × H × W.
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue
}

extension Layer {
  /// What the layer makes of `input`, 1 × C × H × W, as an ``OnnxLayer`` writes it.
  ///
  /// - Throws: `BackboneError` for a layer that is none.
  public func written(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    guard let layer = self as? any OnnxLayer else {
      throw BackboneError(.incompatible, "\(Self.self) cannot be written as ONNX operators")
    }
    return try layer.write(input, to: &graph)
  }
}

extension Conv2d: OnnxLayer {
  /// The convolution, 1 × C × H × W to 1 × outputs × h × w, and its rectifier where it has one.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let shape = weight.shape.dimensions
    var values = [input, graph.constant(try weight.exported(), sizes: shape)]
    if let bias { values.append(graph.constant(try bias.exported(), sizes: [shape[0]])) }
    func side(_ cells: Int, _ kernel: Int, _ padding: Int, _ dilation: Int, _ stride: Int) -> Int {
      (cells + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
    }
    let sizes = [
      input.sizes[0], shape[0],
      side(input.sizes[2], shape[2], padding.height, dilation.height, stride.height),
      side(input.sizes[3], shape[3], padding.width, dilation.width, stride.width),
    ]
    let output = graph.node(
      "Conv", values, sizes: sizes,
      [
        .integers("kernel_shape", [shape[2], shape[3]]),
        .integers("strides", [stride.height, stride.width]),
        .integers("pads", [padding.height, padding.width, padding.height, padding.width]),
        .integers("dilations", [dilation.height, dilation.width]), .integer("group", groups),
      ])
    return isRectified ? graph.node("Relu", [output], sizes: sizes) : output
  }
}

extension ConvolutionBlock: OnnxLayer {
  /// One convolution, the normalisation by running statistics within it.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    try folded().convolution.write(input, to: &graph)
  }
}

extension Sequential: OnnxLayer {
  /// What each layer makes of what the one before gave.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    var output = input
    for layer in layers { output = try layer.written(output, to: &graph) }
    return output
  }
}

extension Pool2d: OnnxLayer {
  /// The largest or the mean of each window, 1 × C × h × w.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let sizes = [
      input.sizes[0], input.sizes[1],
      (input.sizes[2] + 2 * padding.height - size.height) / stride.height + 1,
      (input.sizes[3] + 2 * padding.width - size.width) / stride.width + 1,
    ]
    var attributes: [OnnxGraphBuilder.Attribute] = [
      .integers("kernel_shape", [size.height, size.width]),
      .integers("strides", [stride.height, stride.width]),
      .integers("pads", [padding.height, padding.width, padding.height, padding.width]),
    ]
    // Zeros around the picture count in a mean, as in PyTorch.
    if kind == .mean { attributes.append(.integer("count_include_pad", 1)) }
    return graph.node(
      kind == .mean ? "AveragePool" : "MaxPool", [input], sizes: sizes, attributes)
  }
}

extension BasicBlock: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let residual = try second.write(first.write(input, to: &graph), to: &graph)
    return graph.rectifiedSum(residual, try shortcut?.write(input, to: &graph) ?? input)
  }
}

extension Bottleneck: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let narrow = try second.write(first.write(input, to: &graph), to: &graph)
    let residual = try third.write(narrow, to: &graph)
    return graph.rectifiedSum(residual, try shortcut?.write(input, to: &graph) ?? input)
  }
}

extension PyramidPooling: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    var parts = [input]
    for (bins, branch) in zip(bins, branches) {
      let means = graph.averaged(input, height: bins, width: bins)
      let part = try branch.write(means, to: &graph)
      let above = graph.node("Relu", [part], sizes: part.sizes)
      parts.append(graph.resized(above, like: input))
    }
    return try fusion.write(graph.joined(parts), to: &graph)
  }
}

extension AtrousPooling: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    var parts = try branches.map { try $0.write(input, to: &graph) }
    let part = try mean.write(graph.averaged(input, height: 1, width: 1), to: &graph)
    let above = graph.node("Relu", [part], sizes: part.sizes)
    parts.append(graph.resized(above, like: parts[0]))
    return try fusion.write(graph.joined(parts), to: &graph)
  }
}

extension DecoderStep {
  func write(
    _ coarse: OnnxValue, joining fine: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let side = try lateral.write(fine, to: &graph)
    return try fusion.write(
      graph.rectifiedSum(side, graph.resized(coarse, like: side)), to: &graph)
  }
}

extension StageScores {
  func write(
    _ coarse: OnnxValue, joining fine: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let own = try convolution.write(fine, to: &graph)
    return graph.elementwise("Add", own, graph.resized(coarse, like: own))
  }
}

extension BatchNorm2d: OnnxLayer {
  /// The input, each channel scaled and shifted by the running statistics.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let (scale, shift) = try affine(), sizes = [1, input.sizes[1], 1, 1]
    let scaled = graph.elementwise(
      "Mul", input, graph.constant(try scale.exported(), sizes: sizes))
    let output = graph.elementwise(
      "Add", scaled, graph.constant(try shift.exported(), sizes: sizes))
    return isRectified ? graph.elementwise("Relu", output) : output
  }
}

extension ConvTranspose2d: OnnxLayer {
  /// The transposed convolution, 1 × C × H × W to a map larger by the stride.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let shape = weight.shape.dimensions
    var values = [input, graph.constant(try weight.exported(), sizes: shape)]
    if let bias { values.append(graph.constant(try bias.exported(), sizes: [bias.count])) }
    let sizes = [
      input.sizes[0], shape[1] * groups,
      (input.sizes[2] - 1) * stride.height - 2 * padding.height + shape[2],
      (input.sizes[3] - 1) * stride.width - 2 * padding.width + shape[3],
    ]
    return graph.node(
      "ConvTranspose", values, sizes: sizes,
      [
        .integers("kernel_shape", [shape[2], shape[3]]),
        .integers("strides", [stride.height, stride.width]),
        .integers("pads", [padding.height, padding.width, padding.height, padding.width]),
        .integer("group", groups),
      ])
  }
}

extension LeakyReLU: OnnxLayer {
  /// The input with its negative numbers times the slope.
  public func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) -> OnnxValue {
    graph.node("LeakyRelu", [input], sizes: input.sizes, [.number("alpha", slope)])
  }
}

extension OnnxGraphBuilder {
  /// The numbers of a tensor as a part of the file, in single precision.
  ///
  /// - Throws: `TensorError` where they cannot be read.
  public mutating func constant(_ tensor: Tensor) throws(TensorError) -> Value {
    constant(try tensor.exported(), sizes: tensor.shape.dimensions)
  }

  /// Pictures, 1 × 3 × H × W in blue, green, red from 0 to 255, as a network reads them.
  package mutating func scaled(_ pictures: Value, by scaling: PixelScaling) -> Value {
    let factor = scaling.scale / scaling.deviation
    let offset = -scaling.mean * factor
    func planes(_ numbers: SIMD3<Float>) -> Value {
      constant([numbers.x, numbers.y, numbers.z], sizes: [1, 3, 1, 1])
    }
    var ordered = pictures
    if scaling.order == .rgb {
      ordered = joined([2, 1, 0].map { slice(pictures, axis: 1, $0..<$0 + 1) })
    }
    return elementwise("Add", elementwise("Mul", ordered, planes(factor)), planes(offset))
  }

  /// Both maps' sum, with zero in place of what is negative.
  fileprivate mutating func rectifiedSum(_ one: Value, _ other: Value) -> Value {
    elementwise("Relu", elementwise("Add", one, other))
  }

  /// A map interpolated to the grid of another, half-pixel centres.
  fileprivate mutating func resized(_ map: Value, like other: Value) -> Value {
    resized(map, height: other.sizes[2], width: other.sizes[3])
  }
}

extension Tensor {
  /// The numbers, in single precision and row by row.
  fileprivate func exported() throws(TensorError) -> [Float] {
    try cast(to: .float32).to(.cpu).contiguous().floats()
  }
}
