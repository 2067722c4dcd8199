// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Video

func noise(width: Int, height: Int, channels: Int = 3, seed: UInt64 = 1) -> Image {
  var random = Draws(seed: seed)
  let bytes = (0..<(width * height * channels)).map { _ in UInt8.random(in: 0...255, using: &random)
  }
  return Image(width: width, height: height, channels: channels, bytes: bytes)
}

/// Slow gradients that move with `phase`: easy on codecs.
func smooth(width: Int, height: Int, phase: Int = 0) -> Image {
  Image(width: width, height: height, channels: 3) { bytes in
    for y in 0..<height {
      for x in 0..<width {
        let at = (y * width + x) * 3
        bytes[at] = UInt8(min(40 + (x + phase) * 160 / (width + 64), 255))
        bytes[at + 1] = UInt8(60 + y * 120 / height)
        bytes[at + 2] = UInt8(max(200 - (x + phase + y) * 120 / (width + height + 64), 0))
      }
    }
  }
}

func meanDifference(_ one: Image, _ other: Image) -> Double {
  let (a, b) = (one.bytes, other.bytes)
  return Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
}

extension Image {
  /// The sum of sample × (odd factor of its position), modulo 2⁶⁴; numpy computes it as easily.
  var checksum: UInt64 {
    bytes.enumerated().reduce(0) {
      $0 &+ UInt64($1.element) &* (UInt64($1.offset) &* 2_654_435_761 | 1)
    }
  }
}

extension Golden {
  var bytes: [UInt8] {
    [UInt8](Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data())
  }
}

/// A 2 × 2 grey PNG of 1, 2 or 4 bits a sample, put together by hand with stored deflate blocks.
func writeGreyPNG(_ samples: [UInt8], bits: Int, to path: String) throws {
  func big(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
  func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
    let tagged = Array(kind.utf8) + body
    return big(body.count) + tagged + big(Int(crc32(tagged)))
  }
  let rows = stride(from: 0, to: 4, by: 2).flatMap { row -> [UInt8] in
    [0, samples[row] << UInt8(8 - bits) | samples[row + 1] << UInt8(8 - 2 * bits)]
  }
  let (low, high) = rows.reduce((1, 0)) {
    (($0.0 + Int($1)) % 65521, ($0.1 + $0.0 + Int($1)) % 65521)
  }
  let stored: [UInt8] = [0x78, 1, 1, UInt8(rows.count), 0, ~UInt8(rows.count), 0xff] + rows
  let png: [UInt8] =
    [0x89] + Array("PNG\r\n".utf8) + [0x1a, 10]
    + chunk("IHDR", big(2) + big(2) + [UInt8(bits), 0, 0, 0, 0])
    + chunk("IDAT", stored + big(high << 16 | low)) + chunk("IEND", [])
  try Data(png).write(to: URL(fileURLWithPath: path))
}

func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0)
    }
  }
}
