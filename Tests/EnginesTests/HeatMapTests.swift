// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Foundation
import Frames
import Propagation
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// Key points read off heat maps, where they can be told beforehand.
struct HeatMapTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func found(
    _ maps: [[Float]], rows: Int, columns: Int, _ options: [String: OptionValue] = [:]
  ) throws -> [Detection] {
    let spec = try DetectionDecoders.standard.canonical(
      PartSpec("heatmaps", options), as: DetectionDecoders.role)
    let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
    #expect(decoder.readsMaps)
    return try decoder.detections(
      in: [
        DetectorOutput(
          name: "maps", shape: [1, maps.count, rows, columns], values: maps.flatMap { $0 })
      ], input: PixelSize(width: 4 * columns, height: 2 * rows), classes: 1)
  }

  /// A map of 5 × 7 cells that is 0 but for some cells, by row and column.
  private func map(_ cells: [(row: Int, column: Int, value: Float)]) -> [Float] {
    var map = [Float](repeating: 0, count: 35)
    for cell in cells { map[7 * cell.row + cell.column] = cell.value }
    return map
  }

  @Test func aPointLiesAQuarterTowardsTheHigherNeighbour() throws {
    let maps = [
      map([(2, 3, 0.9), (2, 4, 0.2), (2, 2, 0.1), (1, 3, 0.3)]),
      map([(2, 3, 0.5), (2, 2, 0.2), (3, 3, 0.1)]),
      map([(2, 3, 1.5)]),
      map([(0, 6, 0.75), (0, 5, 0.4), (1, 6, 0.4)]),
    ]
    let person = try #require(try found(maps, rows: 5, columns: 7).first)
    #expect(
      person.points == [
        KeyPoint(x: 13, y: 3.5, confidence: Double(Float(0.9))),
        KeyPoint(x: 11, y: 4.5, confidence: 0.5),
        KeyPoint(x: 12, y: 4, confidence: 1),
        KeyPoint(x: 24, y: 0, confidence: 0.75),
      ])
    #expect(person.box == BoundingBox(x: 11, y: 0, width: 13, height: 4.5))
    #expect(abs(person.score - (0.9 + 0.5 + 1 + 0.75) / 4) < 1e-6 && person.category == 0)
    let middles = try found(maps, rows: 5, columns: 7, ["centre": .number(0.5)])
    for (one, other) in zip(person.points, try #require(middles.first).points) {
      #expect(other.x == one.x + 2 && other.y == one.y + 1)
    }
  }

  @Test func pointsBelowTheThresholdAreToldButMakeNoBox() throws {
    let maps = [
      map([(1, 2, 0.6)]), map([(4, 4, 0.5)]), map([(3, 6, 0.3)]),
      [Float](repeating: .nan, count: 35), [Float](repeating: -1, count: 35),
    ]
    let person = try #require(
      try found(maps, rows: 5, columns: 7, ["score": .number(0.4)]).first)
    #expect(person.points.map(\.confidence) == [0.6, 0.5, 0.3, 0, 0].map { Double(Float($0)) })
    #expect(person.box == BoundingBox(x: 8, y: 2, width: 8, height: 6))
    #expect(try found(maps, rows: 5, columns: 7, ["score": .number(0.7)]).isEmpty)
    #expect(try found([maps[3], maps[4]], rows: 5, columns: 7, ["score": 0]).isEmpty)
    #expect(throws: BackboneError.self) {
      try found([[1, 2, 3]], rows: 3, columns: 1).first.map { _ in }
      _ = try DetectionDecoders.registry.build(
        DetectionDecoders.standard.canonical("heatmaps", as: DetectionDecoders.role),
        in: BuildContext()
      ).detections(
        in: [DetectorOutput(name: "rows", shape: [1, 3], values: [1, 2, 3])],
        input: PixelSize(width: 8, height: 8), classes: 1)
    }
  }

  /// A bell whose middle lies anywhere is found within a quarter of a cell each way, where its
  /// highest cell alone may be half a cell off.
  @Test func theMiddleOfABellIsFoundWithinAQuarter() throws {
    var worst = 0.0
    for step in 0..<40 {
      let (x, y) = (6 + Double(step % 8) / 8, 5 + Double(step / 8) / 5)
      let bell = (0..<12 * 14).map { place -> Float in
        let (dx, dy) = (Double(place % 14) - x, Double(place / 14) - y)
        return Float(0.98 * exp(-(dx * dx + dy * dy) / 8))
      }
      let person = try #require(try found([bell], rows: 12, columns: 14).first)
      let point = person.points[0]
      worst = max(worst, abs(point.x / 4 - x), abs(point.y / 2 - y))
    }
    #expect(worst <= 0.25 + 1e-9 && worst > 0.2)
  }

  /// A network that gives its input as it is, so that each colour of the picture is a point's map.
  ///
  /// Warped along the flow the maps lead to the points where they went.
  @Test(.enabled(if: !engines.isEmpty, noEngine))
  func mapsOfANetworkAreWarpedBetweenKeyFrames() throws {
    let bytes = MadeModel(outputs: [[1, 3, 32, 48]]).bytes
    let path = try scratch.file("pose.onnx", bytes)
    let yaml = """
      task: detection
      input: {color: bgr, scale: 0.00392156862745098}
      output: {classes: [person]}
      decoder: {kind: heatmaps, score: 0.3, centre: 0.5}
      """
    _ = try scratch.file("pose.yaml", Array(yaml.utf8))
    let network = try OnnxNetwork(contentsOf: path, engine: #require(engines.first), threads: 1)
    guard case .detection(let spec) = network.description.task else {
      Issue.record("it is no detector")
      return
    }
    let decoder = try DetectionDecoders.registry.build(spec, in: BuildContext())
    let head = try #require(network.description.detectionHead(decoder))
    // A dot in each colour, with a fainter one to its right; the last colour has none.
    var pixels = [UInt8](repeating: 0, count: 3 * 32 * 48)
    for (channel, place) in [(20, 10), (30, 18)].enumerated() {
      pixels[3 * (48 * place.1 + place.0) + channel] = 204
      pixels[3 * (48 * place.1 + place.0 + 1) + channel] = 51
    }
    let size = PixelSize(width: 48, height: 32)
    let frame = Frame(
      index: 0, time: 0, pixels: Image(width: 48, height: 32, channels: 3, bytes: pixels))
    let input = try Features(network.input(for: frame))
    let output = try network.run(0..<network.stages.count, on: input).main
    let maps = FeatureMaps(output, after: network.stages[0].name)
    let key = try #require(try head(maps, size: size).first)
    #expect(key.points.map(\.x) == [20.75, 30.75, 0.5])
    #expect(key.points.map(\.y) == [10.5, 18.5, 0.5])
    #expect(key.points.map { ($0.confidence * 5).rounded() } == [4, 4, 0])
    // Everything was 5 cells to the right and 3 above.
    let flow = try Tensor(
      [Float](repeating: 5, count: 48 * 32) + [Float](repeating: -3, count: 48 * 32),
      shape: [1, 2, 32, 48])
    let context = FrameContext(from: GivenAnswers(gridFlow: { _, _, _ in (flow, nil) }))
    var warp = Warp()
    try warp.keyframe(maps, in: context)
    let moved = try #require(try head(warp.propagate(to: context), size: size).first)
    #expect(moved.points.prefix(2).map(\.x) == [15.75, 25.75])
    #expect(moved.points.prefix(2).map(\.y) == [13.5, 21.5])
    #expect(moved.points.prefix(2).map(\.confidence) == key.points.prefix(2).map(\.confidence))
    #expect(moved.box == BoundingBox(x: 15.75, y: 13.5, width: 10, height: 8))
  }
}
