// SPDX-License-Identifier: Apache-2.0

public import Specification
public import Video

/// Reads boxes off what a detector gives.
///
/// *Decides* which numbers of its outputs are boxes, scores and classes. *May assume* that outputs
/// are those that the description names, in its order. *Must keep* these laws: boxes are in pixels
/// of the network's input; categories are below the number of classes; scores are at least the
/// threshold. Whether boxes of one object overlap is not its matter.
public protocol DetectionDecoder: Sendable {
  /// Which of the boxes are kept.
  var thresholds: DetectionThresholds { get }

  /// Whether outputs are maps of the picture, which can be warped along the flow; false unless a
  /// decoder says otherwise.
  var readsMaps: Bool { get }

  /// The boxes that `outputs` tell for one picture of `input`'s size, in any order.
  ///
  /// - Throws: `BackboneError` where the outputs have other shapes.
  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> [Detection]
}

extension DetectionDecoder {
  /// False: rows of numbers cannot be warped.
  public var readsMaps: Bool { false }
}

/// A decoder of networks that find a mask for each box: instance segmentation.
///
/// Masks take time, so that they are made of those detections only that are kept.
public protocol InstanceDecoder: DetectionDecoder {
  /// Whether masks are read; else the network is read for boxes alone.
  var readsMasks: Bool { get }

  /// The boxes as `detections(in:input:classes:)` gives them, and what makes their masks; nil where
  /// none are read.
  ///
  /// - Throws: `BackboneError` where the outputs have other shapes.
  func instances(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> DecodedInstances?
}

/// Boxes, and what makes the mask of each.
public struct DecodedInstances: Sendable {
  /// The boxes, in any order.
  public var detections: [Detection]
  /// The mask of the detection at a position of the list.
  public var mask: @Sendable (_ position: Int) -> MaskLogits

  /// Boxes and their masks.
  public init(
    detections: [Detection], mask: @escaping @Sendable (_ position: Int) -> MaskLogits
  ) { (self.detections, self.mask) = (detections, mask) }
}

/// How surely each cell of a grid over the network's input is an object's: above 0 where it is.
public struct MaskLogits: Sendable {
  /// Columns and rows; the grid covers the whole input.
  public let width: Int, height: Int
  /// Row by row.
  public let values: [Float]

  /// A grid of logits.
  ///
  /// - Precondition: the values fill it.
  public init(width: Int, height: Int, values: [Float]) {
    precondition(values.count == width * height, "\(values.count) values for \(width)×\(height)")
    (self.width, self.height, self.values) = (width, height, values)
  }
}

/// One output of a detector.
public struct DetectorOutput: Sendable {
  /// What the network calls it.
  public let name: String
  /// The size of each axis; the first is 1.
  public let shape: [Int]
  /// The elements, the last axis running fastest.
  public let values: [Float]

  /// An output.
  ///
  /// - Precondition: the values fill the shape.
  public init(name: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
    (self.name, self.shape, self.values) = (name, shape, values)
  }
}

/// Which detections are kept.
public struct DetectionThresholds: Sendable, Hashable {
  /// Detections whose score is lower are dropped.
  public var score: Double
  /// Overlap with a better detection of the same class above which one is dropped; nil where the
  /// network drops them itself.
  public var overlap: Double?
  /// The most detections that are kept.
  public var limit: Int
  /// The most that are compared with each other.
  static let candidates = 3000

  /// Thresholds as most detectors' authors choose them for pictures that are looked at.
  public init(score: Double = 0.25, overlap: Double? = 0.45, limit: Int = 300) {
    (self.score, self.overlap, self.limit) = (score, overlap, limit)
  }
}

/// The decoders that this package ships, by the names that descriptions use.
public enum DetectionDecoders {
  /// What the parts are called in grammars.
  public static let role = "decoder"

  /// A registry with the package's own decoders.
  public static var registry: PartRegistry<any DetectionDecoder> {
    var registry = PartRegistry<any DetectionDecoder>(role)
    registerRows(in: &registry)
    registerMaps(in: &registry)
    return registry
  }

  private static func registerRows(in registry: inout PartRegistry<any DetectionDecoder>) {
    registry.register(
      "yolov8", "rows of box and classes, no objectness: YOLOv8, 9, 11; 1 × (4 + C) × N",
      options: thresholds + RowExtras.options
    ) { options, _ in
      TransposedRows(thresholds: DetectionThresholds(options), extras: RowExtras(options))
    }
    registry.register(
      "yolox", "rows of box, objectness and classes on grids: YOLOX; 1 × N × (5 + C)",
      options: thresholds + [strides("8/16/32"), .flag("decoded")]
    ) { options, _ in
      ObjectnessRows(
        thresholds: DetectionThresholds(options),
        strides: options.flag("decoded") ? nil : options.numbers("strides").map { Int($0) })
    }
    registry.register(
      "yolov5", "rows of box in pixels, objectness and classes: YOLOv5, 7; 1 × N × (5 + C)",
      options: thresholds
    ) { options, _ in ObjectnessRows(thresholds: DetectionThresholds(options), strides: nil) }
    registry.register(
      "rows", "rows of corners, score and class, as networks give that drop overlaps: 1 × N × 6",
      options: [
        scoreOption, limitOption,
        .optional(
          "order", .choice(["corners-first", "class-first"]), standard: "corners-first",
          positional: false),
      ] + RowExtras.options
    ) { options, _ in
      FinalRows(
        thresholds: DetectionThresholds(options, suppresses: true), extras: RowExtras(options),
        isClassFirst: options.text("order") == "class-first")
    }
    registry.register(
      "yolov7", "rows of picture, corners, class and score: YOLOv7's exports with NMS; N × 7",
      options: [scoreOption, limitOption]
    ) { options, _ in
      NumberedRows(thresholds: DetectionThresholds(options, suppresses: true))
    }
  }

  private static func registerMaps(in registry: inout PartRegistry<any DetectionDecoder>) {
    registry.register(
      "fastestdet", "one map of objectness, box and classes: FastestDet; 1 × (5 + C) × H × W",
      options: thresholds
    ) { options, _ in FastestDetMap(thresholds: DetectionThresholds(options)) }
    registry.register(
      "nanodet", "classes and distributions of distances on grids: NanoDet; 1 × N × (C + 4 · bins)",
      options: thresholds + [
        strides("8/16/32/64"),
        .optional("centre", .number(0...1), standard: 0, positional: false),
      ]
    ) { options, _ in
      DistributedDistances(
        thresholds: DetectionThresholds(options),
        strides: options.numbers("strides").map { Int($0) }, centre: options.number("centre"))
    }
    registry.register(
      "heatmaps", "a map for each key point of one object: Simple Baselines, HRNet; 1 × K × H × W",
      options: [
        scoreOption, .optional("centre", .number(0...1), standard: 0, positional: false),
      ]
    ) { options, _ in
      HeatMaps(
        thresholds: DetectionThresholds(score: options.number("score"), overlap: nil, limit: 1),
        centre: options.number("centre"))
    }
    registry.register(
      "ssd", "boxes, scores and, if the network has chosen, classes: SSD; outputs in that order",
      options: thresholds + [
        .optional("corners", .choice(["yxyx", "xyxy"]), standard: "yxyx", positional: false),
        .flag("pixels"), .flag("background"), .flag("final"), .flag("multilabel"),
        .optional("first", .integer(0...1), standard: 1, positional: false),
      ]
    ) { options, _ in
      BoxesAndScores(
        thresholds: DetectionThresholds(options, suppresses: options.flag("final")),
        isYFirst: options.text("corners") == "yxyx", isInPixels: options.flag("pixels"),
        hasBackground: options.flag("background"), isMultilabel: options.flag("multilabel"),
        firstClass: options.integer("first"))
    }
  }

  /// A grammar of these decoders alone.
  public static var standard: Grammar {
    var grammar = Grammar()
    grammar.add(registry)
    return grammar
  }

  /// The options of the thresholds that every decoder has.
  public static var thresholds: [OptionSpec] {
    [
      scoreOption,
      .optional("overlap", .number(0...1), standard: 0.45, positional: false),
      limitOption,
    ]
  }

  private static var scoreOption: OptionSpec {
    .optional("score", .number(0...1), standard: 0.25, positional: false)
  }

  private static var limitOption: OptionSpec {
    .optional("limit", .integer(1...10_000), standard: 300, positional: false)
  }

  private static func strides(_ usual: String) -> OptionSpec {
    let numbers = usual.split(separator: "/").compactMap { Int($0) }.map { OptionValue.integer($0) }
    return .optional(
      "strides", .list(.integer(1...256)), standard: .list(numbers), positional: false)
  }
}

extension DetectionThresholds {
  /// The thresholds among a decoder's options.
  public init(_ options: ResolvedOptions, suppresses: Bool = false) {
    self.init(
      score: options.number("score"), overlap: suppresses ? nil : options.number("overlap"),
      limit: options.integer("limit"))
  }
}

extension DetectorOutput {
  /// - Throws: `BackboneError` where this is no output of such a shape.
  func fault(_ wanted: String) -> BackboneError {
    let sizes =
      shape.isEmpty ? "a single number" : shape.map(String.init).joined(separator: " × ")
    return BackboneError(.badOutput, "the output '\(name)' is \(sizes), not \(wanted)")
  }
}
