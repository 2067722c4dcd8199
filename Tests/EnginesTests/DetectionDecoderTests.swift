// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Specification
import Tensors
import Testing
import Video

/// Decoders against others, written with numpy in `Scripts/golden/onnx_networks.py`.
struct DetectionDecoderTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Output: Decodable {
      let shape: [Int]
      let values: [Float]
    }
    let decoder: PartSpec
    let size: [Int]
    let classes: Int
    let outputs: [Output]
    /// Left, top, right, bottom, class, score.
    let found: [[Double]]

    var testDescription: String { "\(decoder)" }
    var input: PixelSize { PixelSize(width: size[1], height: size[0]) }

    func head() throws -> DecodedDetectionHead {
      let spec = try DetectionDecoders.standard.canonical(decoder, as: DetectionDecoders.role)
      let made = try DetectionDecoders.registry.build(spec, in: BuildContext())
      return DecodedDetectionHead(
        made, outputs: outputs.indices.map { "o\($0)" },
        classes: ClassList(
          name: "test", names: (0..<classes).map { "class \($0)" }, void: nil),
        inputSize: input)
    }

    func maps() throws -> FeatureMaps {
      var maps = FeatureMaps()
      for (index, output) in outputs.enumerated() {
        maps["o\(index)"] = try Tensor(output.values, shape: Shape(output.shape))
      }
      return maps
    }
  }

  static let cases: [Case] = {
    let data = FileManager.default.contents(atPath: "\(networks)/decoders.json") ?? Data()
    return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
  }()

  @Test func everyDecoderHasACase() {
    let kinds = Set(Self.cases.map(\.decoder.kind))
    #expect(kinds == Set(DetectionDecoders.registry.descriptors.map(\.kind)))
  }

  @Test(arguments: cases) func boxesAreThoseOfTheOtherDecoder(_ sample: Case) throws {
    let found = try sample.head()(sample.maps(), size: sample.input)
    #expect(found.count == sample.found.count)
    for (mine, theirs) in zip(found, sample.found) {
      let box = mine.box
      let numbers = [
        box.x, box.y, box.x + box.width, box.y + box.height, Double(mine.category), mine.score,
      ]
      #expect(zip(numbers, theirs).allSatisfy { abs($0 - $1) < 1e-4 }, "\(numbers), \(theirs)")
    }
  }

  /// Rows of another number of classes, or of another decoder, would be read as boxes that are
  /// none.
  @Test func rowsOfAnotherLengthAreNoBoxes() throws {
    func found(_ shape: [Int], extra: Int = 0) throws -> [Detection] {
      let spec = try DetectionDecoders.standard.canonical(
        PartSpec("yolov8", ["extra": .integer(extra)]), as: DetectionDecoders.role)
      let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
      let values = [Float](repeating: 0.5, count: shape.reduce(1, *))
      return try decoder.detections(
        in: [DetectorOutput(name: "rows", shape: shape, values: values)],
        input: PixelSize(width: 64, height: 64), classes: 2)
    }
    for shape in [[1, 6, 9], [1, 9, 6]] { #expect(try found(shape).count == 9) }
    for shape in [[1, 7, 9], [1, 9, 300], [6, 9]] {
      #expect(throws: BackboneError.self) { try found(shape) }
    }
    #expect(try found([1, 38, 9], extra: 32).count == 9)
  }

  /// A frame of another size than the network's input: boxes grow with it.
  @Test(arguments: cases) func boxesAreInPixelsOfTheFrame(_ sample: Case) throws {
    let size = PixelSize(width: sample.input.width * 3, height: sample.input.height * 2)
    let found = try sample.head()(sample.maps(), size: size)
    for (mine, theirs) in zip(found, sample.found) {
      #expect(abs(mine.box.x - 3 * theirs[0]) < 1e-3 && abs(mine.box.y - 2 * theirs[1]) < 1e-3)
    }
  }

  @Test(arguments: cases) func outputsOfAnotherShapeAreRefused(_ sample: Case) throws {
    var maps = FeatureMaps()
    for index in sample.outputs.indices {
      maps["o\(index)"] = try Tensor.zeros([1, 2, 3])
    }
    let error = try #require(throws: BackboneError.self) {
      try sample.head()(maps, size: sample.input)
    }
    #expect(error.code == .badOutput)
  }

  /// An object in the middle of a picture of 64 × 32, seen through a square input with grey on both
  /// sides: a length there is half as long, and the picture begins at row 8.
  @Test(arguments: [(OnnxDescription.Fit.letterbox, 8.0), (.corner, 0.0)])
  func greySidesAreTakenOff(fit: OnnxDescription.Fit, top: Double) throws {
    let input = PixelSize(width: 32, height: 32)
    let decoder = Fixed(box: BoundingBox(x: 10, y: top + 4, width: 6, height: 5))
    let head = DecodedDetectionHead(
      decoder, outputs: ["o"], classes: .streetObjects, inputSize: input, fit: fit)
    let found = try head(
      FeatureMaps(Tensor.zeros([1]), after: "o"), size: PixelSize(width: 64, height: 32))
    #expect(found.map(\.box) == [BoundingBox(x: 20, y: 8, width: 12, height: 10)])
  }

  private struct Fixed: DetectionDecoder {
    let box: BoundingBox
    let thresholds = DetectionThresholds()
    func detections(
      in _: [DetectorOutput], input _: PixelSize, classes _: Int
    ) -> [Detection] { [Detection(box: box, category: 0, score: 1)] }
  }
}
