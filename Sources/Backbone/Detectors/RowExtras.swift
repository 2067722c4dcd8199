// SPDX-License-Identifier: Apache-2.0

internal import Specification
internal import Video

/// A row of a detector, read: a box, and the numbers that follow those of box and class.
struct DecodedRow {
  let detection: Detection
  let extras: [Float]
}

/// A decoder of rows, after whose boxes and classes masks or key points may follow.
protocol RowDecoder: InstanceDecoder {
  var extras: RowExtras { get }

  /// The rows that are found, in any order.
  func rows(of outputs: [DetectorOutput], classes: Int) throws -> [DecodedRow]
}

extension RowDecoder {
  var readsMasks: Bool { extras.areMasks }

  func detections(
    in outputs: [DetectorOutput], input _: PixelSize, classes: Int
  ) throws -> [Detection] { try rows(of: outputs, classes: classes).map(\.detection) }

  func instances(
    in outputs: [DetectorOutput], input _: PixelSize, classes: Int
  ) throws -> DecodedInstances? {
    try extras.instances(of: rows(of: outputs, classes: classes), in: outputs)
  }
}

/// What follows box and class in a row.
///
/// Of instance segmentation a weight for each of the prototypes that the second output gives,
/// 1 × K × h × w: their weighted sum is above 0 where the object is (Bolya et al., "YOLACT", ICCV
/// 2019, section 3.2). Of poses two or three numbers for each key point: x and y in pixels of the
/// input, and how sure it is. Else they are left alone.
struct RowExtras: Sendable {
  /// How many numbers there are.
  var count = 0
  /// Whether they are weights of prototypes.
  var areMasks = false
  /// How many key points they are.
  var pointCount = 0

  static var options: [OptionSpec] {
    [
      .optional("extra", .integer(0...4096), standard: 0, positional: false), .flag("masks"),
      .optional("points", .integer(0...1000), standard: 0, positional: false),
    ]
  }

  init() {}

  init(_ options: ResolvedOptions) {
    (areMasks, pointCount) = (options.flag("masks"), options.integer("points"))
    let given = options.integer("extra")
    count = given > 0 ? given : areMasks ? 32 : 3 * pointCount
  }

  /// The output that has the rows; of masks the first of two.
  func rows(of outputs: [DetectorOutput], wanted: String) throws -> DetectorOutput {
    guard areMasks else { return try outputs.first(only: wanted) }
    guard outputs.count == 2 else {
      let names = outputs.map(\.name).joined(separator: ", ")
      throw BackboneError(
        .badOutput,
        "masks are read of two outputs, \(wanted) and prototypes, 1 × \(count) × h × w; there are "
          + "\(names): name them in output.names")
    }
    return outputs[0]
  }

  /// The key points among a row's numbers, in pixels of the input.
  func points(in numbers: [Float]) -> [KeyPoint] {
    guard pointCount > 0, numbers.count >= 2 * pointCount else { return [] }
    let each = numbers.count / pointCount
    return (0..<pointCount).map { index in
      let start = index * each
      return KeyPoint(
        x: Double(numbers[start]), y: Double(numbers[start + 1]),
        confidence: each > 2 ? min(max(Double(numbers[start + 2]), 0), 1) : 1)
    }
  }

  /// The rows with what makes their masks; nil where there are none.
  func instances(
    of rows: [DecodedRow], in outputs: [DetectorOutput]
  ) throws -> DecodedInstances? {
    guard areMasks else { return nil }
    let prototypes = outputs[1]
    guard prototypes.shape.count == 4, prototypes.shape[1] == count else {
      throw prototypes.fault("1 × \(count) × h × w, as prototypes of masks are")
    }
    let (height, width) = (prototypes.shape[2], prototypes.shape[3]), size = height * width
    let weights = rows.map(\.extras)
    return DecodedInstances(detections: rows.map(\.detection)) { position in
      var sums = [Float](repeating: 0, count: size)
      prototypes.values.withUnsafeBufferPointer { planes in
        sums.withUnsafeMutableBufferPointer { sums in
          for (plane, weight) in weights[position].enumerated() {
            for cell in 0..<size { sums[cell] += weight * planes[plane * size + cell] }
          }
        }
      }
      return MaskLogits(width: width, height: height, values: sums)
    }
  }
}
