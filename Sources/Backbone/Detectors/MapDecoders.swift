// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// One map: objectness, box and a score for each class of every cell: FastestDet.
///
/// 1 × (5 + C) × H × W. The score is objectness^0.6 · class^0.4; the centre is the cell plus the
/// hyperbolic tangent of two numbers, the size the logistic function of two, in shares of the input
/// (dog-qiuqiu/FastestDet, `test.py`).
struct FastestDetMap: DetectionDecoder {
  let thresholds: DetectionThresholds

  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> [Detection] {
    let output = try outputs.first(only: "1 × (5 + classes) × H × W")
    guard output.shape.count == 4, output.shape[0] == 1, output.shape[1] == 5 + classes else {
      throw output.fault("1 × \(5 + classes) × H × W")
    }
    let (rows, columns) = (output.shape[2], output.shape[3]), cells = rows * columns
    // A class's share is at most 1, so that the score is no more than the objectness's power.
    let least = Float(pow(thresholds.score, 1 / 0.6) * (1 - 1e-6))
    return output.values.withUnsafeBufferPointer { values in
      (0..<cells).compactMap { cell in
        guard values[cell] >= least else { return nil }
        var (best, likeliest) = (0, -Float.infinity)
        for category in 0..<classes where values[(5 + category) * cells + cell] > likeliest {
          (best, likeliest) = (category, values[(5 + category) * cells + cell])
        }
        let score = pow(max(Double(values[cell]), 0), 0.6) * pow(max(Double(likeliest), 0), 0.4)
        guard score >= thresholds.score else { return nil }
        let numbers = (1...4).map { Double(values[$0 * cells + cell]) }
        let x = (Double(cell % columns) + tanh(numbers[0])) / Double(columns)
        let y = (Double(cell / columns) + tanh(numbers[1])) / Double(rows)
        let (width, height) = (Double(input.width), Double(input.height))
        let box = BoundingBox.centred([
          x * width, y * height, logistic(numbers[2]) * width, logistic(numbers[3]) * height,
        ])
        return Detection(box: box, category: best, score: score)
      }
    }
  }
}

/// A score for each class, and four distributions of distances to the sides of a box: NanoDet.
///
/// Either one output, 1 × N × (C + 4 · bins), or for each stride scores, 1 × n × C, and then
/// distributions, 1 × n × 4 · bins, whichever order they come in; rows are cells of grids, the
/// finest first. A distance is the mean of its distribution's bins, in strides (Li et al.,
/// "Generalized Focal Loss", NeurIPS 2020, section 3.2). Scores are probabilities.
struct DistributedDistances: DetectionDecoder {
  let thresholds: DetectionThresholds
  let strides: [Int]
  /// Where in a cell distances begin: 0 in NanoDet-Plus, 0.5 before.
  let centre: Double

  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> [Detection] {
    var found: [Detection] = []
    if outputs.count == 1 {
      let output = outputs[0], length = output.shape.last ?? 0
      guard output.shape.count == 3, length > classes, (length - classes) % 4 == 0 else {
        throw output.fault("1 × N × (\(classes) + 4 · bins)")
      }
      let cells = try GridCell.all(
        strides: strides, input: input, count: output.shape[1], of: output)
      for (row, cell) in cells.enumerated() {
        let numbers = output.values[row * length..<(row + 1) * length]
        add(numbers.prefix(classes), numbers.dropFirst(classes), at: cell, to: &found)
      }
      return found
    }
    for stride in strides {
      let grid = try GridCell.all(
        strides: [stride], input: input, count: GridCell.count(stride, input), of: outputs[0])
      let own = outputs.filter { $0.shape.count == 3 && $0.shape[1] == grid.count }
      guard own.count == 2, let scores = own.first(where: { $0.shape[2] == classes }),
        let distances = own.first(where: { $0.shape[2] != classes && $0.shape[2] % 4 == 0 })
      else {
        throw BackboneError(
          .badOutput,
          "there are no two outputs of \(grid.count) rows for stride \(stride): 1 × "
            + "\(grid.count) × \(classes) and 1 × \(grid.count) × 4 · bins")
      }
      let length = distances.shape[2]
      for (row, cell) in grid.enumerated() {
        add(
          scores.values[row * classes..<(row + 1) * classes],
          distances.values[row * length..<(row + 1) * length], at: cell, to: &found)
      }
    }
    return found
  }

  private func add(
    _ scores: ArraySlice<Float>, _ distances: ArraySlice<Float>, at cell: GridCell,
    to found: inout [Detection]
  ) {
    guard let best = scores.indices.max(by: { scores[$0] < scores[$1] }),
      Double(scores[best]) >= thresholds.score
    else { return }
    let bins = distances.count / 4
    let sides = (0..<4).map { side in
      mean(distances.dropFirst(side * bins).prefix(bins)) * cell.stride
    }
    let (x, y) = ((cell.column + centre) * cell.stride, (cell.row + centre) * cell.stride)
    found.append(
      Detection(
        box: .corners(x - sides[0], y - sides[1], x + sides[2], y + sides[3]),
        category: best - scores.startIndex, score: Double(scores[best])))
  }

  /// The mean bin of a distribution, by its logits.
  private func mean(_ logits: ArraySlice<Float>) -> Double {
    let most = Double(logits.max() ?? 0)
    var (sum, weighted) = (0.0, 0.0)
    for (bin, logit) in logits.enumerated() {
      let share = exp(Double(logit) - most)
      (sum, weighted) = (sum + share, weighted + share * Double(bin))
    }
    return weighted / sum
  }
}

/// Boxes, and scores of every class or of the one that the network has chosen: SSD and its like.
///
/// Boxes are N × 4, in shares of the input or in its pixels. Scores are N × C, of which the first
/// may be the background's; or N, and then a third output says each one's class.
struct BoxesAndScores: DetectionDecoder {
  let thresholds: DetectionThresholds
  let isYFirst: Bool, isInPixels: Bool, hasBackground: Bool
  /// Whether every class that is sure enough is a detection of its own, not the likeliest alone.
  let isMultilabel: Bool
  /// The number by which the network calls the first class, where it has chosen.
  let firstClass: Int

  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes: Int
  ) throws -> [Detection] {
    guard outputs.count >= 2, outputs[0].shape.last == 4 else {
      throw BackboneError(
        .badOutput, "the decoder reads boxes, N × 4, and then scores: name them in output.names")
    }
    guard outputs[0].shape.dropLast().dropLast().allSatisfy({ $0 == 1 }) else {
      throw outputs[0].fault("N × 4 of one picture")
    }
    let (boxes, scores) = (outputs[0], outputs[1]), count = boxes.values.count / 4
    let places = classes + (hasBackground ? 1 : 0)
    if outputs.count >= 3 {
      guard scores.values.count == count, outputs[2].values.count == count else {
        throw scores.fault(
          "\(count) scores; the third output is read as as many classes: output.names says which "
            + "are read, in that order")
      }
      // TensorFlow's own order is boxes, classes, scores.
      if let most = scores.values.max(), most > 1.01 {
        throw BackboneError(
          .badOutput,
          "the output '\(scores.name)' has a score of \(most), above 1: output.names must name "
            + "boxes, scores and classes, in that order")
      }
    } else if scores.values.count != count * places {
      throw scores.fault("\(count) × \(places)")
    }
    var found: [Detection] = []
    for row in 0..<count {
      let chosen = outputs.count >= 3 ? outputs[2].values[row] : nil
      for (category, score) in choices(scores.values, row, chosen, classes)
      where score >= thresholds.score {
        found.append(
          Detection(
            box: box(boxes.values[row * 4..<row * 4 + 4], input), category: category,
            score: score))
      }
    }
    return found
  }

  private func choices(
    _ scores: [Float], _ row: Int, _ chosen: Float?, _ classes: Int
  ) -> [(Int, Double)] {
    if let chosen {
      guard chosen.isFinite, abs(chosen) < 1e6 else { return [] }
      let category = Int(chosen.rounded()) - firstClass
      return (0..<classes).contains(category) ? [(category, Double(scores[row]))] : []
    }
    let before = hasBackground ? 1 : 0
    let own = scores[row * (classes + before)..<(row + 1) * (classes + before)].dropFirst(before)
    if isMultilabel { return own.enumerated().map { ($0.offset, Double($0.element)) } }
    guard let best = own.indices.max(by: { own[$0] < own[$1] }) else { return [] }
    return [(best - own.startIndex, Double(own[best]))]
  }

  private func box(_ numbers: ArraySlice<Float>, _ input: PixelSize) -> BoundingBox {
    let row = numbers.map(Double.init)
    let (x, y) = isInPixels ? (1, 1) : (Double(input.width), Double(input.height))
    return isYFirst
      ? .corners(row[1] * x, row[0] * y, row[3] * x, row[2] * y)
      : .corners(row[0] * x, row[1] * y, row[2] * x, row[3] * y)
  }
}

extension GridCell {
  /// How many cells a grid has.
  static func count(_ stride: Int, _ input: PixelSize) -> Int {
    ((input.width + stride - 1) / stride) * ((input.height + stride - 1) / stride)
  }
}

private func logistic(_ number: Double) -> Double { 1 / (1 + exp(-number)) }
