// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Layers
internal import Tensors

typealias OnnxValue = OnnxGraphBuilder.Value

/// A layer that can be written as operators of an ONNX graph.
protocol OnnxLayer {
  /// Adds what the layer does, and gives what it makes of `input`, 1 × C × H × W.
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue
}

extension Layer {
  /// As an `OnnxLayer` writes it.
  ///
  /// - Throws: `BackboneError` for a layer that is none.
  func written(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    guard let layer = self as? any OnnxLayer else {
      throw BackboneError(.incompatible, "\(Self.self) cannot be written as ONNX operators")
    }
    return try layer.write(input, to: &graph)
  }
}

extension Conv2d: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
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
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    try folded().convolution.write(input, to: &graph)
  }
}

extension Sequential: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    var output = input
    for layer in layers { output = try layer.written(output, to: &graph) }
    return output
  }
}

extension Pool2d: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
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
    return graph.sum(residual, try shortcut?.write(input, to: &graph) ?? input)
  }
}

extension Bottleneck: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    let narrow = try second.write(first.write(input, to: &graph), to: &graph)
    let residual = try third.write(narrow, to: &graph)
    return graph.sum(residual, try shortcut?.write(input, to: &graph) ?? input)
  }
}

extension PyramidPooling: OnnxLayer {
  func write(_ input: OnnxValue, to graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    var parts = [input]
    for (bins, branch) in zip(bins, branches) {
      let means = graph.means(of: input, bins: bins)
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
    let part = try mean.write(graph.means(of: input, bins: 1), to: &graph)
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
      graph.sum(side, graph.resized(coarse, like: side)), to: &graph)
  }
}

extension Tensor {
  /// The numbers, in single precision and row by row.
  fileprivate func exported() throws -> [Float] {
    try cast(to: .float32).to(.cpu).contiguous().floats()
  }
}

extension OnnxGraphBuilder {
  /// Both maps' sum, with zero in place of what is negative.
  fileprivate mutating func sum(_ one: Value, _ other: Value) -> Value {
    let sum = node("Add", [one, other], sizes: one.sizes)
    return node("Relu", [sum], sizes: one.sizes)
  }

  /// Maps joined channel by channel.
  fileprivate mutating func joined(_ parts: [Value]) -> Value {
    var sizes = parts[0].sizes
    sizes[1] = parts.reduce(0) { $0 + $1.sizes[1] }
    return node("Concat", parts, sizes: sizes, [.integer("axis", 1)])
  }

  /// A map interpolated to the grid of another, half-pixel centres.
  fileprivate mutating func resized(_ map: Value, like other: Value) -> Value {
    let sizes = map.sizes.prefix(2) + other.sizes.dropFirst(2)
    guard Array(sizes) != map.sizes else { return map }
    let nothing = constant([Float](), sizes: [0])
    let wanted = constant(Array(sizes))
    return node(
      "Resize", [map, nothing, nothing, wanted], sizes: Array(sizes),
      [.word("mode", "linear"), .word("coordinate_transformation_mode", "half_pixel")])
  }

  /// The means of a grid of windows that cover a map, as PyTorch's adaptive pooling has them:
  /// window i of n goes from ⌊i · cells / n⌋ to ⌈(i + 1) · cells / n⌉.
  fileprivate mutating func means(of map: Value, bins: Int) -> Value {
    let (height, width) = (map.sizes[2], map.sizes[3])
    let down = constant(Self.windows(height, bins), sizes: [bins, height])
    var across = [Float](repeating: 0, count: width * bins)
    for (index, share) in Self.windows(width, bins).enumerated() {
      across[index % width * bins + index / width] = share
    }
    let right = constant(across, sizes: [width, bins])
    let columns = node("MatMul", [map, right], sizes: [map.sizes[0], map.sizes[1], height, bins])
    return node("MatMul", [down, columns], sizes: [map.sizes[0], map.sizes[1], bins, bins])
  }

  /// bins × cells: what each cell counts in each window's mean.
  private static func windows(_ cells: Int, _ bins: Int) -> [Float] {
    var shares = [Float](repeating: 0, count: bins * cells)
    for bin in 0..<bins {
      let window = bin * cells / bins..<((bin + 1) * cells + bins - 1) / bins
      for cell in window { shares[bin * cells + cell] = 1 / Float(window.count) }
    }
    return shares
  }
}
