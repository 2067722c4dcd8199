// SPDX-License-Identifier: Apache-2.0

internal import Video

/// A map for each key point of one object, high where the point is: Simple Baselines, HRNet.
///
/// 1 × K × h × w. A point is at its map's highest cell, a quarter of a cell towards the higher of
/// the two neighbours each way (Xiao et al., "Simple Baselines for Human Pose Estimation", ECCV
/// 2018, and their `get_final_preds`, which leaves cells next to the border where they are; here
/// each way is asked by itself). Its confidence is what stands there. The box goes around the
/// points whose confidence is at least the threshold, and has their mean as its score; without such
/// a point nothing is found.
struct HeatMaps: DetectionDecoder {
  let thresholds: DetectionThresholds
  /// Where in a cell its point lies, in cells from its left and upper edge.
  let centre: Double

  var readsMaps: Bool { true }

  func detections(
    in outputs: [DetectorOutput], input: PixelSize, classes _: Int
  ) throws -> [Detection] {
    let output = try outputs.first(only: "1 × key points × H × W")
    guard output.shape.count == 4, output.shape[0] == 1 else {
      throw output.fault("1 × key points × H × W")
    }
    let (rows, columns) = (output.shape[2], output.shape[3])
    let points = (0..<output.shape[1]).map { index in
      let map = HeatMap(
        values: output.values[index * rows * columns..<(index + 1) * rows * columns],
        columns: columns)
      return map.point(
        across: Double(input.width) / Double(columns), down: Double(input.height) / Double(rows),
        centre: centre)
    }
    let sure = points.filter { $0.confidence >= thresholds.score && $0.confidence > 0 }
    guard let box = BoundingBox(around: sure) else { return [] }
    let score = sure.reduce(0) { $0 + $1.confidence } / Double(sure.count)
    return [Detection(box: box, category: 0, score: score, points: points)]
  }
}

/// The map of one key point.
private struct HeatMap {
  /// Row by row.
  let values: ArraySlice<Float>
  let columns: Int

  private func value(_ row: Int, _ column: Int) -> Float {
    values[values.startIndex + row * columns + column]
  }

  /// The key point, in pixels of an input of which a cell is `across` × `down`.
  func point(across: Double, down: Double, centre: Double) -> KeyPoint {
    var (best, most) = (0, -Float.infinity)
    for (place, value) in values.enumerated() where value > most { (best, most) = (place, value) }
    let (row, column) = (best / columns, best % columns), rows = values.count / columns
    var (x, y) = (Double(column) + centre, Double(row) + centre)
    if column > 0, column < columns - 1 {
      x += quarter(from: value(row, column - 1), to: value(row, column + 1))
    }
    if row > 0, row < rows - 1 {
      y += quarter(from: value(row - 1, column), to: value(row + 1, column))
    }
    let confidence = most.isFinite ? min(max(Double(most), 0), 1) : 0
    return KeyPoint(x: x * across, y: y * down, confidence: confidence)
  }

  /// A quarter of a cell towards the higher of two neighbours.
  private func quarter(from before: Float, to after: Float) -> Double {
    after > before ? 0.25 : after < before ? -0.25 : 0
  }
}

extension BoundingBox {
  /// The box around points, at least a pixel each way; nil where there are none.
  fileprivate init?(around points: [KeyPoint]) {
    guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
      let top = points.map(\.y).min(), let bottom = points.map(\.y).max()
    else { return nil }
    let (width, height) = (max(right - left, 1), max(bottom - top, 1))
    self.init(
      x: (left + right - width) / 2, y: (top + bottom - height) / 2, width: width, height: height)
  }
}
