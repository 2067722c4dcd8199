// SPDX-License-Identifier: Apache-2.0

/// The pixels of a picture that one object covers.
///
/// Only the part of the picture around the object is kept, so that masks of many small objects are
/// small. The same pixels are equal masks, however much was given around them.
public struct ObjectMask: Sendable, Hashable {
  /// Columns and rows of the picture.
  public let size: PixelSize
  /// The first column and row of the part that is kept; 0 for an empty mask.
  public let left: Int, top: Int
  /// Columns and rows of that part; 0 for an empty mask.
  public let width: Int, height: Int
  /// 1 where the object is and 0 elsewhere, row by row of that part.
  public let cells: [UInt8]

  /// A mask whose part at `left`, `top` with `width` columns holds `cells`, row by row; whatever is
  /// not 0 belongs to the object.
  ///
  /// - Precondition: the part lies inside the picture, and the cells fill whole rows of it.
  public init(size: PixelSize, left: Int, top: Int, width: Int, cells: [UInt8]) {
    let rows = width > 0 ? cells.count / width : 0
    precondition(
      cells.count == rows * width && left >= 0 && top >= 0 && width >= 0
        && left + width <= size.width && top + rows <= size.height,
      "\(cells.count) cells at \(left), \(top) with \(width) columns in \(size)")
    self.size = size
    var (first, last) = (SIMD2(Int.max, Int.max), SIMD2(-1, -1))
    for y in 0..<rows {
      for x in 0..<width where cells[y * width + x] != 0 {
        first = SIMD2(min(first.x, x), min(first.y, y))
        last = SIMD2(max(last.x, x), y)
      }
    }
    guard last.x >= 0 else {
      (self.left, self.top, self.width, height, self.cells) = (0, 0, 0, 0, [])
      return
    }
    (self.left, self.top) = (left + first.x, top + first.y)
    (self.width, height) = (last.x - first.x + 1, last.y - first.y + 1)
    self.cells = (first.y...last.y).flatMap { y in
      cells[y * width + first.x...y * width + last.x].map { $0 != 0 ? 1 : 0 }
    }
  }

  /// No pixel of a picture.
  public init(emptyOf size: PixelSize) {
    self.init(size: size, left: 0, top: 0, width: 0, cells: [])
  }

  /// Whether no pixel is the object's.
  public var isEmpty: Bool { cells.isEmpty }

  /// How many pixels are the object's.
  public var area: Int { cells.reduce(0) { $0 + Int($1) } }

  /// The smallest box around the object; without an inside for an empty mask.
  public var box: BoundingBox {
    BoundingBox(x: Double(left), y: Double(top), width: Double(width), height: Double(height))
  }

  /// Whether the pixel at column `x`, row `y` is the object's; false outside of the picture.
  @inline(__always)
  public func covers(_ x: Int, _ y: Int) -> Bool {
    let (column, row) = (x - left, y - top)
    guard column >= 0, row >= 0, column < width, row < height else { return false }
    return cells[row * width + column] != 0
  }

  /// How many pixels both masks cover.
  public func intersection(with other: ObjectMask) -> Int {
    let (first, last) = (max(left, other.left), min(left + width, other.left + other.width))
    guard first < last else { return 0 }
    var count = 0
    let upper = max(top, other.top), lower = min(top + height, other.top + other.height)
    for y in upper..<max(upper, lower) {
      let (own, others) = ((y - top) * width - left, (y - other.top) * other.width - other.left)
      for x in first..<last { count += Int(cells[own + x] & other.cells[others + x]) }
    }
    return count
  }

  /// Intersection over union, from 0 to 1; 0 where both are empty.
  public func intersectionOverUnion(with other: ObjectMask) -> Double {
    let common = intersection(with: other), union = area + other.area - common
    return union > 0 ? Double(common) / Double(union) : 0
  }

  /// The same object in a picture of another size, by the nearest pixel.
  public func resized(to other: PixelSize) -> ObjectMask {
    guard size != other, !isEmpty else {
      return size == other ? self : ObjectMask(emptyOf: other)
    }
    let (across, down) = (
      Double(size.width) / Double(other.width), Double(size.height) / Double(other.height)
    )
    func span(_ first: Int, _ count: Int, _ scale: Double, _ end: Int) -> Range<Int> {
      let low = max(0, Int((Double(first) / scale).rounded(.down)))
      return low..<max(low, min(end, Int((Double(first + count) / scale).rounded(.up))))
    }
    let columns = span(left, width, across, other.width)
    let rows = span(top, height, down, other.height)
    let places = columns.map { Int((Double($0) + 0.5) * across) }
    let cells = rows.flatMap { y -> [UInt8] in
      let row = Int((Double(y) + 0.5) * down)
      return places.map { covers($0, row) ? 1 : 0 }
    }
    return ObjectMask(
      size: other, left: columns.lowerBound, top: rows.lowerBound, width: columns.count,
      cells: cells)
  }
}

// MARK: COCO's run lengths

extension ObjectMask {
  /// Lengths of runs of 0 and 1 in turn, 0 first, column by column of the whole picture: COCO's
  /// uncompressed `counts`.
  public var runLengths: [Int] {
    var runs: [Int] = [], (value, length) = (UInt8(0), left * size.height)
    func add(_ cell: UInt8, _ count: Int) {
      if count == 0 { return }
      if cell != value {
        runs.append(length)
        (value, length) = (cell, 0)
      }
      length += count
    }
    for x in 0..<width {
      add(0, top)
      for y in 0..<height { add(cells[y * width + x], 1) }
      add(0, size.height - top - height)
    }
    add(0, (size.width - left - width) * size.height)
    if length > 0 || runs.isEmpty { runs.append(length) }
    return runs
  }

  /// The run lengths in COCO's text: differences to the run before the last one, in digits of five
  /// bits, as `rleToString` of its `maskApi.c` writes them.
  public var compressedRuns: String {
    let runs = runLengths
    var text: [UInt8] = []
    for (index, run) in runs.enumerated() {
      var rest = index > 2 ? run - runs[index - 2] : run
      var isOpen = true
      while isOpen {
        var digit = UInt8(truncatingIfNeeded: rest & 0x1f)
        rest >>= 5
        isOpen = digit & 0x10 != 0 ? rest != -1 : rest != 0
        if isOpen { digit |= 0x20 }
        text.append(digit + 48)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The mask of run lengths; nil where these do not fill the picture, or are negative.
  public init?(runLengths runs: [Int], size: PixelSize) {
    let total = size.width * size.height
    var (place, isSet, ends) = (0, false, [(first: Int, end: Int)]())
    for run in runs {
      guard run >= 0, run <= total - place else { return nil }
      if isSet, run > 0 { ends.append((place, place + run)) }
      place += run
      isSet.toggle()
    }
    guard place == total else { return nil }
    guard let first = ends.first, let last = ends.last else {
      self.init(emptyOf: size)
      return
    }
    let (left, right) = (first.first / size.height, (last.end - 1) / size.height)
    let width = right - left + 1
    var cells = [UInt8](repeating: 0, count: width * size.height)
    for (first, end) in ends {
      for place in first..<end {
        cells[place % size.height * width + place / size.height - left] = 1
      }
    }
    self.init(size: size, left: left, top: 0, width: width, cells: cells)
  }

  /// The mask of COCO's text; nil where it is none, or does not fill the picture.
  public init?(compressedRuns text: String, size: PixelSize) {
    var (runs, rest, shift) = ([Int](), 0, 0)
    for byte in text.utf8 {
      guard (48..<112).contains(byte), shift < 60 else { return nil }
      let digit = Int(byte) - 48
      rest |= (digit & 0x1f) << shift
      shift += 5
      guard digit & 0x20 == 0 else { continue }
      if digit & 0x10 != 0 { rest |= -1 << shift }
      runs.append(runs.count > 2 ? rest &+ runs[runs.count - 2] : rest)
      (rest, shift) = (0, 0)
    }
    guard shift == 0 else { return nil }
    self.init(runLengths: runs, size: size)
  }
}

extension ObjectMask: Codable {
  private enum Key: String, CodingKey { case size, counts }

  /// As COCO has it: `size`, rows and columns, and `counts`, its text.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode([size.height, size.width], forKey: .size)
    try values.encode(compressedRuns, forKey: .counts)
  }

  /// Reads COCO's `size` and `counts`, as text or as numbers.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let sides = try values.decode([Int].self, forKey: .size)
    guard sides.count == 2, sides.allSatisfy({ (0...65_536).contains($0) }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .size, in: values, debugDescription: "size is rows and columns, at most 65,536")
    }
    let size = PixelSize(width: sides[1], height: sides[0])
    let mask =
      if let text = try? values.decode(String.self, forKey: .counts) {
        ObjectMask(compressedRuns: text, size: size)
      } else { ObjectMask(runLengths: try values.decode([Int].self, forKey: .counts), size: size) }
    guard let mask else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: values, debugDescription: "counts do not fill the picture")
    }
    self = mask
  }
}
