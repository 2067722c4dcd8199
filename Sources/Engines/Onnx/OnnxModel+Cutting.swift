// SPDX-License-Identifier: Apache-2.0

extension OnnxModel {
  /// What a model gives after one of its pieces.
  package struct Piece: Sendable, Hashable {
    /// The place of the tensor after which it was to be cut; nil for a piece that is there so that
    /// skips can be had without the tensor that comes next.
    package let cut: Int?
    /// The tensor that is handed on.
    package let main: String
    /// What later pieces read of earlier ones beside it, or of the inputs.
    package let skips: [String]

    /// A piece that hands on `main` and `skips`.
    package init(cut: Int?, main: String, skips: [String]) {
      (self.cut, self.main, self.skips) = (cut, main, skips)
    }
  }

  /// The pieces that a model is cut into after these tensors, but for the last one, which gives the
  /// outputs.
  ///
  /// All that a tensor depends on comes before the cut after it. Where later pieces read more than
  /// that tensor, a piece before it gives what they read, and hands on what the piece before gave:
  /// a frame to which the tensor is propagated then computes no more than its own skips. Skips are
  /// never fewer than those of the piece before. What depends on constants alone is no skip: each
  /// piece has its own.
  ///
  /// - Throws: `.badModel` naming a tensor that is not there, or that depends on no input, or that
  ///   comes before the one that it is said to follow.
  package func pieces(after tensors: [String]) throws(EngineError) -> [Piece] {
    let read = try readAfter(tensors)
    var (pieces, skips, before) = ([Piece](), [String](), graph.inputs.first?.name ?? "")
    for (cut, tensor) in tensors.enumerated() {
      let later = read[cut...].flatMap(\.names)
      let wanted = read[cut].available.filter {
        later.contains($0) && $0 != tensor && !skips.contains($0)
      }
      skips += wanted
      if !wanted.isEmpty { pieces.append(Piece(cut: nil, main: before, skips: skips)) }
      pieces.append(Piece(cut: cut, main: tensor, skips: skips))
      before = tensor
    }
    return pieces
  }

  /// Of each cut: what is known there, in the order in which it is computed, and what is read of
  /// that afterwards.
  private func readAfter(
    _ tensors: [String]
  ) throws(EngineError) -> [(available: [String], names: Set<String>)] {
    let order = Order(graph)
    let needed = order.ancestors(of: graph.outputs.map(\.name))
    var (done, cuts) = (Set<Int>(), [(available: [String], names: Set<String>)]())
    for tensor in tensors {
      guard let producer = order.producers[tensor] else {
        throw fault("no operator gives a tensor '\(tensor)'", like: tensor)
      }
      guard order.isVarying(tensor) else {
        throw fault("'\(tensor)' does not depend on the input", like: nil)
      }
      guard !done.contains(producer) else {
        throw fault("'\(tensor)' is known before the stage that it should follow", like: nil)
      }
      done.formUnion(order.ancestors(of: [tensor]))
      let names = order.read(by: needed.subtracting(done), outside: done, outputs: graph.outputs)
      let known = graph.inputs.map(\.name) + done.sorted().flatMap { graph.nodes[$0].outputs }
      cuts.append((known, Set(names).subtracting([tensor])))
    }
    return cuts
  }

  /// The tensors among `given` that computing `outputs` reads.
  package func needed(of given: [String], for outputs: [String]) -> [String] {
    let order = Order(graph), stops = Set(given)
    var read = Set(outputs)
    for index in order.ancestors(of: outputs, stoppingAt: stops) {
      read.formUnion(graph.nodes[index].inputs + graph.nodes[index].captured)
    }
    return given.filter(read.contains)
  }

  /// The part of the model that computes `outputs` from `inputs`, as a model of its own.
  ///
  /// Operators and constants are copied as they are in the file. `inputs` need types; sizes help
  /// engines.
  ///
  /// - Throws: `.badModel` where an output needs an input that is not given.
  package func part(from inputs: [EnginePort], to outputs: [String]) throws(EngineError) -> [UInt8]
  {
    let order = Order(graph)
    let given = Set(inputs.map(\.name))
    let nodes = order.ancestors(of: outputs, stoppingAt: given)
    var read = Set(outputs)
    for index in nodes { read.formUnion(graph.nodes[index].inputs + graph.nodes[index].captured) }
    for input in graph.inputs where read.contains(input.name) && !given.contains(input.name) {
      throw fault("what is wanted of a part depends on the input '\(input.name)'", like: nil)
    }
    return rewritten { message, field throws(ProtobufReader.Fault) in
      switch field.number {
      case 1, 5, 11, 12, 13, 15: return
      default: message.write(raw: field.raw)
      }
    } finish: { message in
      for index in nodes.sorted() { message.write(raw: graph.nodes[index].raw) }
      for constant in graph.constants where read.contains(constant.name) {
        message.write(raw: constant.raw)
      }
      for input in inputs { message.write(input.onnx, as: 11) }
      for output in outputs {
        message.write(EnginePort(name: output, type: nil, sizes: nil).onnx, as: 12)
      }
    }
  }

  /// The same model, which gives these tensors too.
  package func giving(_ tensors: [String]) -> [UInt8] {
    let there = Set(graph.outputs.map(\.name))
    return rewritten { message, field in
      message.write(raw: field.raw)
    } finish: { message in
      for tensor in tensors where !there.contains(tensor) {
        message.write(EnginePort(name: tensor, type: nil, sizes: nil).onnx, as: 12)
      }
    }
  }

  /// The model with another graph: `copy` is given each field of the old one.
  func rewritten(
    _ copy: (inout ProtobufWriter, ProtobufReader.Field) throws(ProtobufReader.Fault) -> Void,
    finish: (inout ProtobufWriter) -> Void
  ) -> [UInt8] {
    var (model, inner) = (ProtobufWriter(), ProtobufWriter())
    // It has been read once, so that nothing is found wrong with it now.
    var reader = ProtobufReader(bytes[...])
    while let field = try? reader.next() {
      guard field.number == 7, let run = try? field.run() else {
        model.write(raw: field.raw)
        continue
      }
      var fields = ProtobufReader(run)
      while let field = try? fields.next() { try? copy(&inner, field) }
    }
    finish(&inner)
    model.write(inner, as: 7)
    return model.bytes
  }

  private func fault(_ message: String, like tensor: String?) -> EngineError {
    var message = "\(path ?? "the model"): \(message)"
    if let tensor {
      let last = tensor.split(separator: "/").last.map(String.init) ?? tensor
      let known = graph.nodes.flatMap(\.outputs)
      let close = known.filter { $0.contains(last) }.prefix(5)
      let shown = close.isEmpty ? known.suffix(5) : close
      message += "; there are \(shown.joined(separator: ", ")), and others"
    }
    return EngineError(.badModel, message)
  }
}

/// Who gives and who reads what in a graph.
private struct Order {
  let graph: OnnxModel.Graph
  /// The node that gives each tensor.
  let producers: [String: Int]
  private let varying: Set<String>

  init(_ graph: OnnxModel.Graph) {
    self.graph = graph
    var producers: [String: Int] = [:]
    var varying = Set(graph.inputs.map(\.name))
    // In the order of the file, which the format wants to be that of computing.
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
      let reads = node.inputs + node.captured
      if reads.contains(where: varying.contains) { varying.formUnion(node.outputs) }
    }
    (self.producers, self.varying) = (producers, varying)
  }

  func isVarying(_ tensor: String) -> Bool { varying.contains(tensor) }

  /// The nodes that tensors depend on, those that give them among them.
  func ancestors(of tensors: [String], stoppingAt given: Set<String> = []) -> Set<Int> {
    var (found, open) = (Set<Int>(), tensors)
    while let tensor = open.popLast() {
      guard !given.contains(tensor), let node = producers[tensor], found.insert(node).inserted
      else { continue }
      open += graph.nodes[node].inputs + graph.nodes[node].captured
    }
    return found
  }

  /// What later nodes, or the outputs, read of nodes that are done, and of the inputs; in the order
  /// in which it is computed.
  func read(by later: Set<Int>, outside done: Set<Int>, outputs: [EnginePort]) -> [String] {
    var read = Set(outputs.map(\.name))
    for index in later { read.formUnion(graph.nodes[index].inputs + graph.nodes[index].captured) }
    let inputs = graph.inputs.map(\.name).filter(read.contains)
    let computed = done.sorted().flatMap { graph.nodes[$0].outputs }
    return inputs + computed.filter { read.contains($0) && isVarying($0) }
  }
}

extension EnginePort {
  /// The port as a `ValueInfoProto`.
  package var onnx: ProtobufWriter {
    var info = ProtobufWriter()
    info.write(name, as: 1)
    guard let type else { return info }
    var (tensor, outer) = (ProtobufWriter(), ProtobufWriter())
    tensor.write(type.rawValue, as: 1)
    if let sizes {
      var shape = ProtobufWriter()
      for (axis, size) in sizes.enumerated() {
        var dimension = ProtobufWriter()
        if let size {
          dimension.write(size, as: 1)
        } else {
          dimension.write("\(name)_\(axis)", as: 2)
        }
        shape.write(dimension, as: 1)
      }
      tensor.write(shape, as: 2)
    }
    outer.write(tensor, as: 1)
    info.write(outer, as: 2)
    return info
  }
}
