// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Specification
internal import Tensors
internal import Video

/// What computes a stage of an ONNX network, given what the stage before it gave.
struct OnnxPiece: Sendable {
  /// The place of the cut after which it ends; nil for the last piece, and for one of skips.
  let cut: Int?
  /// What runs it; nil where all that it gives is handed on.
  let session: EngineSession?
  /// The tensors that it gives: the stage's output first, then skips, or a detector's outputs.
  let outputs: [EnginePort]
  /// Where among what it is given each input of the session is.
  private let given: [Int]
  /// Where each output comes from.
  private let sources: [Source]
  /// The outputs that the session is asked for.
  private let wanted: [Int]
  /// Where among what it is given the picture is, which is not in the file's order of axes.
  private let picture: Int?

  private enum Source {
    case given(Int), computed(Int)
  }

  /// What the piece gives; `layOut` brings a picture to the file's order of axes.
  func run(_ given: [Tensor], layOut: (Tensor) throws -> Tensor) throws -> [Tensor] {
    let inputs = try self.given.map { $0 == picture ? try layOut(given[$0]) : given[$0] }
    let computed = try session?.run(inputs, wanted: wanted) ?? []
    return sources.map { source in
      switch source {
      case .given(let place): given[place]
      case .computed(let place): computed[place]
      }
    }
  }

  /// The pieces of a file, as its description cuts it: one for all of it where there is no cut.
  ///
  /// - Throws: `EngineError` for the engine or a tensor that is not there.
  static func all(
    of file: OnnxFile, _ engine: InferenceEngine, _ threads: Int, _ precision: EnginePrecision,
    _ device: EngineDevice
  ) throws -> [OnnxPiece] {
    let (model, description) = (file.model, file.description)
    guard !description.cuts.isEmpty else {
      let session = try EngineSession(
        model, engine: engine, threads: threads, precision: precision, device: device)
      return [
        try OnnxPiece(
          giving: description.outputs, from: model.graph.inputs, session, picture: 0, cut: nil)
      ]
    }
    guard model.externalFiles.isEmpty else {
      throw BackboneError(
        .incompatible, "\(file.path) keeps its weights in other files, and is not cut into stages")
    }
    let cuts = try model.pieces(after: description.cuts.map(\.tensor))
    var (given, pieces) = (model.graph.inputs, [OnnxPiece]())
    for (wanted, cut) in cuts.map({ ([$0.main] + $0.skips, $0.cut) }) + [(description.outputs, nil)]
    {
      let computed = wanted.filter { name in !given.contains { $0.name == name } }
      // What is handed on twice is read once.
      var there = Set<String>()
      let names = given.map(\.name).filter { there.insert($0).inserted }
      let read = model.needed(of: names, for: computed)
      let inputs = read.compactMap { name in given.first { $0.name == name } }
      let session =
        computed.isEmpty
        ? nil
        : try EngineSession(
          model: try model.part(from: inputs, to: computed), engine: engine, threads: threads,
          precision: precision, device: device)
      let image = given.firstIndex { $0.name == model.graph.inputs[0].name }
      let piece = try OnnxPiece(
        giving: wanted, from: given, reading: inputs, session, picture: image, cut: cut)
      pieces.append(piece)
      given = piece.outputs
    }
    return pieces
  }

  private init(
    giving names: [String], from given: [EnginePort], reading inputs: [EnginePort]? = nil,
    _ session: EngineSession?, picture: Int?, cut: Int?
  ) throws {
    (self.session, self.picture, self.cut) = (session, picture, cut)
    self.given = (inputs ?? given).compactMap { input in given.firstIndex { $0.name == input.name }
    }
    let computed = names.filter { name in inputs == nil || !given.contains { $0.name == name } }
    let places = try session.map { try Self.places(of: computed, in: $0) } ?? []
    wanted = places
    (sources, outputs) = names.reduce(into: ([Source](), [EnginePort]())) { result, name in
      if let place = computed.firstIndex(of: name), let session {
        result.0.append(.computed(place))
        // Types as the engine has found them: the file need not state those of tensors in between.
        let port = session.outputs[places[place]]
        result.1.append(EnginePort(name: name, type: port.type, sizes: port.sizes))
      } else if let place = given.firstIndex(where: { $0.name == name }) {
        result.0.append(.given(place))
        result.1.append(given[place])
      }
    }
  }

  private static func places(of names: [String], in session: EngineSession) throws -> [Int] {
    // An engine may know an output by another of its names; their order is the file's.
    let there = session.outputs.map(\.name)
    return try names.enumerated().map { index, name in
      if let place = there.firstIndex(of: name) { return place }
      guard there.count == names.count else {
        throw EngineError(.badModel, "the engine finds no output '\(name)'")
      }
      return index
    }
  }
}

extension [OnnxPiece] {
  /// The stages of a network of these pieces.
  ///
  /// - Throws: `BackboneError` where the stride of a cut is not known, or two stages share a name.
  func stages(of description: OnnxDescription) throws -> [Stage] {
    var stages: [Stage] = []
    for (index, piece) in dropLast().enumerated() {
      guard let cut = piece.cut.map({ description.cuts[$0] }) else {
        // It hands on what the stage before gave, or the picture.
        let next = self[index + 1].cut.map { description.cuts[$0].name } ?? ""
        stages.append(Stage("\(next).skips", stride: stages.last?.stride ?? 1))
        continue
      }
      guard
        let stride = cut.stride
          ?? description.stride(of: piece.outputs.first, in: description.layout)
      else {
        throw SpecificationError(
          .badDescription,
          "stages: '\(cut.name)' needs its stride: sizes in the file do not tell it")
      }
      stages.append(Stage(cut.name, stride: stride))
    }
    let strides = (last?.outputs ?? []).map {
      description.outputStride ?? description.stride(of: $0, in: description.outputLayout) ?? 1
    }
    switch description.task {
    case .segmentation: stages.append(Stage("scores", stride: strides.first ?? 1))
    case .depth: stages.append(Stage("depth", stride: strides.first ?? 1))
    case .detection: stages += zip(description.outputs, strides).map { Stage($0, stride: $1) }
    }
    guard Set(stages.map(\.name)).count == stages.count else {
      throw BackboneError(.incompatible, "two stages share a name")
    }
    return stages
  }
}

extension OnnxDescription {
  /// The stride of a map whose size the file states; nil where it does not, or there is no map.
  fileprivate func stride(of port: EnginePort?, in layout: Layout) -> Int? {
    guard let sizes = port?.sizes, let input = input.size, sizes.count >= 3 else { return nil }
    let rows = sizes.count == 3 ? 1 : layout == .nchw ? 2 : 1
    guard let height = sizes[rows], height > 0, let width = sizes[rows + 1], width > 0 else {
      return nil
    }
    let stride = Int((Double(input.height) / Double(height)).rounded())
    let fits = abs(stride * width - input.width) < stride && stride >= 1 && stride <= 256
    return fits ? stride : nil
  }
}
