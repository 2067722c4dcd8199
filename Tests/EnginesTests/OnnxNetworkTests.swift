// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Engines
import Foundation
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// What networks compute, in each engine that is here, against ONNX Runtime's own Python.
@Suite(.enabled(if: !engines.isEmpty, noEngine))
struct OnnxNetworkTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func network(
    _ name: String, _ yaml: String?, _ engine: InferenceEngine
  ) throws -> OnnxNetwork {
    try OnnxNetwork(contentsOf: described(name, in: scratch, yaml), engine: engine, threads: 1)
  }

  private func output(of network: OnnxNetwork, for frame: Frame = frame()) throws -> Tensor {
    let input = try network.input(for: frame)
    return try network.run(0..<network.stages.count, on: Features(input)).main
  }

  @Test(arguments: engines) func scoresAreThoseOfTheEnginesOwnPython(
    engine: InferenceEngine
  ) throws {
    let network = try network("segmentation", segmentationYAML, engine)
    #expect(network.stages == [Stage("scores", stride: 2)] && !network.takesBatches)
    #expect(network.inputSize == PixelSize(width: 16, height: 12))
    let scores = try output(of: network)
    let golden = try Golden.named("segmentation")
    #expect(scores.shape.dimensions == golden.shape)
    #expect(golden.matches(try scores.floats(), tolerance: 1e-4))
    #expect(try brokenLaws(of: network, on: frame()) == [])
  }

  /// 1 × H × W × 3 bytes of any size, of which scores are N × H × W × C.
  @Test(arguments: engines) func pixelsOfAnySizeGoInAsBytes(engine: InferenceEngine) throws {
    let yaml = """
      input: {color: bgr}
      output: {names: [scores], classes: [a, b], stride: 1}
      """
    let network = try network("pixels", yaml, engine)
    #expect(network.inputSize == nil && network.takesBatches)
    let scores = try output(of: network)
    #expect(scores.shape == [1, 2, 12, 16])
    let last = try scores.permuted(0, 2, 3, 1).floats()
    #expect(try Golden.named("pixels").matches(last, tolerance: 1e-3))
    #expect(try output(of: network, for: frame(width: 9, height: 7)).shape == [1, 2, 7, 9])
    #expect(try brokenLaws(of: network, on: frame()) == [])
  }

  /// Each size is computed as by itself, in whatever order sizes come; one that the network cannot
  /// take is answered with the way out, and others go on.
  @Test(arguments: engines) func sizesThatDoNotGoTogetherAreRefused(
    engine: InferenceEngine
  ) throws {
    let yaml = """
      input: {color: bgr, scale: 0.00392156862745098}
      output: {classes: [a, b], stride: 1}
      """
    let network = try network("meeting", yaml, engine)
    let sizes = (0..<70).map { (width: 8 + 2 * ($0 % 10), height: 6 + 2 * ($0 / 10)) }
    for round in 0..<2 {
      #expect(
        try Golden.named("meeting").matches(output(of: network).floats(), tolerance: 1e-4))
      for odd in [(15, 12), (16, 13), (7, 7)] {
        let error = try #require(throws: EngineError.self) {
          try output(of: network, for: frame(width: odd.0, height: odd.1))
        }
        #expect(error.code == .badArgument && error.message.contains("input.size"), "\(error)")
      }
      for (width, height) in sizes.prefix(round == 0 ? 3 : .max) {
        let scores = try output(of: network, for: frame(width: width, height: height))
        #expect(scores.shape == [1, 2, height, width])
      }
    }
    let fixed = try self.network(
      "meeting", yaml.replacing("color: bgr", with: "color: bgr, size: [12, 16]"), engine)
    let error = try #require(throws: (any Error).self) {
      try output(of: fixed, for: frame(width: 15, height: 12))
    }
    #expect(!"\(error)".contains("brings them"))
  }

  /// Numbers without an axis, in and out.
  @Test(arguments: engines) func aSingleNumberGoesInAndOut(engine: InferenceEngine) throws {
    var graph = OnnxGraphBuilder(name: "scalars")
    let (map, factor) = (graph.input("map", sizes: [1, 1, 2, 2]), graph.input("factor", sizes: []))
    let product = graph.elementwise("Mul", map, factor)
    graph.output(
      graph.node("ReduceMean", [product], sizes: [], [.integer("keepdims", 0)]), as: "mean")
    graph.output(product, as: "product")
    let session = try EngineSession(
      model: graph.model(producer: "test"), engine: engine, threads: 1)
    let outputs = try session.run([
      Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2]), Tensor([2], shape: []),
    ])
    #expect(try outputs[0].shape == [] && outputs[0].floats() == [6])
    #expect(try outputs[1].floats() == [2, 4, 6, 12])
  }

  /// What no engine takes at the usual size may be taken at that of the pictures.
  @Test(.enabled(if: engines.count > 1, "there is no choice of engines"))
  func anEngineIsChosenWhereNoneTakesTheUsualSize() throws {
    let path = "\(networks)/meeting.onnx"
    let cache = scratch("engines.json")
    let odd = try EngineChoice.auto.engine(
      for: path, inputs: [[1, 3, 7, 7]], threads: 1, cache: cache)
    #expect(odd.engine == engines[0] && odd.milliseconds.isEmpty && odd.remark == nil)
    #expect(!FileManager.default.fileExists(atPath: cache))
    let even = try EngineChoice.auto.engine(
      for: path, inputs: [[1, 3, 8, 8]], threads: 1, cache: cache)
    #expect(even.milliseconds.count == engines.count)
  }

  /// Inputs of every type beside the picture, which is not the first.
  @Test(arguments: engines) func numbersTakeThePlaceOfFurtherInputs(
    engine: InferenceEngine
  ) throws {
    let network = try network("given", givenYAML, engine)
    let depth = try output(of: network)
    let golden = try Golden.named("given")
    #expect(depth.shape.dimensions == golden.shape)
    #expect(golden.matches(try depth.floats(), tolerance: 1e-4))
    #expect(!network.takesBatches && network.description.fixedInputs.count == 12)
    let other = try self.network(
      "given", givenYAML.replacing("0.1, -2.5", with: "0.2, -2.5"), engine)
    #expect(try !golden.matches(output(of: other).floats(), tolerance: 1e-4))
  }

  /// Usually that of the input; a description may say another.
  @Test(arguments: engines) func aMapsAxesAreInTheOrderThatIsSaid(engine: InferenceEngine) throws {
    func scores(_ layout: String) throws -> Tensor {
      let yaml = """
        input: {color: bgr}
        output: {names: [scores], classes: [a, b], stride: 1, layout: \(layout)}
        """
      return try output(of: network("pixels", yaml, engine))
    }
    #expect(try scores("nhwc").shape == [1, 2, 12, 16])
    #expect(throws: (any Error).self) { try scores("nchw") }
  }

  @Test(arguments: engines) func labelsCountAsScores(engine: InferenceEngine) throws {
    let yaml = """
      input: {color: bgr}
      output: {names: [labels], classes: [a, b], stride: 1}
      """
    let scores = try output(of: network("pixels", yaml, engine))
    #expect(scores.shape == [1, 2, 12, 16])
    let labels = try scores.argmaxLabels().bytes().map(Float.init)
    #expect(try Golden.named("pixels labels").matches(labels, tolerance: 0))
  }

  @Test(arguments: engines) func batchesGiveWhatPicturesGiveAlone(
    engine: InferenceEngine
  ) throws {
    let yaml = "{input: {color: bgr}, output: {names: [scores], classes: [a, b], stride: 1}}"
    let network = try network("pixels", yaml, engine)
    let one = try network.input(for: frame()), other = try one * 0.5
    let both = try network.run(0..<1, on: Features(.concatenate([one, other], axis: 0))).main
    for (place, input) in [one, other].enumerated() {
      let alone = try network.run(0..<1, on: Features(input)).main.floats()
      let there = try both.slice(axis: 0, place..<place + 1).floats()
      #expect(zip(alone, there).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test(arguments: engines) func depthIsReadInHalfPrecision(engine: InferenceEngine) throws {
    let yaml = """
      task: depth
      input: {color: bgr, scale: 0.00392156862745098}
      output: {kind: inverse, range: [0.5, 1.8]}
      """
    let network = try network("half", yaml, engine)
    let map = try output(of: network)
    #expect(network.stages == [Stage("depth", stride: 1)] && map.type == .float16)
    let numbers = try map.floats()
    // Half precision has three digits; engines compute it in their own ways.
    #expect(try Golden.named("half").matches(numbers, tolerance: 4e-3))
    let head = try #require(network.description.depthHead)
    let depth = try head(
      FeatureMaps(map, after: "depth"), size: PixelSize(width: 16, height: 12))
    #expect(zip(depth.metres, numbers).allSatisfy { abs($0 - min(max(1 / $1, 0.5), 1.8)) < 1e-3 })
  }

  @Test(arguments: engines) func signedBytesGoInAndOut(engine: InferenceEngine) throws {
    let yaml = """
      input: {color: bgr, mean: [128, 128, 128]}
      output: {classes: [a, b]}
      """
    let scores = try output(of: network("quantised", yaml, engine))
    #expect(scores.type == .float32)
    // Halves may be rounded either way.
    #expect(try Golden.named("quantised").matches(try scores.floats(), tolerance: 1))
  }

  @Test(arguments: engines) func weightsBesideTheFileAreRead(engine: InferenceEngine) throws {
    let network = try OnnxNetwork(
      OnnxFile(
        at: "\(networks)/external.onnx",
        description: scratch.file(
          "external.yaml", Array("{input: {color: bgr}, output: {classes: [a, b]}}".utf8))),
      engine: engine, threads: 1)
    #expect(try output(of: network).shape == [1, 2, 12, 16])
  }

  /// The whole and the parts are the same operators on the same numbers.
  @Test(arguments: engines) func aCutNetworkGivesWhatTheWholeGives(
    engine: InferenceEngine
  ) throws {
    let whole = try output(of: network("segmentation", segmentationYAML, engine))
    let cut = try network(
      "segmentation",
      segmentationYAML + "\nstages: [{tensor: shallow}, {tensor: deep, name: features}]", engine)
    #expect(
      cut.stages == [
        Stage("shallow", stride: 1), Stage("features.skips", stride: 1),
        Stage("features", stride: 2), Stage("scores", stride: 2),
      ])
    let scores = try output(of: cut)
    #expect(try scores.floats() == whole.floats())
    #expect(try brokenLaws(of: cut, on: frame()) == [])
  }

  /// A detector that says all of itself: classes, size, and that its pictures have grey sides.
  @Test(arguments: engines) func aDetectorNeedsNoDescription(engine: InferenceEngine) throws {
    let file = try OnnxFile(at: "\(networks)/detector.onnx")
    #expect(file.description.classes.names == ["it's a car", "person"])
    #expect(file.description.fit == .letterbox)
    let network = try OnnxNetwork(file, engine: engine, threads: 1)
    #expect(network.inputSize == nil)
    // Red in the upper left eighth of a picture that fills the input: RGB, 0 to 1.
    let pixels = Image(width: 32, height: 16, channels: 3) { bytes in
      for index in bytes.indices {
        let (x, y) = (index / 3 % 32, index / 96)
        bytes[index] = index % 3 == 2 && x < 8 && y < 8 ? 255 : 0
      }
    }
    let map = try output(of: network, for: Frame(index: 0, time: 0, pixels: pixels))
    #expect(map.shape == [1, 6, 8])
    let spec = try DetectionDecoders.standard.canonical("yolov8", as: "decoder")
    let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
    let head = try #require(network.description.detectionHead(decoder))
    let found = try head(
      FeatureMaps(map, after: "output0"), size: PixelSize(width: 32, height: 16))
    // Centre (30 + 1, 0), size (8, 4), cut off at the edges.
    #expect(found.count == 1 && found[0].category == 0 && abs(found[0].score - 0.9) < 1e-5)
    let box = found[0].box
    #expect(abs(box.x - 27) < 1e-3 && abs(box.y) < 1e-3)
    #expect(abs(box.width - 5) < 1e-3 && abs(box.height - 2) < 1e-3)
  }

  /// YOLOv7's rows of 7 from the graph's own suppression; OpenVINO takes them for empty.
  @Test(arguments: engines) func numberedRowsAreBoxes(engine: InferenceEngine) throws {
    let yaml = "input: {color: rgb, scale: 0.00392156862745098}\n"
    guard engine == .onnxruntime else {
      let error = try #require(throws: EngineError.self) { try network("numbered", yaml, engine) }
      #expect(error.message.contains("--engine onnxruntime"))
      return
    }
    let seven = try network("numbered", yaml, engine)
    guard case .detection(let spec) = seven.description.task else {
      Issue.record("no detector")
      return
    }
    let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
    let head = try #require(seven.description.detectionHead(decoder))
    let size = PixelSize(width: 128, height: 48)
    let found = try head(
      FeatureMaps(output(of: seven, for: frame(width: 128, height: 48)), after: "output"),
      size: size)
    #expect(found.map(\.score).map { ($0 * 10).rounded() } == [9, 7])
    #expect(found[0].box == BoundingBox(x: 20, y: 10, width: 40, height: 30))
  }

  @Test(arguments: engines) func anInputOfAnotherSizeIsRefused(engine: InferenceEngine) throws {
    let session = try EngineSession(
      contentsOf: "\(networks)/segmentation.onnx", engine: engine, threads: 1)
    let error = try #require(throws: EngineError.self) {
      try session.run([.zeros([1, 3, 12, 17])])
    }
    #expect(error.code == .badArgument && error.message.contains("1 × 3 × 12 × 16"))
  }

  @Test(arguments: engines) func anOperatorThatThereIsNotIsNamed(engine: InferenceEngine) throws {
    var bytes = try bytes(of: "\(networks)/segmentation.onnx")
    let old = Array("AveragePool".utf8)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: old) })
    bytes.replaceSubrange(start..<start + old.count, with: "UnheardPool".utf8)
    let error = try #require(throws: EngineError.self) {
      try EngineSession(model: bytes, engine: engine, threads: 1)
    }
    #expect(error.code == .badModel && error.message.contains("UnheardPool"), "\(error)")
    #expect(!error.message.contains("\n"))
  }

  /// Several tasks at once, each of which must see its own numbers.
  @Test(arguments: engines) func callsSideBySideDoNotMix(engine: InferenceEngine) async throws {
    let session = try EngineSession(
      contentsOf: "\(networks)/segmentation.onnx", engine: engine, threads: 2)
    let inputs = try (0..<8).map { try Tensor.normal([1, 3, 12, 16], seed: UInt64($0)) }
    let alone = try inputs.map { try session.run([$0])[0].floats() }
    let together = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
      for round in 0..<64 {
        group.addTask { (round % 8, try session.run([inputs[round % 8]])[0].floats()) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for (place, numbers) in together {
      #expect(zip(numbers, alone[place]).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  /// What was computed stays as it is when the session computes again, or is gone.
  @Test(arguments: engines) func anOutputOutlivesItsSession(engine: InferenceEngine) throws {
    let input = try Tensor.normal([1, 3, 12, 16], seed: 5)
    let (first, numbers) = try {
      let session = try EngineSession(
        contentsOf: "\(networks)/segmentation.onnx", engine: engine, threads: 1)
      let first = try session.run([input])[0]
      let numbers = try first.floats()
      _ = try session.run([input * 2])
      return (first, numbers)
    }()
    #expect(try first.floats() == numbers)
  }

  @Test func theFasterEngineIsMeasuredOnceAndKept() throws {
    let cache = scratch("cache/engines.json"), path = "\(networks)/segmentation.onnx"
    let first = try EngineChoice.auto.engine(
      for: path, inputs: [[1, 3, 12, 16]], threads: 1, cache: cache)
    let second = try EngineChoice.auto.engine(
      for: path, inputs: [[1, 3, 12, 16]], threads: 1, cache: cache)
    #expect(first == second && engines.contains(first.engine))
    guard engines.count > 1 else { return }
    #expect(first.remark?.contains(first.engine.title) == true)
    let least = first.milliseconds.min { $0.value < $1.value }
    #expect(first.engine == least?.key && first.milliseconds.count == engines.count)
    #expect(FileManager.default.fileExists(atPath: cache))
  }
}
