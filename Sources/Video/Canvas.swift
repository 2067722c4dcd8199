// SPDX-License-Identifier: Apache-2.0

/// Where overlays are drawn: blue, green, red rows that somebody else owns.
struct Canvas {
  let width: Int, height: Int
  let pixels: UnsafeMutablePointer<UInt8>

  /// An axis-parallel rectangle in pixels.
  struct Box {
    var x: Int, y: Int, width: Int, height: Int
  }

  /// Fills a box, mixing `opacity` of 256 parts of the colour with what is there.
  func fill(_ box: Box, _ colour: Palette.Colour, opacity: Int = 256) {
    let columns = max(box.x, 0)..<max(min(box.x + box.width, width), max(box.x, 0))
    let rows = max(box.y, 0)..<max(min(box.y + box.height, height), max(box.y, 0))
    for y in rows {
      for x in columns { mix(colour, opacity, at: (y * width + x) * 3) }
    }
  }

  private func mix(_ colour: Palette.Colour, _ opacity: Int, at index: Int) {
    let (keep, pixel) = (256 - opacity, pixels + index)
    pixel[0] = UInt8((Int(pixel[0]) * keep + Int(colour.blue) * opacity + 128) >> 8)
    pixel[1] = UInt8((Int(pixel[1]) * keep + Int(colour.green) * opacity + 128) >> 8)
    pixel[2] = UInt8((Int(pixel[2]) * keep + Int(colour.red) * opacity + 128) >> 8)
  }

  /// Writes a line of text; `(x, y)` is the upper left corner, every dot `scale` pixels wide.
  func write(_ text: String, x: Int, y: Int, scale: Int, _ colour: Palette.Colour) {
    for (index, letter) in text.unicodeScalars.enumerated() {
      let code = letter.isASCII ? UInt8(letter.value) : 63
      let left = x + index * BitmapFont.width * scale
      if left >= width { return }
      for row in 0..<BitmapFont.height {
        for column in 0..<BitmapFont.width where BitmapFont.hasInk(code, x: column, y: row) {
          let dot = Box(x: left + column * scale, y: y + row * scale, width: scale, height: scale)
          fill(dot, colour)
        }
      }
    }
  }

  /// A frame along the edges, inside them.
  func outline(_ thickness: Int, _ colour: Palette.Colour) {
    outline(Box(x: 0, y: 0, width: width, height: height), thickness: thickness, colour)
  }

  /// A frame along the edges of a box, inside them.
  func outline(_ box: Box, thickness: Int, _ colour: Palette.Colour) {
    let (right, bottom) = (box.x + box.width, box.y + box.height)
    fill(Box(x: box.x, y: box.y, width: box.width, height: thickness), colour)
    fill(Box(x: box.x, y: bottom - thickness, width: box.width, height: thickness), colour)
    fill(Box(x: box.x, y: box.y, width: thickness, height: box.height), colour)
    fill(Box(x: right - thickness, y: box.y, width: thickness, height: box.height), colour)
  }
}

extension Palette.Colour {
  static let white = Self(255, 255, 255)
  static let black = Self(0, 0, 0)

  /// A colour on the way to another: 0 is this one, 1 is `other`.
  func mixed(with other: Self, _ share: Double) -> Self {
    func mix(_ from: UInt8, _ to: UInt8) -> UInt8 {
      UInt8((Double(from) + (Double(to) - Double(from)) * min(max(share, 0), 1)).rounded())
    }
    return Self(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }
}
