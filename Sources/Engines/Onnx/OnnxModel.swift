// SPDX-License-Identifier: Apache-2.0
internal import Video

/// What an ONNX file consists of, read without an engine: names, shapes and operators, not weights.
///
/// `ModelProto` of onnx.proto, by its field numbers. Sizes, counts and nesting are bounded, since a
/// file may claim anything.
package struct OnnxModel: Sendable {
  /// The file; nil for a model that was in memory.
  package let path: String?
  /// Who wrote it: `pytorch 2.1.0`.
  package private(set) var producer = ""
  /// The version of each set of operators, by its domain, `` for ONNX's own.
  package private(set) var operatorSets: [String: Int] = [:]
  /// What its maker noted: Ultralytics' `names`, `stride`, `imgsz`.
  package private(set) var metadata: [String: String] = [:]
  /// What is computed.
  package private(set) var graph = Graph()
  /// The bytes; weights that lie in files of their own are not in them.
  package let bytes: [UInt8]
  /// Whether the file at `path` is this model as it is, with nothing replaced.
  package let isAsInFile: Bool

  /// What a model computes, and from what.
  package struct Graph: Sendable {
    /// What is given to it; constants that may be replaced are left out.
    package fileprivate(set) var inputs: [EnginePort] = []
    /// What it gives.
    package fileprivate(set) var outputs: [EnginePort] = []
    /// Shapes of what lies between, where the file states them.
    package fileprivate(set) var values: [EnginePort] = []
    /// The operators, in the order of the file.
    package fileprivate(set) var nodes: [Node] = []
    /// The constants, weights above all.
    package fileprivate(set) var constants: [Constant] = []
  }

  /// One operator.
  package struct Node: Sendable {
    /// What it does: `Conv`.
    package fileprivate(set) var kind = ""
    /// Whose operator it is; empty for ONNX's own.
    package fileprivate(set) var domain = ""
    /// What the file calls it; may be empty.
    package fileprivate(set) var name = ""
    /// The tensors that it reads; an empty name is one that is left out.
    package fileprivate(set) var inputs: [String] = []
    /// The tensors that it gives.
    package fileprivate(set) var outputs: [String] = []
    /// Whole numbers among its attributes.
    package fileprivate(set) var integers: [String: [Int]] = [:]
    /// Names of tensors that graphs inside it read.
    package fileprivate(set) var captured: Set<String> = []
    /// The tensor among its attributes, as a `Constant` has one.
    fileprivate(set) var tensor: Constant?
    /// Weights of the graphs inside it.
    fileprivate(set) var innerWeights = 0
    let raw: ArraySlice<UInt8>
  }

  /// A tensor that is part of the file, or of one beside it.
  package struct Constant: Sendable {
    /// What nodes call it.
    package fileprivate(set) var name = ""
    /// The size of each axis.
    package fileprivate(set) var sizes: [Int] = []
    /// How its elements are stored; nil for texts and packed types.
    package fileprivate(set) var type: EngineElementType?
    /// Where its elements lie if not in this file: a path beside it, an offset, a length.
    package fileprivate(set) var external: External?
    fileprivate var rawCount: Int?
    let raw: ArraySlice<UInt8>
  }

  /// A place in a file beside the model.
  package struct External: Sendable, Hashable {
    var location = ""
    var offset = 0
    var length: Int?
  }

  /// What a file may hold.
  enum Limit {
    /// What a protocol buffer can be.
    static let bytes = (1 << 31) - 1
    static let nodes = 100_000, constants = 200_000, depth = 100, axes = 64
    /// Elements of one tensor.
    static let elements = 1 << 40
  }

  /// Reads the file at `path`.
  ///
  /// - Throws: `.missingFile`, or `.badModel` with what is wrong with it.
  package init(contentsOf path: String) throws(EngineError) {
    let bytes: [UInt8]
    do throws(VideoError) { bytes = try readBytes(of: path, limit: Limit.bytes) } catch {
      let isMissing = error.code == .missingFile || error.code == .unreadable
      throw EngineError(isMissing ? .missingFile : .badModel, "\(path): \(error.message)")
    }
    try self.init(bytes: bytes, path: path, isAsInFile: true)
  }

  /// Reads a model that is in memory; `path` is where it came from, if from a file.
  ///
  /// - Throws: `.badModel` with what is wrong with it.
  package init(bytes: [UInt8], path: String? = nil) throws(EngineError) {
    try self.init(bytes: bytes, path: path, isAsInFile: false)
  }

  private init(bytes: [UInt8], path: String?, isAsInFile: Bool) throws(EngineError) {
    (self.bytes, self.path, self.isAsInFile) = (bytes, path, isAsInFile)
    do throws(ProtobufReader.Fault) { try read(bytes[...]) } catch {
      throw EngineError(.badModel, "\(path ?? "the model") is no ONNX model: it \(error.message)")
    }
    guard !graph.nodes.isEmpty, !graph.outputs.isEmpty else {
      throw EngineError(
        .badModel, "\(path ?? "the model") is no ONNX model: it holds no graph that gives anything")
    }
    do throws(ProtobufReader.Fault) { try checkConstants() } catch {
      throw EngineError(.badModel, "\(path ?? "the model") \(error.message)")
    }
  }
}

extension OnnxModel {
  fileprivate typealias Fault = ProtobufReader.Fault

  private mutating func read(_ message: ArraySlice<UInt8>) throws(Fault) {
    var (reader, version, hasGraph) = (ProtobufReader(message), "", false)
    while let field = try reader.next() {
      switch field.number {
      case 2: producer = try field.text()
      case 3: version = try field.text()
      case 7:
        // A graph may come in pieces, as parts of a message that are appended.
        try graph.read(try field.run(), depth: 0)
        hasGraph = true
      case 8: try readOperatorSet(try field.run())
      case 14:
        let (key, value) = try Self.pair(try field.run())
        metadata[key] = value
      default: break
      }
    }
    guard hasGraph else { throw Fault(message: "holds no graph") }
    if !version.isEmpty { producer += " \(version)" }
    let constants = Set(graph.constants.map(\.name))
    graph.inputs.removeAll { constants.contains($0.name) }
  }

  private mutating func readOperatorSet(_ message: ArraySlice<UInt8>) throws(Fault) {
    var (reader, domain, version) = (ProtobufReader(message), "", 0)
    while let field = try reader.next() {
      if field.number == 1 { domain = try field.text() }
      if field.number == 2 { version = try field.integer() }
    }
    operatorSets[domain == "ai.onnx" ? "" : domain] = version
  }

  fileprivate static func pair(_ message: ArraySlice<UInt8>) throws(Fault) -> (String, String) {
    var (reader, key, value) = (ProtobufReader(message), "", "")
    while let field = try reader.next() {
      if field.number == 1 { key = try field.text() }
      if field.number == 2 { value = try field.text() }
    }
    return (key, value)
  }

  /// A tensor whose sizes do not go with its elements would have an engine ask for any memory.
  private func checkConstants() throws(Fault) {
    for constant in graph.constants {
      guard let type = constant.type, let count = constant.rawCount, constant.external == nil,
        count > 0
      else { continue }
      let wanted = constant.count * type.byteCount
      guard wanted == count else {
        throw Fault(
          message: "holds a tensor '\(constant.name)' of \(constant.sizes) whose elements are "
            + "\(count) bytes, not \(wanted)")
      }
    }
  }
}

extension OnnxModel.Constant {
  /// How many elements there are.
  package var count: Int { sizes.reduce(1, *) }

  fileprivate init(_ field: ProtobufReader.Field) throws(ProtobufReader.Fault) {
    raw = field.raw
    var (reader, isExternal, place) = (ProtobufReader(try field.run()), false, OnnxModel.External())
    while let field = try reader.next() {
      switch field.number {
      case 1: sizes += try field.integers()
      case 2: type = EngineElementType(rawValue: try field.integer())
      case 8: name = try field.text()
      case 9: rawCount = try field.run().count
      case 13: try place.take(OnnxModel.pair(try field.run()))
      case 14: isExternal = try field.integer() == 1
      default: break
      }
    }
    if isExternal { external = place }
    try check()
  }

  private func check() throws(ProtobufReader.Fault) {
    var count = 1
    for size in sizes {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow, product <= OnnxModel.Limit.elements else {
        throw .init(message: "holds a tensor '\(name)' of \(sizes), which is no size of a tensor")
      }
      count = product
    }
    guard sizes.count <= OnnxModel.Limit.axes else {
      throw .init(message: "holds a tensor '\(name)' of \(sizes.count) axes")
    }
  }
}

extension OnnxModel.External {
  fileprivate mutating func take(_ pair: (String, String)) throws(ProtobufReader.Fault) {
    switch pair.0 {
    case "location": location = pair.1
    case "offset", "length":
      guard let number = Int(pair.1), number >= 0 else {
        throw .init(message: "gives '\(pair.1)' as the \(pair.0) of external data")
      }
      if pair.0 == "offset" { offset = number } else { length = number }
    default: break
    }
  }
}

extension OnnxModel.Graph {
  fileprivate mutating func read(
    _ message: ArraySlice<UInt8>, depth: Int
  ) throws(ProtobufReader.Fault) {
    guard depth <= OnnxModel.Limit.depth else {
      throw .init(message: "nests graphs more than \(OnnxModel.Limit.depth) deep")
    }
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: nodes.append(try OnnxModel.Node(field, depth: depth))
      case 5: constants.append(try OnnxModel.Constant(field))
      case 11: inputs.append(try EnginePort(onnx: try field.run()))
      case 12: outputs.append(try EnginePort(onnx: try field.run()))
      case 13: values.append(try EnginePort(onnx: try field.run()))
      default: break
      }
      guard nodes.count <= OnnxModel.Limit.nodes, constants.count <= OnnxModel.Limit.constants
      else {
        throw .init(
          message: "holds more than \(OnnxModel.Limit.nodes) operators or "
            + "\(OnnxModel.Limit.constants) constants")
      }
    }
  }
}

extension OnnxModel.Node {
  fileprivate init(_ field: ProtobufReader.Field, depth: Int) throws(ProtobufReader.Fault) {
    raw = field.raw
    var reader = ProtobufReader(try field.run())
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try field.text())
      case 2: outputs.append(try field.text())
      case 3: name = try field.text()
      case 4: kind = try field.text()
      case 5: try readAttribute(try field.run(), depth: depth)
      case 7: domain = try field.text()
      default: break
      }
    }
  }

  private mutating func readAttribute(
    _ message: ArraySlice<UInt8>, depth: Int
  ) throws(ProtobufReader.Fault) {
    var (reader, name, numbers) = (ProtobufReader(message), "", [Int]())
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.text()
      case 3: numbers = [try field.integer()]
      case 8: numbers += try field.integers()
      case 5:
        tensor = try OnnxModel.Constant(field)
      case 6, 11:
        var inner = OnnxModel.Graph()
        try inner.read(try field.run(), depth: depth + 1)
        for node in inner.nodes { captured.formUnion(node.inputs + node.captured) }
        innerWeights += inner.weightCount
        captured.formUnion(inner.outputs.map(\.name))
      default: break
      }
    }
    if !numbers.isEmpty { integers[name] = numbers }
  }
}

extension EnginePort {
  /// A `ValueInfoProto`.
  fileprivate init(onnx message: ArraySlice<UInt8>) throws(ProtobufReader.Fault) {
    var (reader, name) = (ProtobufReader(message), "")
    var (type, sizes): (EngineElementType?, [Int?]?)
    while let field = try reader.next() {
      if field.number == 1 { name = try field.text() }
      guard field.number == 2 else { continue }
      var inner = ProtobufReader(try field.run())
      while let kind = try inner.next() {
        if kind.number == 1 { (type, sizes) = try Self.tensorType(try kind.run()) }
      }
    }
    self.init(name: name, type: type, sizes: sizes)
  }

  private static func tensorType(
    _ message: ArraySlice<UInt8>
  ) throws(ProtobufReader.Fault) -> (EngineElementType?, [Int?]?) {
    var reader = ProtobufReader(message)
    var (type, sizes): (EngineElementType?, [Int?]?)
    while let field = try reader.next() {
      if field.number == 1 { type = EngineElementType(rawValue: try field.integer()) }
      guard field.number == 2 else { continue }
      var (inner, found) = (ProtobufReader(try field.run()), [Int?]())
      while let axis = try inner.next() {
        if axis.number == 1 { found.append(try size(try axis.run())) }
      }
      guard found.count <= OnnxModel.Limit.axes else {
        throw .init(message: "tells of a tensor of \(found.count) axes")
      }
      sizes = found
    }
    return (type, sizes)
  }

  private static func size(
    _ message: ArraySlice<UInt8>
  ) throws(ProtobufReader.Fault) -> Int? {
    var (reader, size): (ProtobufReader, Int?) = (ProtobufReader(message), nil)
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      let number = try field.integer()
      // Zero and less are how some exporters write that they do not know.
      size = number > 0 ? number : nil
    }
    return size
  }
}
