// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Specification
import Tensors
import TestSupport
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

  @Test func boxesOfSeveralPicturesAreRefused() throws {
    let decoder = try DetectionDecoders.registry.build(
      DetectionDecoders.standard.canonical("ssd", as: DetectionDecoders.role), in: BuildContext())
    func found(_ pictures: Int) throws -> [Detection] {
      let values = [Float](repeating: 0.5, count: pictures * 12)
      return try decoder.detections(
        in: ["boxes": 4, "scores": 4].sorted { $0.key < $1.key }.map {
          DetectorOutput(name: $0.key, shape: [pictures, 3, $0.value], values: values)
        }, input: PixelSize(width: 64, height: 64), classes: 4)
    }
    #expect(try found(1).count == 3)
    let error = try #require(throws: BackboneError.self) { try found(2) }
    #expect(error.message.contains("of one picture"))
  }

  @Test func numberedRowsAreOfTheFirstPicture() throws {
    let spec = try DetectionDecoders.standard.canonical("yolov7", as: DetectionDecoders.role)
    let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
    func found(_ shape: [Int], _ values: [Float]) throws -> [Detection] {
      try decoder.detections(
        in: [DetectorOutput(name: "output", shape: shape, values: values)],
        input: PixelSize(width: 64, height: 48), classes: 2)
    }
    let rows: [Float] = [
      0, 4, 6, 20, 30, 1, 0.75, 1, 4, 6, 20, 30, 1, 0.9, 0, 1, 2, 3, 4, 0, 0.1,
      0, 1, 2, 3, 4, 2, 0.9,
    ]
    let box = BoundingBox(x: 4, y: 6, width: 16, height: 24)
    #expect(try found([4, 7], rows) == [Detection(box: box, category: 1, score: 0.75)])
    #expect(try found([0, 7], []) == [])
    #expect(throws: BackboneError.self) { try found([1, 6], Array(rows.prefix(6))) }
    #expect(throws: BackboneError.self) { try found([2, 2, 7], rows) }
  }

  /// Rows, prototypes, and the masks that Ultralytics reads off them (`Scripts/golden/masks.py`).
  private struct Masks: Decodable {
    struct Sample: Decodable {
      let size: [Int], shape: [Int]
      let rows: [Float], prototypes: [Float]
      let masks: [ObjectMask]
    }
    let decoded: [Sample]
  }

  /// One in the network's input as it is, and one in a frame of another size and form.
  @Test func masksAreThoseOfUltralytics() throws {
    let file = URL(filePath: fixtures + "/Detections/masks.json")
    let golden = try JSONDecoder().decode(Masks.self, from: Data(contentsOf: file)).decoded
    #expect(golden.count == 2)
    for sample in golden {
      let spec = PartSpec(
        "yolov8", ["extra": 4, "masks": true, "overlap": 1, "score": .number(0.1)])
      let head = DecodedDetectionHead(
        try DetectionDecoders.registry.build(
          DetectionDecoders.standard.canonical(spec, as: DetectionDecoders.role),
          in: BuildContext()),
        outputs: ["rows", "prototypes"],
        classes: ClassList(name: "test", names: ["a", "b"], void: nil),
        inputSize: PixelSize(width: 48, height: 32))
      var maps = FeatureMaps()
      maps["rows"] = try Tensor(sample.rows, shape: Shape(sample.shape))
      maps["prototypes"] = try Tensor(sample.prototypes, shape: [1, 4, 8, 12])
      let size = PixelSize(width: sample.size[1], height: sample.size[0])
      let found = try head(maps, size: size)
      let expected = sample.masks.filter { !$0.isEmpty }
      #expect(found.count == expected.count && found.count > 4)
      for (mine, theirs) in zip(found, expected) {
        // Logits near 0 may fall to either side.
        let mask = try #require(mine.mask)
        #expect(mask.size == size && mask.intersectionOverUnion(with: theirs) > 0.995)
      }
    }
  }

  @Test func keyPointsComeBackInPixelsOfTheFrame() throws {
    let spec = PartSpec("yolov8", ["points": 2, "score": .number(0.1)])
    let decoder = try DetectionDecoders.registry.build(
      DetectionDecoders.standard.canonical(spec, as: DetectionDecoders.role), in: BuildContext())
    let head = DecodedDetectionHead(
      decoder, outputs: ["rows"], classes: ClassList(name: "test", names: ["a"], void: nil),
      inputSize: PixelSize(width: 32, height: 32), fit: .letterbox)
    // One row of box, score, and two points of three numbers each.
    let row: [Float] = [16, 16, 8, 8, 0.9, 14, 12, 0.75, 18, 20, 1.5]
    let found = try head(
      FeatureMaps(Tensor(row, shape: [1, 11, 1]), after: "rows"),
      size: PixelSize(width: 64, height: 32))
    // The picture is half as large in the input, and begins at row 8.
    #expect(
      found.first?.points == [
        KeyPoint(x: 28, y: 8, confidence: 0.75), KeyPoint(x: 36, y: 24, confidence: 1),
      ])
    #expect(found.first?.mask == nil)
  }

  @Test func masksNeedTheirPrototypes() throws {
    let spec = PartSpec("yolov8", ["extra": 4, "masks": true])
    let decoder = try DetectionDecoders.registry.build(
      DetectionDecoders.standard.canonical(spec, as: DetectionDecoders.role), in: BuildContext())
    let rows = DetectorOutput(
      name: "rows", shape: [1, 10, 3], values: [Float](repeating: 0.5, count: 30))
    let size = PixelSize(width: 48, height: 32)
    let alone = try #require(throws: BackboneError.self) {
      try decoder.detections(in: [rows], input: size, classes: 2)
    }
    #expect(alone.message.contains("output.names"))
    let other = DetectorOutput(
      name: "prototypes", shape: [1, 5, 2, 2], values: [Float](repeating: 0, count: 20))
    let instances = try #require(decoder as? any InstanceDecoder)
    #expect(throws: BackboneError.self) {
      try instances.instances(in: [rows, other], input: size, classes: 2)
    }
  }

  /// What overlaps is told before the picture's edges cut boxes off, as everybody does.
  @Test func boxesAreComparedUncut() throws {
    let decoder = Several(boxes: [
      BoundingBox(x: -30, y: 4, width: 40, height: 8),
      BoundingBox(x: -2, y: 4, width: 12, height: 8),
    ])
    let head = DecodedDetectionHead(
      decoder, outputs: ["o"], classes: .streetObjects,
      inputSize: PixelSize(width: 32, height: 32))
    let found = try head(
      FeatureMaps(Tensor.zeros([1]), after: "o"), size: PixelSize(width: 32, height: 32))
    // Cut off they are the same box; whole they hardly overlap.
    #expect(
      found.map(\.box) == Array(repeating: BoundingBox(x: 0, y: 4, width: 10, height: 8), count: 2))
  }

  private struct Several: DetectionDecoder {
    let boxes: [BoundingBox]
    let thresholds = DetectionThresholds()
    func detections(
      in _: [DetectorOutput], input _: PixelSize, classes _: Int
    ) -> [Detection] { boxes.map { Detection(box: $0, category: 0, score: 1) } }
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
  @Test(arguments: [(PictureFit.letterbox, 8.0), (.corner, 0.0)])
  func greySidesAreTakenOff(fit: PictureFit, top: Double) throws {
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
