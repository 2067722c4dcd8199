// SPDX-License-Identifier: Apache-2.0

/// A tensor of an ONNX graph that is being built.
public typealias OnnxValue = OnnxGraphBuilder.Value

/// Builds an ONNX model operator by operator, of opset 16, and writes it down.
///
/// Tensors are float32 with N × C × H × W of fixed sizes, which the builder follows, so that what
/// depends on them (windows that cover a map, sizes to interpolate to) is constant in the file.
public struct OnnxGraphBuilder {
  /// A tensor of the graph: what nodes call it, and its sizes.
  public struct Value: Sendable, Hashable {
    /// The name in the file.
    public let name: String
    /// The size of each axis.
    public let sizes: [Int]
  }

  /// The version of ONNX's own operators: the first with GridSample.
  public static let operatorSet = 16
  private var graph = ProtobufWriter()
  private var count = 0
  private var inputs: [ProtobufWriter] = []
  private var outputs: [ProtobufWriter] = []

  /// A graph without operators, by a name.
  public init(name: String) { graph.write(name, as: 2) }

  /// An input of the model.
  public mutating func input(_ name: String, sizes: [Int]) -> Value {
    let value = Value(name: name, sizes: sizes)
    inputs.append(Self.port(value))
    return value
  }

  /// Makes a tensor an output of the model, under a name of its own.
  public mutating func output(_ value: Value, as name: String) {
    let named = Value(name: name, sizes: value.sizes)
    add("Identity", [value.name], giving: [named.name], [])
    outputs.append(Self.port(named))
  }

  /// An attribute of an operator.
  public enum Attribute: Sendable {
    /// Whole numbers, one of them alone, a number, a word.
    case integers(String, [Int]), integer(String, Int), number(String, Float), word(String, String)
  }

  /// An operator that gives one tensor of these sizes.
  public mutating func node(
    _ kind: String, _ inputs: [Value], sizes: [Int], _ attributes: [Attribute] = []
  ) -> Value {
    let value = Value(name: next(), sizes: sizes)
    add(kind, inputs.map(\.name), giving: [value.name], attributes)
    return value
  }

  /// A tensor of numbers that is part of the file.
  ///
  /// - Precondition: there are as many numbers as `sizes` say.
  public mutating func constant(_ numbers: [Float], sizes: [Int]) -> Value {
    precondition(numbers.count == sizes.reduce(1, *), "\(numbers.count) numbers for \(sizes)")
    return constant(type: 1, sizes: sizes, numbers.flatMap { $0.bitPattern.littleEndianBytes })
  }

  /// A row of whole numbers that is part of the file.
  public mutating func constant(_ numbers: [Int]) -> Value {
    let bytes = numbers.flatMap { UInt64(bitPattern: Int64($0)).littleEndianBytes }
    return constant(type: 7, sizes: [numbers.count], bytes)
  }

  /// The whole model; `metadata` are pairs that programs may read, `producer` who made it.
  public func model(producer: String, metadata: [(key: String, value: String)] = []) -> [UInt8] {
    var all = graph
    for input in inputs { all.write(input, as: 11) }
    for output in outputs { all.write(output, as: 12) }
    var model = ProtobufWriter()
    model.write(8, as: 1)
    model.write(producer, as: 2)
    model.write(all, as: 7)
    var set = ProtobufWriter()
    set.write("", as: 1)
    set.write(Self.operatorSet, as: 2)
    model.write(set, as: 8)
    for (key, value) in metadata {
      var pair = ProtobufWriter()
      pair.write(key, as: 1)
      pair.write(value, as: 2)
      model.write(pair, as: 14)
    }
    return model.bytes
  }

  private mutating func next() -> String {
    count += 1
    return "t\(count)"
  }

  private mutating func constant(type: Int, sizes: [Int], _ bytes: [UInt8]) -> Value {
    let value = Value(name: next(), sizes: sizes)
    var tensor = ProtobufWriter()
    for size in sizes { tensor.write(size, as: 1) }
    tensor.write(type, as: 2)
    tensor.write(value.name, as: 8)
    tensor.write(bytes, as: 9)
    graph.write(tensor, as: 5)
    return value
  }

  private mutating func add(
    _ kind: String, _ inputs: [String], giving outputs: [String], _ attributes: [Attribute]
  ) {
    var node = ProtobufWriter()
    for input in inputs { node.write(input, as: 1) }
    for output in outputs { node.write(output, as: 2) }
    node.write(outputs[0], as: 3)
    node.write(kind, as: 4)
    for attribute in attributes { node.write(attribute.message, as: 5) }
    graph.write(node, as: 1)
  }

  /// What a model says of an input or an output.
  private static func port(_ value: Value) -> ProtobufWriter {
    var shape = ProtobufWriter()
    for size in value.sizes {
      var dimension = ProtobufWriter()
      dimension.write(size, as: 1)
      shape.write(dimension, as: 1)
    }
    var tensor = ProtobufWriter(), type = ProtobufWriter(), port = ProtobufWriter()
    tensor.write(1, as: 1)
    tensor.write(shape, as: 2)
    type.write(tensor, as: 1)
    port.write(value.name, as: 1)
    port.write(type, as: 2)
    return port
  }
}

extension OnnxGraphBuilder.Attribute {
  fileprivate var message: ProtobufWriter {
    var message = ProtobufWriter()
    switch self {
    case .integers(let name, let values):
      message.write(name, as: 1)
      for value in values { message.write(value, as: 8) }
      message.write(7, as: 20)
    case .integer(let name, let value):
      message.write(name, as: 1)
      message.write(value, as: 3)
      message.write(2, as: 20)
    case .number(let name, let value):
      message.write(name, as: 1)
      message.write(value, as: 2)
      message.write(1, as: 20)
    case .word(let name, let value):
      message.write(name, as: 1)
      message.write(value, as: 4)
      message.write(3, as: 20)
    }
    return message
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian, Array.init) }
}
