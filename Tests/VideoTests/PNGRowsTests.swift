// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// PNG files byte by byte: their rows are stored, not compressed, so that nothing but a checksum is
/// needed to make one.
private struct PNG {
  var width = 64, height = 48, bits = 8, colour = 0
  var rows: [UInt8] = []
  /// Chunks between the header and the rows.
  var extras: [(kind: String, data: [UInt8])] = []

  var bytes: [UInt8] {
    let header = word(width) + word(height) + [UInt8(bits), UInt8(colour), 0, 0, 0]
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
    for extra in extras { file += chunk(extra.kind, extra.data) }
    return file + chunk("IDAT", stored(rows)) + chunk("IEND", [])
  }

  private func word(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(kind.utf8) + data
    var sum = UInt32.max
    for byte in body {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 != 0 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return word(data.count) + body + word(Int(~sum))
  }

  /// RFC 1950 around RFC 1951's stored blocks.
  private func stored(_ data: [UInt8]) -> [UInt8] {
    var (low, high) = (1, 0)
    for byte in data {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    let size = [UInt8(data.count & 255), UInt8(data.count >> 8)]
    return [0x78, 0x01, 0x01] + size + size.map { ~$0 } + data + word(high << 16 | low)
  }
}

/// Zeros without end in few bytes: RFC 1951's fixed codes, each of 258 bytes at distance 1.
private func bomb(matches: Int) -> [UInt8] {
  var bits: [UInt8] = []
  func put(_ value: Int, _ count: Int) {
    for place in stride(from: count - 1, through: 0, by: -1) {
      bits.append(UInt8(value >> place & 1))
    }
  }
  bits += [1, 1, 0]
  put(0x30, 8)
  for _ in 0..<matches {
    put(0b1100_0101, 8)
    put(0, 5)
  }
  put(0, 7)
  var bytes: [UInt8] = [0x78, 0x01]
  for start in stride(from: 0, to: bits.count, by: 8) {
    var byte: UInt8 = 0
    for (place, bit) in bits[start..<min(start + 8, bits.count)].enumerated() {
      byte |= bit << UInt8(place)
    }
    bytes.append(byte)
  }
  return bytes + [0, 0, 0, 0]
}

struct PNGRowsTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func rows(_ bytesPerRow: Int, _ count: Int = 48) -> [UInt8] {
    (0..<count).flatMap { y in [0] + [UInt8](repeating: UInt8(y + 1), count: bytesPerRow) }
  }

  @Test func picturesAndLabelsWithMissingRowsAreRefused() throws {
    var png = PNG(rows: rows(64))
    let whole = try scratch.file("whole.png", png.bytes)
    #expect(
      try Image.labels(contentsOf: whole).bytes
        == (0..<48).flatMap { y in
          [UInt8](repeating: UInt8(y + 1), count: 64)
        })
    for missing in [1, 64, 65, 20 * 65, 48 * 65] {
      png.rows = Array(rows(64).dropLast(missing))
      let path = try scratch.file("cut.png", png.bytes)
      for read in [{ try Image(contentsOf: path) }, { try Image.labels(contentsOf: path) }] {
        let failure = #expect(throws: VideoError.self, "\(missing)") { try read() }
        #expect(failure?.code == .damagedData)
        #expect(failure?.message.contains("before its last row") == true)
      }
    }
  }

  @Test func truthOfSixteenBitsWithMissingRowsIsRefused() throws {
    var png = PNG(bits: 16, colour: 2, rows: rows(64 * 6))
    #expect(try Image16(contentsOf: scratch.file("whole.png", png.bytes)).samples.count == 9216)
    png.rows.removeLast(385)
    let path = try scratch.file("cut.png", png.bytes)
    #expect(throws: VideoError.self) { try Image16(contentsOf: path) }
  }

  @Test func whatIsNotNeededMayBeAsLargeAsItLikes() throws {
    let plain = try Image(contentsOf: scratch.file("plain.png", PNG(rows: rows(64)).bytes))
    let zeros = bomb(matches: 600_000)
    let risen = try memoryRise(below: 100 << 20) {
      for (kind, lead) in [("zTXt", "a\0\0"), ("iCCP", "a\0\0"), ("iTXt", "a\0\u{1}\0\0\0")] {
        let png = PNG(rows: rows(64), extras: [(kind, Array(lead.utf8) + zeros)])
        let read = try Image(contentsOf: scratch.file("bomb.png", png.bytes))
        #expect(read == plain)
      }
    }
    if let risen { #expect(risen < 100 << 20, "grew by \(risen) bytes") }
  }

  @Test func aPictureThatIsTooLargeIsCalledSo() throws {
    let png = PNG(width: 9000, height: 9000, rows: [])
    let failure = #expect(throws: VideoError.self) {
      try Image(contentsOf: scratch.file("large.png", png.bytes))
    }
    #expect(failure?.code == .tooLarge)
    #expect(failure?.message == "9000×9000 pixels are more than the limit of 35389440")
  }

  @Test func onlyMapsThatThisPackageWroteAreOwn() throws {
    let map = Image(width: 8, height: 8, channels: 1, bytes: [UInt8](repeating: 3, count: 64))
    try map.writePNG(to: scratch("own.png"), palette: .camVid)
    try map.writePNG(to: scratch("grey.png"))
    #expect(Image.isOwnLabelMap(at: scratch("own.png")))
    #expect(!Image.isOwnLabelMap(at: scratch("grey.png")))
    #expect(!Image.isOwnLabelMap(at: scratch("none.png")))
    #expect(try Image.labels(contentsOf: scratch("own.png")) == map)
  }
}
