// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Video

/// Uncompressed video with known samples, against the definition in floating point.
@Suite struct ColourConversionTests {
  /// A YUV4MPEG2 file of one 4:2:0 frame of noise.
  private func file(_ width: Int, _ height: Int, full: Bool) -> (bytes: [UInt8], planes: [[UInt8]])
  {
    let half = ((width + 1) / 2, (height + 1) / 2)
    let planes = [
      noise(width: width, height: height, channels: 1, seed: 1).bytes,
      noise(width: half.0, height: half.1, channels: 1, seed: 2).bytes,
      noise(width: half.0, height: half.1, channels: 1, seed: 3).bytes,
    ]
    let range = full ? "FULL" : "LIMITED"
    let header =
      "YUV4MPEG2 W\(width) H\(height) F30000:1001 Ip C420jpeg XCOLORRANGE=\(range)\nFRAME\n"
    return (Array(header.utf8) + planes.flatMap { $0 }, planes)
  }

  /// ITU-R BT.601 or BT.709: blue, green, red of one pixel before rounding.
  private func exact(_ sample: [UInt8], full: Bool, red: Double, blue: Double) -> [Double] {
    let luma = full ? Double(sample[0]) : (Double(sample[0]) - 16) * 255 / 219
    let scale = full ? 1 : 255.0 / 224
    let (u, v) = ((Double(sample[1]) - 128) * scale, (Double(sample[2]) - 128) * scale)
    let b = luma + 2 * (1 - blue) * u
    let r = luma + 2 * (1 - red) * v
    let g = (luma - red * r - blue * b) / (1 - red - blue)
    return [b, g, r].map { min(max($0, 0), 255) }
  }

  @Test(
    arguments: [(1, 1), (1, 9), (9, 1), (33, 17), (64, 48), (130, 4), (18, 720)], [false, true])
  func pixelsAreTheRoundedDefinition(size: (Int, Int), full: Bool) throws {
    let (width, height) = size
    let scratch = try Scratch()
    let (bytes, planes) = file(width, height, full: full)
    let source = try VideoSource.open(scratch.file("raw.y4m", bytes))
    let pixels = try #require(try source.next()).pixels.bytes
    let (red, blue) = height >= 720 ? (0.2126, 0.0722) : (0.299, 0.114)
    var worst = 0.0
    for y in 0..<height {
      for x in 0..<width {
        let chroma = y / 2 * ((width + 1) / 2) + x / 2
        let sample = [planes[0][y * width + x], planes[1][chroma], planes[2][chroma]]
        for (channel, value) in exact(sample, full: full, red: red, blue: blue).enumerated() {
          worst = max(worst, abs(Double(pixels[(y * width + x) * 3 + channel]) - value))
        }
      }
    }
    #expect(worst <= 0.51)
    #expect(source.info.frameRate == FrameRate(30000, per: 1001))
  }

  @Test func otherLayoutsAreReadToo() throws {
    let scratch = try Scratch()
    for (layout, samples) in [("444", 3.0), ("422", 2), ("420p10", 3)] {
      let header = "YUV4MPEG2 W16 H8 F25:1 C\(layout) XCOLORRANGE=LIMITED\nFRAME\n"
      let grey: [UInt8] =
        layout == "420p10"
        ? Array(repeating: [0, 2], count: 16 * 8 * 3 / 2).flatMap { $0 }
        : Array(repeating: 128, count: Int(16 * 8 * samples))
      let path = try scratch.file("\(layout).y4m", Array(header.utf8) + grey)
      let frame = try #require(try VideoSource.open(path).next())
      // (128 − 16) × 255 ÷ 219 = 130.4 in every channel.
      #expect(frame.pixels.bytes.allSatisfy { (129...131).contains($0) }, "\(layout)")
    }
  }
}
