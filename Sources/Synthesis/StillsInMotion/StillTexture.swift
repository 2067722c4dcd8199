// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Four bytes a pixel, read between pixels: blue, green and red times opacity, then opacity.
struct StillTexture: Sendable {
  let width: Int, height: Int
  /// Row by row; blue in the lowest byte, opacity in the highest.
  var texels: [UInt32]

  init(width: Int, height: Int, texels: [UInt32]) {
    (self.width, self.height, self.texels) = (width, height, texels)
  }

  /// An opaque picture.
  init(_ image: Image) {
    let texels = image.withUnsafeBytes { bytes in
      [UInt32](unsafeUninitializedCapacity: image.width * image.height) { buffer, count in
        for pixel in 0..<(image.width * image.height) {
          let (blue, green) = (UInt32(bytes[3 * pixel]), UInt32(bytes[3 * pixel + 1]))
          buffer[pixel] = blue | green << 8 | UInt32(bytes[3 * pixel + 2]) << 16 | 0xFF00_0000
        }
        count = image.width * image.height
      }
    }
    self.init(width: image.width, height: image.height, texels: texels)
  }

  /// The same picture, each colour times `gain`.
  func brightened(by gain: Float) -> StillTexture {
    let factor = UInt32(max(0, gain) * 256)
    let changed = texels.map { texel in
      let opacity = texel >> 24
      let parts = [0, 8, 16].map { min(((texel >> $0 & 0xFF) * factor) >> 8, opacity) << $0 }
      return parts[0] | parts[1] | parts[2] | opacity << 24
    }
    return StillTexture(width: width, height: height, texels: changed)
  }
}

/// The pixels of a texture in the open, to be read at any place.
struct StillTexels {
  private let texels: UnsafePointer<UInt32>
  private let width: Int
  private let right: Float, bottom: Float
  private let lastColumn: Int, lastRow: Int

  init(_ texels: UnsafePointer<UInt32>, width: Int, height: Int) {
    (self.texels, self.width) = (texels, width)
    (lastColumn, lastRow) = (width - 1, height - 1)
    (right, bottom) = (Float(width - 1), Float(height - 1))
  }

  /// Four channels in lanes of sixteen bits: blue, red, green, opacity.
  typealias Lanes = UInt64
  private static let lanes: Lanes = 0x00FF_00FF_00FF_00FF
  private static let halves: Lanes = 0x0080_0080_0080_0080

  @inline(__always)
  private static func spread(_ texel: UInt32) -> Lanes {
    let wide = Lanes(texel)
    return (wide | wide << 24) & lanes
  }

  /// Bilinear, clamped to the picture; whole places are exact, others are rounded to 1/256 pixel.
  @inline(__always)
  func lanes(x: Float, y: Float) -> Lanes {
    let column = Int(min(max(x, 0), right) * 256 + 0.5),
      row = Int(min(max(y, 0), bottom) * 256 + 0.5)
    let (left, top) = (column >> 8, row >> 8)
    let toRight = Lanes(truncatingIfNeeded: column & 255)
    let down = Lanes(truncatingIfNeeded: row & 255)
    let at = top &* width &+ left
    let next = left < lastColumn ? 1 : 0
    let below = at &+ (top < lastRow ? width : 0)
    let both = (toRight &* down &+ 128) >> 8
    var sum = Self.spread(texels[at]) &* (256 &- toRight &- down &+ both)
    sum = sum &+ Self.spread(texels[at &+ next]) &* (toRight &- both)
    sum = sum &+ Self.spread(texels[below]) &* (down &- both)
    sum = sum &+ Self.spread(texels[below &+ next]) &* both
    return (sum &+ Self.halves) >> 8 & Self.lanes
  }

  /// Writes blue, green, red.
  @inline(__always)
  static func store(_ lanes: Lanes, to pixel: UnsafeMutablePointer<UInt8>) {
    pixel[0] = UInt8(truncatingIfNeeded: lanes)
    pixel[1] = UInt8(truncatingIfNeeded: lanes >> 32)
    pixel[2] = UInt8(truncatingIfNeeded: lanes >> 16)
  }

  @inline(__always)
  static func opacity(_ lanes: Lanes) -> UInt32 { UInt32(truncatingIfNeeded: lanes >> 48) }

  /// Puts a colour over the one that is there.
  @inline(__always)
  static func blend(_ lanes: Lanes, over pixel: UnsafeMutablePointer<UInt8>) {
    let opacity = opacity(lanes)
    guard opacity < 255 else { return store(lanes, to: pixel) }
    let rest = 256 &- opacity &- opacity >> 7
    for (channel, shift) in [(0, 0), (1, 32), (2, 16)] {
      let over = UInt32(truncatingIfNeeded: lanes >> Lanes(shift) & 0xFF)
      pixel[channel] = UInt8(min(255, over &+ (UInt32(pixel[channel]) &* rest &+ 128) >> 8))
    }
  }
}
