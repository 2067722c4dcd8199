// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Foundation
import Recipes
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// Networks that others made, on real frames.
@Suite(
  .enabled(if: sharedData != nil, "shared data is not there"),
  .enabled(if: !engines.isEmpty, noEngine))
struct SharedNetworksTests {
  private let data: URL
  private let scratch: Scratch
  init() throws { (data, scratch) = (try #require(sharedData), try Scratch()) }

  /// What a decoding in Python finds in frame 100 of the clip, with ONNX Runtime and OpenCV: a car,
  /// 282.41, 0 to 399.45, 74, with a score of 0.8797.
  @Test(arguments: engines) func fastestDetFindsTheCar(engine: InferenceEngine) throws {
    let description = try scratch.file(
      "fastestdet.yaml",
      Array(
        """
        task: detection
        input: {color: bgr, scale: 0.00392156862745098}
        output: {classes: coco80}
        decoder: {kind: fastestdet, score: 0.4, overlap: 0.45}
        """.utf8))
    let path = data.appending(path: "models/FastestDet.onnx").path
    let registries = Registries.standard
    let spec = try PipelineSpec(
      backbone: PartSpec(
        "onnx",
        [
          "path": .text(path), "description": .text(description), "engine": .text(engine.rawValue),
        ])
    ).canonical(in: registries)
    let source = try registries.source(
      of: #require(spec.backbone), in: registries.context(threads: 2))
    let frame = try frame(100, of: "video/intel-iot-devkit_car-detection.mp4")
    let task = try #require(source.task)
    let cars = try found(by: task, of: source, in: frame).filter { $0.category == 2 }
    #expect(cars.count == 1 && source.classes.names[2] == "car")
    let truth = BoundingBox(x: 282.41, y: 0, width: 117.04, height: 74)
    #expect(cars[0].box.intersectionOverUnion(with: truth) > 0.95)
    #expect(abs(cars[0].score - 0.8797) < 0.02)
  }

  private func found(
    by task: some PredictionTask, of source: any NetworkSource, in frame: Frame
  ) throws -> [Detection] {
    let (backbone, _) = try source.load()
    let head = try task.head(behind: backbone)
    let maps = try FeatureMaps(
      of: backbone.input(for: frame), after: head.inputs, through: backbone)
    return try #require(head(maps, size: frame.pixels.size) as? [Detection])
  }

  private func frame(_ index: Int, of video: String) throws -> Frame {
    let stream = try VideoSource.open(data.appending(path: video).path)
    for _ in 0..<index { _ = try stream.next() }
    return try #require(try stream.next())
  }

  /// The file's other form runs in LibTorch: the same weights, another engine.
  @Test(arguments: engines) func espNetLabelsAsItsTorchScriptDoes(engine: InferenceEngine) throws {
    let stem = data.appending(path: "models/espnet_p2q8_camvid_360x480").path
    let torch = try ImportedNetwork(contentsOf: "\(stem).torchscript.pt")
    let onnx = try OnnxNetwork(contentsOf: "\(stem).onnx", engine: engine, threads: 2)
    let file = try #require(
      FileManager.default.contentsOfDirectory(atPath: data.appending(path: "camvid/val").path)
        .sorted().first)
    let image = try Image(contentsOf: data.appending(path: "camvid/val/\(file)").path)
    let frame = Frame(index: 0, time: 0, pixels: image)
    func labels(_ network: some Backbone) throws -> [UInt8] {
      let scores = try network.run(
        0..<network.stages.count, on: Features(network.input(for: frame))
      ).main
      return try scores.argmaxLabels().bytes()
    }
    let (theirs, ours) = (try labels(torch), try labels(onnx))
    let different = zip(theirs, ours).count { $0 != $1 }
    #expect(ours.count == 360 * 480 && different < 30, "\(different) pixels")
  }
}
