// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Flow
import Frames
import Layers
import Propagation
import Specification
import Tensors
import Testing
import Video

/// Pipelines as ONNX models without state.
struct ExportedPropagationTests {
  private let size = PixelSize(width: 104, height: 72)

  /// A network, a part, and three frames: a key frame and two after it.
  private struct Trial {
    let network: SegmentationNetwork
    let parts: PropagationCase.Parts
    let tap: String
    let pictures: [Tensor]
    let field: MotionField

    init(_ propagation: PropagationCase) throws {
      network = try smallNetwork(smallNetworks[propagation.network])
      let parameters = Parameters(seed: 3)
      parts = try propagation.make(network, parameters)
      tap = propagation.tap ?? "classifier"
      // Nothing is as it begins: what is left out would show.
      for (index, parameter) in parameters.all.enumerated() where parameter.kind != .statistic {
        let noise = try drawn(parameter.tensor.shape, seed: UInt64(index), in: -0.05...0.05)
        try parameter.tensor.assign(parameter.tensor + noise)
      }
      pictures = try (0..<3).map { index in
        try drawn([1, 3, 18, 26], seed: 40 + UInt64(index), in: 0...255)
          .resizedBilinear(height: 72, width: 104, grid: .halfPixel)
      }
      // It leads out of the picture on all sides, and in two places nothing is known.
      let coarse = try drawn([1, 2, 6, 8], seed: 9, in: -30...30)
        .resizedBilinear(height: 72, width: 104, grid: .halfPixel)
      var known = [UInt8](repeating: 1, count: 72 * 104)
      for row in 20..<33 { for column in 30..<47 { known[row * 104 + column] = 0 } }
      known[71 * 104] = 0
      let smooth = try MotionField(coarse)
      var displacements = smooth.displacements
      for (cell, mark) in known.enumerated() where mark == 0 {
        (displacements[2 * cell], displacements[2 * cell + 1]) = (0, 0)
      }
      field = MotionField(width: 104, height: 72, displacements: displacements, known: known)
    }

    var count: Int { get throws { try network.index(ofStage: tap) + 1 } }

    /// The flow as models take it: not a number where it is not known.
    func flow() throws -> Tensor {
      let known = try #require(field.known)
      let numbers: [Float] = (0..<2 * known.count).map { index in
        let (plane, cell) = (index / known.count, index % known.count)
        return known[cell] == 0 ? .nan : field.displacements[2 * cell + plane]
      }
      return try Tensor(numbers, shape: [1, 2, 72, 104])
    }

    func features(of frame: Int, _ count: Int) throws -> Features {
      let input = try pictures[frame].scaled(by: network.specification.input.scaling)
      return try network.run(0..<count, on: Features(input))
    }

    func context(_ frame: Int) -> FrameContext {
      func place(_ side: FrameSide) -> Int {
        side == .current ? frame : side == .keyframe ? 0 : frame - 1
      }
      return FrameContext(
        ofBatch: frame,
        from: GivenAnswers(
          flow: { _ in field }, image: { pictures[place($0)] },
          features: { try features(of: place($1), network.index(ofStage: $0) + 1).main }))
    }

    /// What the parts themselves make of the frames after the first, and the scores of these maps.
    func expected() throws -> [(map: Tensor, scores: Tensor)] {
      var propagator = parts.propagator
      let key = FeatureMaps(try features(of: 0, count).main, after: tap)
      try propagator.keyframe(key, in: context(0))
      return try (1..<3).map { frame in
        let context = context(frame)
        let maps = try propagator.propagate(to: context)
        let map = try (parts.fusion?(maps, in: context) ?? maps).only()
        let given = Features(map, skips: try features(of: frame, count).skips)
        let rest = parts.decoder ?? network
        return (map, try rest.run(count..<network.stages.count, on: given).main)
      }
    }
  }

  /// Models, each opened in an engine, run by the names of what goes in and out.
  private struct Pieces {
    private let opened: [String: (piece: ExportedPiece, session: EngineSession)]

    init(_ exported: ExportedPropagation, _ engine: InferenceEngine) throws {
      opened = try Dictionary(
        uniqueKeysWithValues: exported.pieces.map {
          ($0.name, ($0, try EngineSession(model: $0.model, engine: engine, threads: 1)))
        })
    }

    func run(_ name: String, _ given: [String: Tensor]) throws -> [String: Tensor] {
      let (piece, session) = try #require(opened[name])
      let inputs = try piece.inputs.map { port in
        let tensor = try #require(given[port.name], "\(name) reads \(port.name)")
        #expect(tensor.shape.dimensions == port.sizes, "\(name): \(port.name)")
        return tensor
      }
      let outputs = try session.run(inputs)
      for (port, output) in zip(piece.outputs, outputs) {
        #expect(output.shape.dimensions == port.sizes, "\(name): \(port.name)")
      }
      return Dictionary(uniqueKeysWithValues: zip(piece.outputs.map(\.name), outputs))
    }
  }

  /// What the description says, done.
  private func run(
    _ exported: ExportedPropagation, on trial: Trial, _ engine: InferenceEngine
  ) throws -> [(map: Tensor, scores: Tensor)] {
    let pieces = try Pieces(exported, engine)
    let key = try pieces.run("key", ["frame": trial.pictures[0]])
    var before = key["features"]
    return try (1..<3).map { index in
      var given = ["frame": trial.pictures[index], "key_frame": trial.pictures[0]]
      given["previous_frame"] = trial.pictures[index - 1]
      given["flow_to_key"] = try trial.flow()
      given["flow_to_previous"] = try trial.flow()
      given["before"] = before
      for (name, value) in key { given["key_\(name)"] = value }
      var own: [String: Tensor] = [:]
      if exported.key.frames == "every frame" {
        own = try pieces.run("key", ["frame": trial.pictures[index]])
        given["own"] = own["features"]
      }
      let found = try pieces.run("fusion", given)
      before = found["next"] ?? before
      let map = try #require(found["features"])
      guard exported.rest != nil else { return (map, map) }
      let rest = exported.decoder?.name ?? "rest"
      let scores = try pieces.run(rest, own.merging(found) { $1 })["scores"]
      return (map, try #require(scores))
    }
  }

  @Test(.enabled(if: !engines.isEmpty, noEngine), arguments: PropagationCase.all, engines)
  func enginesComputeWhatThePipelineDoes(
    propagation: PropagationCase, engine: InferenceEngine
  ) throws {
    let trial = try Trial(propagation)
    let exported = try trial.network.onnx(
      for: size, propagating: propagation.tap, by: trial.parts.propagator,
      fusedBy: trial.parts.fusion, decodedBy: trial.parts.decoder)
    let (found, expected) = (try run(exported, on: trial, engine), try trial.expected())
    for (found, expected) in zip(found, expected) {
      #expect(try gap(found.map, expected.map) < 5e-4)
      #expect(try gap(found.scores, expected.scores) < 5e-4)
    }
    // The frames differ, or nothing would be shown.
    #expect(try gap(expected[0].scores, expected[1].scores) > 0.01)
  }

  @Test(arguments: PropagationCase.all) func whatIsWrittenIsSound(propagation: PropagationCase)
    throws
  {
    let trial = try Trial(propagation)
    let exported = try trial.network.onnx(
      for: size, propagating: propagation.tap, by: trial.parts.propagator,
      fusedBy: trial.parts.fusion, decodedBy: trial.parts.decoder)
    #expect((exported.rest == nil) == (propagation.tap == nil))
    #expect((exported.decoder == nil) == (trial.parts.decoder == nil))
    #expect(exported.rest.map { $0.frames == "key frames" } ?? false == (exported.decoder != nil))
    for piece in exported.pieces {
      let graph = try OnnxModel(bytes: piece.model).graph
      #expect(graph.inputs.map(\.name) == piece.inputs.map(\.name))
      #expect(graph.outputs.map(\.name) == piece.outputs.map(\.name))
      #expect(graph.nodes.allSatisfy { $0.domain.isEmpty })
      var known = Set(graph.inputs.map(\.name) + graph.constants.map(\.name))
      for node in graph.nodes {
        #expect(node.inputs.allSatisfy { known.contains($0) }, "\(node.name)")
        for output in node.outputs { #expect(known.insert(output).inserted) }
      }
    }
    // What a piece reads, a user has, or another piece gives.
    let given: Set = ["frame", "key_frame", "previous_frame", "flow_to_key", "flow_to_previous"]
    let names = exported.pieces.flatMap { $0.outputs.map(\.name) }
    let made = Set(["before", "own"] + names + exported.key.outputs.map { "key_\($0.name)" })
    for piece in exported.pieces {
      #expect(piece.inputs.allSatisfy { given.union(made).contains($0.name) })
    }
  }

  @Test func theDescriptionTellsWhatGoesInAndOut() throws {
    let trial = try Trial(PropagationCase.all[3])
    let exported = try trial.network.onnx(
      for: size, by: trial.parts.propagator, fusedBy: trial.parts.fusion)
    let text = exported.description(stem: "it's", along: "dis:medium")
    let reader = try DescriptionReader(yaml: text)
    #expect(try reader.numbers("picture", count: 2) == [72, 104])
    #expect(try reader.string("flow") == "dis:medium")
    for words in [
      "file: \"it's-fusion.onnx\"", "{name: flow_to_key, sizes: [1, 2, 72, 104],",
      "{name: before, sizes: [1, 11, 36, 52],", "dx, dy) in pixels",
    ] { #expect(text.contains(words), "\(words) in\n\(text)") }
  }

  @Test func whatCannotBeWrittenIsNamed() throws {
    struct Mine: Propagator {
      mutating func keyframe(_: FeatureMaps, in _: FrameContext) {}
      mutating func propagate(to _: FrameContext) -> FeatureMaps { FeatureMaps() }
    }
    struct Bare: Branch {
      func features(of pictures: Tensor, in _: ForwardContext) -> Tensor { pictures }
    }
    let network = try smallNetwork(smallNetworks[0])
    let mine = try #require(throws: PropagationError.self) {
      try network.onnx(for: size, by: Mine())
    }
    #expect(mine.message == "Mine cannot be written as ONNX operators")
    let fusion = try CorrectiveFusion(
      classes: 11, with: Bare(), giving: 3, parameters: Parameters(seed: 1))
    let bare = try #require(throws: PropagationError.self) {
      try network.onnx(for: size, by: Warp(), fusedBy: fusion)
    }
    #expect(bare.message == "Bare cannot be written as ONNX operators")
    let scored = try #require(throws: PropagationError.self) {
      try network.onnx(for: size, by: Warp(from: .scored))
    }
    #expect(scored.message.contains("scores were made"))
    let later = try IndependentFusion(
      channels: 8, after: "decoder", giving: 4, stride: 1, parameters: Parameters(seed: 1))
    let error = try #require(throws: PropagationError.self) {
      try network.onnx(for: size, propagating: "context", by: Copy(), fusedBy: later)
    }
    #expect(error.message.contains("'decoder' comes after"))
    #expect(throws: BackboneError.self) {
      try network.onnx(for: size, propagating: "x", by: Copy())
    }
  }
}
