// SPDX-License-Identifier: Apache-2.0
internal import Tensors
package import Video

extension OnnxModel {
  /// How many numbers its weights are: constants of floating-point or 8-bit elements.
  ///
  /// Quantised weights count, shapes and indices do not.
  package var parameterCount: Int {
    graph.weightCount
  }

  /// The size of pictures that the exporter noted, as Ultralytics' does; nil where none is.
  package var notedPictureSize: PixelSize? {
    let numbers = (metadata["imgsz"] ?? "").split { !$0.isNumber }.compactMap { Int($0) }
    guard numbers.count == 2, numbers.allSatisfy((1...16384).contains) else { return nil }
    return PixelSize(width: numbers[1], height: numbers[0])
  }

  /// How often each kind of operator occurs, the most frequent first.
  package var operators: [(kind: String, count: Int)] {
    var counts: [String: Int] = [:]
    for node in graph.nodes {
      counts[node.domain.isEmpty ? node.kind : "\(node.domain).\(node.kind)", default: 0] += 1
    }
    return counts.sorted { (-$0.value, $0.key) < (-$1.value, $1.key) }
      .map { (kind: $0.key, count: $0.value) }
  }

  /// The multiplications, each with its addition, of convolutions and matrix products for inputs of
  /// these sizes; nil where the sizes of some of them are not known.
  ///
  /// `engine` runs the model once on zeros, to learn the sizes that the file does not state.
  package func macs(
    inputs sizes: [[Int]], engine: InferenceEngine?, threads: Int = 1
  ) throws -> Int? {
    var known = statedSizes(inputs: sizes)
    let wanted = Set(graph.nodes.flatMap(\.sizesNeeded)).filter { known[$0] == nil }
    if !wanted.isEmpty {
      guard let engine, externalFiles.isEmpty else { return nil }
      try measure(wanted.sorted(), into: &known, inputs: sizes, engine, threads)
    }
    var macs = 0
    for node in graph.nodes where node.isProduct {
      guard let count = node.macs(known) else { return nil }
      macs += count
    }
    return macs
  }

  /// Sizes that need no running: of constants, and, where every input has the size that the file
  /// states, what it states of tensors in between.
  private func statedSizes(inputs sizes: [[Int]]) -> [String: [Int]] {
    var known: [String: [Int]] = [:]
    for constant in graph.constants { known[constant.name] = constant.sizes }
    for node in graph.nodes where node.kind == "Constant" {
      if let name = node.outputs.first, let tensor = node.tensor { known[name] = tensor.sizes }
    }
    let isAsStated = zip(graph.inputs, sizes).allSatisfy { $0.sizes == $1.map { $0 } }
    for port in isAsStated ? graph.values + graph.outputs : [] {
      let sizes = port.sizes?.compactMap(\.self)
      if let sizes, sizes.count == port.sizes?.count { known[port.name] = sizes }
    }
    for (input, sizes) in zip(graph.inputs, sizes) { known[input.name] = sizes }
    return known
  }

  private func measure(
    _ tensors: [String], into known: inout [String: [Int]], inputs sizes: [[Int]],
    _ engine: InferenceEngine, _ threads: Int
  ) throws {
    let zeros = try sizes.map { try Tensor.zeros(Shape($0)) }
    var rest = tensors[...]
    while !rest.isEmpty {
      // Not all at once: each that is asked for is kept in memory.
      let some = Array(rest.prefix(64))
      rest = rest.dropFirst(64)
      let session = try EngineSession(model: giving(some), engine: engine, threads: threads)
      let places = some.compactMap { name in
        session.outputs.firstIndex { $0.name == name }
      }
      for (place, tensor) in zip(places, try session.run(zeros, wanted: places)) {
        known[session.outputs[place].name] = tensor.shape.dimensions
      }
    }
  }
}

extension OnnxModel.Node {
  /// Whether it is a convolution or a matrix product.
  fileprivate var isProduct: Bool {
    [
      "Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "Gemm", "MatMul", "MatMulInteger",
      "QLinearMatMul", "FusedConv", "FusedMatMul",
    ].contains(kind)
  }

  /// The tensors whose sizes tell how much it multiplies.
  fileprivate var sizesNeeded: [String] {
    guard isProduct, let first = inputs.first, let output = outputs.first, let weights else {
      return []
    }
    return [first, weights, output]
  }

  /// The second factor: quantised operators have scales between.
  private var weights: String? {
    let place = kind == "QLinearConv" || kind == "QLinearMatMul" ? 3 : 1
    return inputs.count > place ? inputs[place] : nil
  }

  /// What it multiplies; nil where sizes are not known.
  fileprivate func macs(_ sizes: [String: [Int]]) -> Int? {
    guard let first = inputs.first, let input = sizes[first], let weights,
      let factor = sizes[weights], let result = outputs.first, let output = sizes[result]
    else { return nil }
    let given = output.reduce(1, *)
    switch kind {
    case "Conv", "ConvInteger", "QLinearConv", "FusedConv":
      return given * factor.dropFirst().reduce(1, *)
    case "ConvTranspose":
      return input.reduce(1, *) * factor.dropFirst().reduce(1, *)
    case "Gemm":
      let isTransposed = integers["transA"]?.first == 1
      return given * ((isTransposed ? input.first : input.last) ?? 1)
    default:
      return given * (input.last ?? 1)
    }
  }
}

extension OnnxModel.Graph {
  /// How many numbers the weights are, those of `Constant` operators and of graphs inside too.
  var weightCount: Int {
    let weights = constants + nodes.compactMap { $0.kind == "Constant" ? $0.tensor : nil }
    return weights.filter(\.isWeights).reduce(0) { $0 + $1.count }
      + nodes.reduce(0) { $0 + $1.innerWeights }
  }
}

extension OnnxModel.Constant {
  fileprivate var isWeights: Bool {
    switch type {
    case .float32, .float16, .float64, .bfloat16, .int8, .uint8: true
    default: false
    }
  }
}
