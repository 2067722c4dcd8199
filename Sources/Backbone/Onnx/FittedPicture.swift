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
  init(_ picture: PixelSize, into size: PixelSize, _ fit: OnnxDescription.Fit) {
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
}
