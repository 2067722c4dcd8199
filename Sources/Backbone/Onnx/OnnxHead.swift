// SPDX-License-Identifier: Apache-2.0

public import Engines
internal import Foundation
internal import Layers
internal import Tensors
public import Video

/// A head that can be written as operators of an ONNX graph.
///
/// A head of your own that conforms is exported behind the network whose maps it reads.
public protocol OnnxHead: Head {
  /// Adds what the head does, of a picture of `size`, to a graph; what the model gives, in order,
  /// and what each is called.
  ///
  /// `maps` are those that it reads, 1 × C × H × W, by their stages.
  ///
  /// - Throws: what says why it cannot be written.
  func write(
    _ maps: [String: OnnxValue], for size: PixelSize, to graph: inout OnnxGraphBuilder
  ) throws -> [(name: String, value: OnnxValue)]

  /// What the description beside the model says of its outputs: all keys but `input`.
  var onnxDescription: String { get }
}

extension SegmentationNetwork {
  /// The network and a head behind it as one ONNX model for pictures of `size`: 1 × 3 × height ×
  /// width of scaled pixels to what the head gives.
  ///
  /// Stages that the head does not read, and that no stage before those needs, are left out.
  ///
  /// - Throws: `BackboneError` where a layer cannot be written, or the head reads what is no stage.
  public func onnx(for size: PixelSize, predictedBy head: some OnnxHead) throws -> ExportedNetwork {
    let inputs = head.inputs.isEmpty ? [stages[stages.count - 1].name] : head.inputs
    let last = try inputs.map { try index(ofStage: $0) }.max() ?? stages.count - 1
    let network = try folded()
    var graph = OnnxGraphBuilder(name: "network")
    var pass = OnnxPass(graph.input("image", sizes: [1, 3, size.height, size.width]))
    var maps: [String: OnnxValue] = [:]
    for index in 0...last {
      try network.write(stage: index, of: &pass, to: &graph)
      if inputs.contains(stages[index].name) { maps[stages[index].name] = pass.main }
    }
    let outputs = try head.write(maps, for: size, to: &graph)
    for output in outputs { graph.output(output.value, as: output.name) }
    return ExportedNetwork(
      model: graph.model(producer: "inbetween"),
      description: inputDescription(of: size) + head.onnxDescription,
      inputs: ["image"], outputs: outputs.map(\.name))
  }
}

extension DepthHead: OnnxHead {
  /// Depths in metres: 1 × 1 × height × width of the picture.
  public func write(
    _ maps: [String: OnnxValue], for size: PixelSize, to graph: inout OnnxGraphBuilder
  ) throws -> [(name: String, value: OnnxValue)] {
    let head = try folded()
    var hidden = try head.fusion.write(maps, to: &graph)
    for block in head.blocks { hidden = try block.write(hidden, to: &graph) }
    let found = try head.predictor.write(hidden, to: &graph)
    let logarithm = graph.elementwise("Add", found, graph.constant(middleLogDepth))
    let pixels = graph.resized(logarithm, height: size.height, width: size.width)
    let depth = graph.elementwise("Exp", pixels)
    let nearest = graph.constant(Float(settings.range.lowerBound))
    let farthest = graph.constant(Float(settings.range.upperBound))
    let clamped = graph.node("Clip", [depth, nearest, farthest], sizes: depth.sizes)
    return [("depth", clamped)]
  }

  /// Depths as they are.
  public var onnxDescription: String {
    """
    task: depth
    output:
      kind: metres
      range: [\(settings.range.lowerBound), \(settings.range.upperBound)]

    """
  }
}

extension DetectionHead: OnnxHead {
  /// Corners in pixels, 1 × cells × 4, and the score of each class, 1 × cells × classes.
  ///
  /// Boxes of one object are not dropped yet: the decoder that the description names does that.
  public func write(
    _ maps: [String: OnnxValue], for size: PixelSize, to graph: inout OnnxGraphBuilder
  ) throws -> [(name: String, value: OnnxValue)] {
    let head = try folded()
    let shared = try head.fusion.write(maps, to: &graph)
    var (scores, boxes) = (shared, shared)
    for block in head.classTower { scores = try block.write(scores, to: &graph) }
    for block in head.boxTower { boxes = try block.write(boxes, to: &graph) }
    let classes = graph.elementwise(
      "Add", try head.classifier.write(scores, to: &graph), graph.constant(Self.priorLogit))
    let centreness = try head.centring.write(boxes, to: &graph)
    let product = graph.elementwise(
      "Mul", graph.elementwise("Sigmoid", classes), graph.elementwise("Sigmoid", centreness))
    let told = graph.elementwise(
      "Add", try head.regressor.write(boxes, to: &graph), graph.constant(1))
    let ends = [-Self.largestLogDistance, Self.largestLogDistance].map { graph.constant($0) }
    let sides = graph.node("Clip", [told] + ends, sizes: told.sizes)
    let corners = corners(of: graph.elementwise("Exp", sides), size, in: &graph)
    return [
      ("boxes", rows(of: corners, in: &graph)),
      ("scores", rows(of: graph.elementwise("Sqrt", product), in: &graph)),
    ]
  }

  /// Left, top, right and bottom in pixels, 1 × 4 × H × W, of distances in strides.
  private func corners(
    of distances: OnnxValue, _ size: PixelSize, in graph: inout OnnxGraphBuilder
  ) -> OnnxValue {
    let (height, width) = (distances.sizes[2], distances.sizes[3])
    let x = Self.scale(cells: width, stride: stride, pixels: size.width)
    let y = Self.scale(cells: height, stride: stride, pixels: size.height)
    var places: [Float] = []
    for side in 0..<4 {
      for row in 0..<height {
        for column in 0..<width {
          let place = Self.location(column: column, row: row, stride: stride)
          places.append(Float(side.isMultiple(of: 2) ? place.x * x : place.y * y))
        }
      }
    }
    let signed = [-x, -y, x, y].map { Float($0 * Double(stride)) }
    let corners = graph.elementwise(
      "Add", graph.constant(places, sizes: distances.sizes),
      graph.elementwise("Mul", distances, graph.constant(signed, sizes: [1, 4, 1, 1])))
    // Boxes end at the picture's edges before they are compared, as the head's do.
    let ends = (0..<4).map { Float($0.isMultiple(of: 2) ? size.width : size.height) }
    let inside = graph.elementwise("Min", corners, graph.constant(ends, sizes: [1, 4, 1, 1]))
    return graph.elementwise("Max", inside, graph.constant(0))
  }

  /// 1 × cells × C of a map, row by row.
  private func rows(of map: OnnxValue, in graph: inout OnnxGraphBuilder) -> OnnxValue {
    let (channels, cells) = (map.sizes[1], map.sizes[2] * map.sizes[3])
    let flat = graph.node(
      "Reshape", [map, graph.constant([1, channels, cells])], sizes: [1, channels, cells])
    return graph.node(
      "Transpose", [flat], sizes: [1, cells, channels], [.integers("perm", [0, 2, 1])])
  }

  /// Boxes and scores of every class, as the head's own thresholds keep them.
  public var onnxDescription: String {
    let names = settings.classes.names.map { String(reflecting: $0) }.joined(separator: ", ")
    return """
      task: detection
      output:
        names: [boxes, scores]
        classes: [\(names)]
      decoder:
        {kind: ssd, corners: xyxy, pixels: true, multilabel: true, \
      score: \(settings.scoreThreshold), overlap: \(settings.overlapThreshold), \
      limit: \(settings.detectionLimit)}

      """
  }
}

extension FeatureFusion {
  /// The sum of all maps on the fusion's grid, rectified: 1 × channels × H × W.
  func write(
    _ maps: [String: OnnxValue], to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let parts = try zip(inputs, laterals).map { input, lateral in
      guard let map = maps[input.stage], map.sizes[1] == input.channels else {
        throw BackboneError(
          .badOutput, "no stage '\(input.stage)' of \(input.channels) channels is written")
      }
      return try lateral.write(map, to: &graph)
    }
    var sum = parts[finest]
    if let coordinates {
      let places = Self.places(height: sum.sizes[2], width: sum.sizes[3])
      let seen = graph.constant(places, sizes: [1, 2, sum.sizes[2], sum.sizes[3]])
      sum = graph.elementwise("Add", sum, try coordinates.write(seen, to: &graph))
    }
    for (index, part) in parts.enumerated() where index != finest {
      sum = graph.elementwise(
        "Add", sum,
        graph.resized(
          part, height: sum.sizes[2], width: sum.sizes[3]))
    }
    return graph.elementwise("Relu", sum)
  }
}
