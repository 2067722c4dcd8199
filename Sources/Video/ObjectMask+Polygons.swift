// SPDX-License-Identifier: Apache-2.0

extension ObjectMask {
  /// The pixels inside any of these polygons, each x and y in turn.
  ///
  /// As `frPoly` of COCO's `maskApi.c` draws them: along each edge in fifths of a pixel, inside
  /// where an odd number of edges lies above. One of fewer than three corners covers nothing.
  /// Nil where a coordinate is not finite or one is left over, or edges are longer than 100 million
  /// fifths of a pixel altogether.
  public init?(polygons: [[Double]], size: PixelSize) {
    var outlines: [PolygonOutline] = [], length = 0
    for polygon in polygons where polygon.count >= 6 {
      guard let outline = PolygonOutline(polygon) else { return nil }
      length += outline.length
      guard length <= 100_000_000 else { return nil }
      outlines.append(outline)
    }
    var cells = [UInt8](repeating: 0, count: size.width * size.height)
    for outline in outlines {
      let mask = ObjectMask(runLengths: outline.runLengths(in: size), size: size)
      mask?.draw(into: &cells)
    }
    self.init(size: size, left: 0, top: 0, width: size.width, cells: cells)
  }

  private func draw(into picture: inout [UInt8]) {
    for y in 0..<height {
      for x in 0..<width where cells[y * width + x] != 0 {
        picture[(top + y) * size.width + left + x] = 1
      }
    }
  }
}

/// The corners of a polygon in fifths of a pixel, the first once more at the end.
private struct PolygonOutline {
  private static let scale = 5.0
  private let corners: [SIMD2<Int>]

  init?(_ polygon: [Double]) {
    guard polygon.count.isMultiple(of: 2), polygon.allSatisfy({ abs($0) < 1e6 }) else {
      return nil
    }
    let corners = stride(from: 0, to: polygon.count, by: 2).map { place in
      SIMD2(
        Int(Self.scale * polygon[place] + 0.5), Int(Self.scale * polygon[place + 1] + 0.5))
    }
    self.corners = corners + [corners[0]]
  }

  /// How many places the edges lead through.
  var length: Int { zip(corners, corners.dropFirst()).reduce(0) { $0 + Edge($1.0, $1.1).count } }

  /// COCO's run lengths, column by column.
  func runLengths(in size: PixelSize) -> [Int] {
    var borders: [Int] = []
    var last: SIMD2<Int>?
    for (corner, next) in zip(corners, corners.dropFirst()) {
      let edge = Edge(corner, next)
      for step in 0..<edge.count {
        let place = edge.place(step)
        if let last { add(from: last, to: place, in: size, to: &borders) }
        last = place
      }
    }
    var (runs, end) = ([Int](), 0)
    for border in borders.sorted() + [size.width * size.height] {
      runs.append(border - end)
      end = border
    }
    return runs
  }

  /// Where a step crosses the middle of a column of pixels, the first pixel below it.
  private func add(
    from last: SIMD2<Int>, to place: SIMD2<Int>, in size: PixelSize, to borders: inout [Int]
  ) {
    guard place.x != last.x else { return }
    let column = (Double(min(place.x, last.x)) + 0.5) / Self.scale - 0.5
    guard column == column.rounded(.down), column >= 0, column <= Double(size.width - 1) else {
      return
    }
    let row = (Double(min(place.y, last.y)) + 0.5) / Self.scale - 0.5
    let below = min(max(row, 0), Double(size.height)).rounded(.up)
    borders.append(Int(column) * size.height + Int(below))
  }
}

/// One edge, along the longer of whose sides there is a place for each step.
private struct Edge {
  private let start: SIMD2<Int>
  private let isFlipped: Bool, isAcross: Bool
  private let slope: Double
  /// Places from one end to the other, both counted.
  let count: Int

  init(_ first: SIMD2<Int>, _ second: SIMD2<Int>) {
    let (across, down) = (abs(second.x - first.x), abs(second.y - first.y))
    isAcross = across >= down
    isFlipped = isAcross ? first.x > second.x : first.y > second.y
    let end = isFlipped ? first : second
    start = isFlipped ? second : first
    let rise = isAcross ? end.y - start.y : end.x - start.x
    count = max(across, down) + 1
    slope = count > 1 ? Double(rise) / Double(count - 1) : 0
  }

  func place(_ step: Int) -> SIMD2<Int> {
    let along = isFlipped ? count - 1 - step : step
    let side = Double(isAcross ? start.y : start.x) + slope * Double(along) + 0.5
    return isAcross
      ? SIMD2(start.x + along, Int(side)) : SIMD2(Int(side), start.y + along)
  }
}
