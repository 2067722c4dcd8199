// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Where a picture lies in a network's input of another size.
struct FittedPicture {
  private let size: PixelSize
  /// The part of the input that the picture fills.
  private let width: Int, height: Int, left: Int, top: Int
  /// What a length in the picture is multiplied by, across and down.
  private let across: Double, down: Double
  private let picture: PixelSize

  /// A picture of `picture`'s size in an input of `size`.
  init(_ picture: PixelSize, into size: PixelSize, _ fit: PictureFit) {
    (self.size, self.picture) = (size, picture)
    guard fit != .stretch else {
      (width, height, left, top) = (size.width, size.height, 0, 0)
      across = Double(size.width) / Double(picture.width)
      down = Double(size.height) / Double(picture.height)
      return
    }
    let scale = min(
      Double(size.width) / Double(picture.width), Double(size.height) / Double(picture.height))
    (across, down) = (scale, scale)
    width = min(size.width, max(1, Int((Double(picture.width) * scale).rounded())))
    height = min(size.height, max(1, Int((Double(picture.height) * scale).rounded())))
    // As Ultralytics rounds it: a pixel that is over goes to the right and below.
    left = fit == .letterbox ? Int((Double(size.width - width) / 2 - 0.1).rounded()) : 0
    top = fit == .letterbox ? Int((Double(size.height - height) / 2 - 0.1).rounded()) : 0
  }

  /// The input's pixels, grey of 114 around the picture.
  func picture(_ image: Image) throws -> Image {
    let resized = try image.resized(width: width, height: height)
    guard resized.size != size else { return resized }
    let row = width * image.channels
    return Image(width: size.width, height: size.height, channels: image.channels) { out in
      for index in out.indices { out[index] = 114 }
      resized.withUnsafeBytes { bytes in
        for y in 0..<height {
          let start = ((top + y) * size.width + left) * image.channels
          for x in 0..<row { out[start + x] = bytes[y * row + x] }
        }
      }
    }
  }

  /// A box of the input in the picture, cut off at its edges.
  func box(_ box: BoundingBox) -> BoundingBox {
    func placed(_ edge: Double, _ start: Int, _ scale: Double, _ end: Int) -> Double {
      min(max((edge - Double(start)) / scale, 0), Double(end))
    }
    let x = placed(box.x, left, across, picture.width)
    let y = placed(box.y, top, down, picture.height)
    return BoundingBox(
      x: x, y: y, width: placed(box.x + box.width, left, across, picture.width) - x,
      height: placed(box.y + box.height, top, down, picture.height) - y)
  }

  /// A key point of the input in the picture, where it may lie beyond the edges.
  func point(_ point: KeyPoint) -> KeyPoint {
    KeyPoint(
      x: (point.x - Double(left)) / across, y: (point.y - Double(top)) / down,
      confidence: point.confidence)
  }

  /// The pixels of the picture in whose middle a mask is above 0, read bilinearly; those of `box`
  /// alone, which is in the picture's pixels.
  func mask(_ logits: MaskLogits, in box: BoundingBox) -> ObjectMask {
    func pixels(_ start: Double, _ length: Double, _ end: Int) -> Range<Int> {
      let first = max(0, Int((start - 0.5).rounded(.up)))
      return first..<max(first, min(end, Int((start + length - 0.5).rounded(.up))))
    }
    let columns = pixels(box.x, box.width, picture.width)
    let rows = pixels(box.y, box.height, picture.height)
    guard !columns.isEmpty, !rows.isEmpty else { return ObjectMask(emptyOf: picture) }
    let horizontal = columns.map { x in
      GridTap(
        at: Double(left) + (Double(x) + 0.5) * across, of: size.width, cells: logits.width)
    }
    var cells: [UInt8] = []
    cells.reserveCapacity(columns.count * rows.count)
    for y in rows {
      let vertical = GridTap(
        at: Double(top) + (Double(y) + 0.5) * down, of: size.height, cells: logits.height)
      let (upper, lower) = (vertical.first * logits.width, vertical.second * logits.width)
      for tap in horizontal {
        let above = tap.mix(logits.values[upper + tap.first], logits.values[upper + tap.second])
        let below = tap.mix(logits.values[lower + tap.first], logits.values[lower + tap.second])
        cells.append(vertical.mix(above, below) > 0 ? 1 : 0)
      }
    }
    return ObjectMask(
      size: picture, left: columns.lowerBound, top: rows.lowerBound, width: columns.count,
      cells: cells)
  }
}

/// The two cells of a grid around a place on its axis, and the share of the second.
private struct GridTap {
  let first: Int, second: Int
  private let part: Float

  init(at place: Double, of length: Int, cells: Int) {
    let cell = min(max(place * Double(cells) / Double(length) - 0.5, 0), Double(cells - 1))
    first = Int(cell)
    second = min(first + 1, cells - 1)
    part = Float(cell - Double(first))
  }

  @inline(__always)
  func mix(_ one: Float, _ other: Float) -> Float { one + part * (other - one) }
}
