// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// Centre, size and a score for each class, one column a candidate: YOLOv8 and its successors.
///
/// 1 × (4 + C) × N, in pixels of the input. An export whose axes are exchanged, 1 × N × (4 + C), is
/// told by its sizes. Numbers of masks or key points may follow those of the classes.
struct TransposedRows: RowDecoder {
  let thresholds: DetectionThresholds
  var extras = RowExtras()

  func rows(of outputs: [DetectorOutput], classes: Int) throws -> [DecodedRow] {
    let output = try extras.rows(of: outputs, wanted: "1 × (4 + classes) × N")
    let length = 4 + classes + extras.count
    // A length that is not exactly this is of other classes, or of another decoder's rows.
    guard output.shape.count == 3, output.shape[1] == length || output.shape[2] == length else {
      throw output.fault("1 × \(length) × N, as of \(classes) classes")
    }
    let (first, second) = (output.shape[1], output.shape[2])
    let isTransposed = first == length
    let count = isTransposed ? second : first
    let (step, jump) = isTransposed ? (count, 1) : (1, second)
    return output.values.withUnsafeBufferPointer { values in
      let best = Self.best(of: values.dropFirst(4 * step), count, classes, step: step, jump: jump)
      return best.indices.compactMap { row in
        guard Double(best[row].score) >= thresholds.score else { return nil }
        let sides = (0..<4).map { Double(values[row * jump + $0 * step]) }
        let more = (4 + classes..<length).map { values[row * jump + $0 * step] }
        return DecodedRow(
          detection: Detection(
            box: .centred(sides), category: best[row].category, score: Double(best[row].score),
            points: extras.points(in: more)),
          extras: more)
      }
    }
  }

  /// The likeliest class of each of `count` rows: class by class, which reads memory in its order
  /// where rows are its inner axis.
  private static func best(
    of scores: Slice<UnsafeBufferPointer<Float>>, _ count: Int, _ classes: Int, step: Int, jump: Int
  ) -> [(category: Int, score: Float)] {
    let scores = UnsafeBufferPointer(rebasing: scores)
    var best = [(category: Int, score: Float)](repeating: (0, -.infinity), count: count)
    for category in 0..<classes {
      for row in 0..<count where scores[category * step + row * jump] > best[row].score {
        best[row] = (category, scores[category * step + row * jump])
      }
    }
    return best
  }
}

/// Centre, size, objectness and a score for each class, one row a candidate: YOLOX, YOLOv5, YOLOv7.
///
/// 1 × N × (5 + C). Where there are strides, rows are cells of grids, the finest first, and say the
/// centre from the cell's corner and the logarithm of the size, in strides (Ge et al., "YOLOX",
/// 2021, section 2.1); else all is in pixels of the input. The score is objectness times that of
/// the class.
struct ObjectnessRows: DetectionDecoder {
  let thresholds: DetectionThresholds
  /// Pixels of the input that a cell of each grid spans; nil where boxes are in pixels.
  let strides: [Int]?

  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> [Detection] {
    let output = try outputs.first(only: "1 × N × (5 + classes)")
    let length = 5 + classes
    guard output.shape.count == 3, output.shape[2] == length else {
      throw output.fault("1 × N × \(length)")
    }
    let cells = try strides.map {
      try GridCell.all(strides: $0, input: input, count: output.shape[1], of: output)
    }
    var found: [Detection] = []
    output.values.withUnsafeBufferPointer { values in
      for row in 0..<output.shape[1] {
        let start = row * length, objectness = values[start + 4]
        guard Double(objectness) >= thresholds.score else { continue }
        let scores = values[(start + 5)..<(start + length)]
        guard let best = scores.indices.max(by: { scores[$0] < scores[$1] }) else { continue }
        let score = Double(objectness * scores[best])
        guard score >= thresholds.score else { continue }
        var sides = (0..<4).map { Double(values[start + $0]) }
        if let cell = cells?[row] {
          sides = [
            (sides[0] + cell.column) * cell.stride, (sides[1] + cell.row) * cell.stride,
            exp(sides[2]) * cell.stride, exp(sides[3]) * cell.stride,
          ]
        }
        found.append(
          Detection(box: .centred(sides), category: best - start - 5, score: score))
      }
    }
    return found
  }
}

/// Corners, score and class, one row a detection.
///
/// Of networks that drop overlapping ones themselves, as YOLOv10 and exports with NMS do:
/// 1 × N × 6, or N × 6, in pixels of the input. Numbers of masks or key points may follow.
/// PaddleDetection's have class and score before the corners; -1 is the class of no detection.
struct FinalRows: RowDecoder {
  let thresholds: DetectionThresholds
  var extras = RowExtras()
  /// Whether class and score come before the corners.
  var isClassFirst = false

  func rows(of outputs: [DetectorOutput], classes: Int) throws -> [DecodedRow] {
    let length = 6 + extras.count
    let output = try extras.rows(of: outputs, wanted: "1 × N × \(length)")
    guard output.shape.last == length, output.shape.dropLast().dropLast().allSatisfy({ $0 == 1 })
    else { throw output.fault("1 × N × \(length)") }
    return stride(from: 0, to: output.values.count, by: length).compactMap { start in
      var row = output.values[start..<start + 6].map(Double.init)
      if isClassFirst { row = Array(row[2...]) + [row[1], row[0]] }
      guard row[4] >= thresholds.score, row[5] >= 0, row[5] < Double(classes) else { return nil }
      let more = Array(output.values[start + 6..<start + length])
      return DecodedRow(
        detection: Detection(
          box: .corners(row[0], row[1], row[2], row[3]), category: Int(row[5]), score: row[4],
          points: extras.points(in: more)),
        extras: more)
    }
  }
}

/// The picture's number in its batch, corners, class and score, one row a detection.
///
/// Of YOLOv7's exports with NMS: N × 7, in pixels of the input. Rows of other pictures are left
/// out.
struct NumberedRows: DetectionDecoder {
  let thresholds: DetectionThresholds

  func detections(
    in outputs: [DetectorOutput], input _: PixelSize, classes: Int
  ) throws -> [Detection] {
    let output = try outputs.first(only: "N × 7")
    guard output.shape.last == 7, output.shape.dropLast().dropLast().allSatisfy({ $0 == 1 })
    else { throw output.fault("N × 7") }
    return stride(from: 0, to: output.values.count, by: 7).compactMap { start in
      let row = output.values[start..<start + 7].map(Double.init)
      guard row[0] == 0, row[6] >= thresholds.score, row[5] >= 0, row[5] < Double(classes) else {
        return nil
      }
      return Detection(
        box: .corners(row[1], row[2], row[3], row[4]), category: Int(row[5]), score: row[6])
    }
  }
}

/// A cell of one of a detector's grids.
struct GridCell {
  let column: Double, row: Double, stride: Double

  /// The cells of all grids, row by row, in the order of the strides.
  ///
  /// - Throws: `BackboneError` where there are not `count` of them.
  static func all(
    strides: [Int], input: PixelSize, count: Int, of output: DetectorOutput
  ) throws -> [GridCell] {
    // A grid has a cell for each stride that begins within the picture.
    let grids = strides.map { stride in
      ((input.width + stride - 1) / stride, (input.height + stride - 1) / stride, stride)
    }
    let total = grids.reduce(0) { $0 + $1.0 * $1.1 }
    guard total == count else {
      throw output.fault("rows for the \(total) cells of strides \(strides) at \(input)")
    }
    return grids.flatMap { columns, rows, stride in
      (0..<rows).flatMap { row in
        (0..<columns).map {
          GridCell(column: Double($0), row: Double(row), stride: Double(stride))
        }
      }
    }
  }
}

extension BoundingBox {
  /// A box by its centre and size.
  static func centred(_ sides: [Double]) -> BoundingBox {
    BoundingBox(
      x: sides[0] - sides[2] / 2, y: sides[1] - sides[3] / 2, width: sides[2], height: sides[3])
  }

  /// A box by its upper left and lower right corner.
  static func corners(_ x: Double, _ y: Double, _ right: Double, _ bottom: Double) -> BoundingBox {
    BoundingBox(x: x, y: y, width: right - x, height: bottom - y)
  }
}

extension [DetectorOutput] {
  /// The only output.
  ///
  /// - Throws: `BackboneError` where there are several.
  func first(only wanted: String) throws -> DetectorOutput {
    guard count == 1 else {
      let names = map(\.name).joined(separator: ", ")
      throw BackboneError(
        .badOutput,
        "the decoder reads one output, \(wanted); there are \(names): name one in "
          + "output.names")
    }
    return self[0]
  }
}
