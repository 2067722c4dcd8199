// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// What Exif 2.3 says of orientations 1 to 8: the sides at which the 0th row and the 0th column
/// are.
private let sides: [(row: String, column: String)] = [
  ("top", "left"), ("top", "right"), ("bottom", "right"), ("bottom", "left"), ("left", "top"),
  ("right", "top"), ("right", "bottom"), ("left", "bottom"),
]

/// Where a stored pixel is seen, by those words.
private func seen(_ x: Int, _ y: Int, of size: PixelSize, _ orientation: Int) -> (x: Int, y: Int) {
  let side = sides[orientation - 1]
  let across: [String: Int] = [
    side.row: y, side.column: x,
    opposite(side.row): size.height - 1 - y, opposite(side.column): size.width - 1 - x,
  ]
  return (across["left"] ?? -1, across["top"] ?? -1)
}

private func opposite(_ side: String) -> String {
  ["top": "bottom", "bottom": "top", "left": "right", "right": "left"][side] ?? ""
}

private func upright(_ image: Image, _ orientation: Int) -> Image {
  let swaps = orientation > 4
  let (width, height) = swaps ? (image.height, image.width) : (image.width, image.height)
  return Image(width: width, height: height, channels: image.channels) { bytes in
    for y in 0..<image.height {
      for x in 0..<image.width {
        let to = seen(x, y, of: image.size, orientation)
        for channel in 0..<image.channels {
          bytes[(to.y * width + to.x) * image.channels + channel] =
            image[x: x, y: y, channel: channel]
        }
      }
    }
  }
}

private func exif(_ orientation: Int) -> [UInt8] {
  Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(orientation)]
    + [0, 0, 0, 0, 0, 0]
}

private func big(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

private func little(_ value: Int) -> [UInt8] { big(value).reversed() }

@Suite struct GeometryTests {
  private let scratch: Scratch
  private let image = noise(width: 7, height: 4)

  init() throws { scratch = try Scratch() }

  @Test(arguments: 1...8, [true, false])
  func pngIsTurnedUpright(orientation: Int, isFirst: Bool) throws {
    try image.writePNG(to: scratch("a.png"))
    let labels = noise(width: 7, height: 4, channels: 1)
    try labels.writePNG(to: scratch("l.png"))
    for name in ["a.png", "l.png"] {
      var png = try bytes(of: scratch(name))
      let body = Array("eXIf".utf8) + exif(orientation)
      let chunk = big(body.count - 4) + body + big(Int(crc32(body)))
      png.insert(contentsOf: chunk, at: isFirst ? 33 : png.count - 12)
      _ = try scratch.file(name, png)
    }
    #expect(try Image(contentsOf: scratch("a.png")) == upright(image, orientation))
    #expect(try Image.labels(contentsOf: scratch("l.png")) == upright(labels, orientation))
    #expect(try Image.size(ofFile: scratch("a.png")) == upright(image, orientation).size)
  }

  @Test(arguments: 1...8)
  func tiffIsTurnedUpright(orientation: Int) throws {
    let pixels = image.bytes
    let entries: [(tag: Int, kind: Int, value: Int)] = [
      (256, 4, image.width), (257, 4, image.height), (258, 3, 8), (259, 3, 1), (262, 3, 2),
      (273, 4, 8), (274, 3, orientation), (277, 3, 3), (278, 4, image.height),
      (279, 4, pixels.count),
    ]
    // Bits a sample are one number for all of them: libtiff and libavcodec take that.
    var tiff = Array("II".utf8) + [42, 0] + little(8 + pixels.count)
    for at in stride(from: 0, to: pixels.count, by: 3) {
      tiff += [pixels[at + 2], pixels[at + 1], pixels[at]]
    }
    tiff += [UInt8(entries.count), 0]
    for entry in entries {
      tiff += little(entry.tag).prefix(2) + little(entry.kind).prefix(2) + little(1)
      tiff += little(entry.value)
    }
    let path = try scratch.file("a.tif", tiff + little(0))
    #expect(try Image(contentsOf: path) == upright(image, orientation))
  }

  @Test(arguments: 1...8, [true, false])
  func webPIsTurnedUpright(orientation: Int, isPrefixed: Bool) throws {
    let golden = try #require(stillGoldens.first { $0.name == "lossless.webp" }).bytes
    let stored = try Image(contentsOf: scratch.file("plain.webp", golden))
    let data = (isPrefixed ? Array("Exif".utf8) + [0, 0] : []) + exif(orientation)
    let extended =
      Array("VP8X".utf8) + little(10) + [8, 0, 0, 0] + little(stored.width - 1).prefix(3)
      + little(stored.height - 1).prefix(3)
    let chunks =
      extended + golden[12...] + Array("EXIF".utf8) + little(data.count) + data
      + [UInt8](repeating: 0, count: data.count % 2)
    let file = Array("RIFF".utf8) + little(4 + chunks.count) + Array("WEBP".utf8) + chunks
    let path = try scratch.file("a.webp", file)
    #expect(try Image(contentsOf: path) == upright(stored, orientation))
  }

  /// The matrix of each orientation as a track's header has it: a, b, u, c, d, v, x, y, w.
  private func matrix(_ orientation: Int) -> [UInt8] {
    let (ex, ey) = (
      seen(1, 0, of: PixelSize(width: 2, height: 2), orientation),
      seen(0, 1, of: PixelSize(width: 2, height: 2), orientation)
    )
    let origin = seen(0, 0, of: PixelSize(width: 2, height: 2), orientation)
    let steps = [ex.x - origin.x, ex.y - origin.y, 0, ey.x - origin.x, ey.y - origin.y, 0, 0, 0]
    return steps.flatMap { big($0 << 16) } + big(1 << 30)
  }

  /// A clip that a player shows turned.
  private func turned(_ orientation: Int) throws -> String {
    try writeClip(to: scratch("clip.mp4"), frames: 6)
    var clip = try bytes(of: scratch("clip.mp4"))
    let header = try place(of: "tkhd", in: clip)
    clip.replaceSubrange(header + 44..<header + 80, with: matrix(orientation))
    return try scratch.file("turned.mp4", clip)
  }

  @Test(arguments: 1...8)
  func videoIsTurnedUprightWithItsVectors(orientation: Int) throws {
    let options = VideoOptions(motionVectors: true)
    let path = try turned(orientation)
    let plain = try frames(of: VideoFile(scratch("clip.mp4"), options: options))
    let source = try VideoFile(path, options: options)
    let turned = try frames(of: source)
    #expect(turned.count == 6)
    #expect((source.info.width, source.info.height) == (orientation > 4 ? (48, 64) : (64, 48)))
    for (one, other) in zip(plain, turned) {
      #expect(other.pixels == upright(one.pixels, orientation))
      let cells = Set(covered(one, orientation))
      #expect(Set(covered(other, 1)) == cells)
      #expect(one.pictureType == .intra || !cells.isEmpty)
    }
  }

  /// Each cell that a vector covers, where it is seen, and how it is seen to move.
  private func covered(_ frame: Frame, _ orientation: Int) -> [[Int]] {
    let origin = seen(0, 0, of: frame.pixels.size, orientation)
    return (frame.motionVectors ?? []).flatMap { vector -> [[Int]] in
      let (dx, dy) = vector.displacement
      let (left, top) = (
        Int(vector.x) - Int(vector.width) / 2, Int(vector.y) - Int(vector.height) / 2
      )
      let ends = [(Int(dx * 4), 0), (0, Int(dy * 4))].map {
        seen($0.0, $0.1, of: frame.pixels.size, orientation)
      }
      let motion = [
        ends[0].x + ends[1].x - 2 * origin.x, ends[0].y + ends[1].y - 2 * origin.y,
        Int(vector.source),
      ]
      return (0..<Int(vector.width) * Int(vector.height)).map { cell in
        let (y, x) = cell.quotientAndRemainder(dividingBy: Int(vector.width))
        let at = seen(left + x, top + y, of: frame.pixels.size, orientation)
        return [at.x, at.y] + motion
      }
    }
  }

  // Only the first picture says it, in an SEI message: a turn by 90° anticlockwise. With another
  // number the message means nothing to a decoder.
  @Test func picturesMaySayThatTheyAreTurned() throws {
    let clip = try bytes(of: fixtures + "/Video/turned.mp4")
    let message: [UInt8] = [0x2F, 3, 0x08, 0, 0x09]
    let at = try #require(
      clip.indices.dropLast(4).first { Array(clip[$0..<$0 + 5]) == message })
    var silent = clip
    silent[at] = 0x2E
    let options = VideoOptions(motionVectors: true)
    let plain = try frames(of: VideoFile(scratch.file("plain.mp4", silent), options: options))
    let source = try VideoFile(scratch.file("turned.mp4", clip), options: options)
    let turned = try frames(of: source)
    #expect((source.info.width, source.info.height) == (48, 64))
    #expect((plain.count, turned.count) == (6, 6) && source.report.isClean)
    for (one, other) in zip(plain, turned) {
      #expect(other.pixels == upright(one.pixels, 8))
      #expect(other.time == one.time && other.pictureType == one.pictureType)
      #expect(Set(covered(other, 1)) == Set(covered(one, 8)))
    }
  }

  @Test(arguments: 1...8)
  func picturesOfMotionJPEGAreTurnedUpright(orientation: Int) throws {
    let tag: [UInt8] = [1, 0x12, 0, 3, 0, 0, 0, 1, 0]
    var clip = try bytes(of: fixtures + "/Video/turned.avi")
    let places = clip.indices.dropLast(9).filter { Array(clip[$0..<$0 + 9]) == tag }
    #expect(places.count == 3)
    for place in places { clip[place + 9] = 1 }
    let plain = try frames(of: VideoFile(scratch.file("plain.avi", clip)))
    for place in places { clip[place + 9] = UInt8(orientation) }
    let source = try VideoFile(scratch.file("turned.avi", clip))
    let turned = try frames(of: source)
    #expect((source.info.width, source.info.height) == (orientation > 4 ? (32, 48) : (48, 32)))
    #expect(turned.map(\.pixels) == plain.map { upright($0.pixels, orientation) })
    #expect(turned.count == 3)
  }

  @Test func thePixelAspectIsKept() throws {
    var options = VideoWriter.Options()
    options.pixelAspect = PixelAspect(64, 45)
    let writer = try VideoWriter(
      to: scratch("wide.mp4"), width: 32, height: 32, rate: FrameRate(25), options: options)
    try writer.add(noise(width: 32, height: 32))
    try writer.finish()
    #expect(try VideoFile(scratch("wide.mp4")).info.pixelAspect == PixelAspect(64, 45))
    try writeClip(to: scratch("square.mp4"), frames: 2)
    #expect(try VideoFile(scratch("square.mp4")).info.pixelAspect == nil)
  }
}

/// Where a box's or a chunk's four letters are.
func place(of letters: String, in bytes: [UInt8]) throws -> Int {
  let wanted = Array(letters.utf8)
  return try #require(
    bytes.indices.dropLast(3).first {
      bytes[$0] == wanted[0] && Array(bytes[$0..<$0 + 4]) == wanted
    })
}
