// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct StillTests {
  @Test(arguments: stillGoldens.map(\.name))
  func picturesAreReadAsOpenCVReadsThem(name: String) throws {
    let golden = try #require(stillGoldens.first { $0.name == name })
    let scratch = try Scratch()
    let path = try scratch.file(name, golden.bytes)
    let image = try Image(contentsOf: path)
    #expect((image.width, image.height, image.channels) == (golden.width, golden.height, 3))
    #expect(image.checksum == golden.checksum)
  }

  @Test(arguments: 2...8)
  func photographsAreTurnedUpright(orientation: Int) throws {
    let jpeg = try #require(stillGoldens.first { $0.name == "q420.jpg" }).bytes
    let exif: [UInt8] =
      Array("Exif".utf8) + [0, 0] + Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3]
      + [0, 0, 0, 1, 0, UInt8(orientation), 0, 0, 0, 0, 0, 0]
    let marker: [UInt8] = [0xff, 0xe1, 0, UInt8(exif.count + 2)]
    let scratch = try Scratch()
    let path = try scratch.file("turned.jpg", jpeg[..<2] + marker + exif + jpeg[2...])
    let image = try Image(contentsOf: path)
    #expect(image.checksum == orientationChecksums[orientation - 2])
  }

  @Test(
    .enabled(if: sharedData != nil, "shared data is not there"),
    arguments: [
      ("camvid/val/0016E5_07959.webp", 480, 360, 0x6e1e8709c4f1f035 as UInt64),
      ("camvid/train/0001TP_006840.webp", 480, 360, 0x7fbec53d90d6b678),
      ("davis/JPEGImages/480p/bmx-trees/00000.jpg", 854, 480, 0x57e5fbd6a8d900c2),
      ("davis/JPEGImages/480p/car-roundabout/00000.jpg", 854, 480, 0x3ad049f382ac901c),
      ("davis/JPEGImages/480p/drift-chicane/00000.jpg", 854, 480, 0xdb9355e52879f4ac),
      (
        "cityscapes/images/seq0000/aachen_000000_000000_leftImg8bit.jpg", 1024, 512,
        0x9b15715e1bb480ca
      ),
      ("flow/kitti2012/image_0_000045_10.png", 1241, 376, 0x2bcf82f4cba97a26),
      ("flow/kitti2012/flow_occ_000045_10.png", 1241, 376, 0xcd0490792d5f5234),
      ("flow/middlebury/other-data/Dimetrodon/frame10.png", 584, 388, 0xfc32586119785e0b),
    ])
  func realPicturesAreReadAsOpenCVReadsThem(
    _ golden: (name: String, width: Int, height: Int, checksum: UInt64)
  ) throws {
    let image = try Image(contentsOf: #require(sharedData).path + "/" + golden.name)
    #expect((image.width, image.height) == (golden.width, golden.height))
    #expect(image.checksum == golden.checksum)
  }

  @Test func labelsArePaletteIndicesAndGreyValues() throws {
    let scratch = try Scratch()
    let labels = Image(width: 5, height: 3, channels: 1, bytes: (0..<15).map { UInt8($0 * 17) })
    try labels.writePNG(to: scratch("grey.png"))
    try labels.writePNG(to: scratch("palette.png"), palette: .cityscapes)
    #expect(try Image.labels(contentsOf: scratch("grey.png")) == labels)
    #expect(try Image.labels(contentsOf: scratch("palette.png")) == labels)
    let colours = try Image(contentsOf: scratch("palette.png"))
    #expect(Array(colours.bytes.prefix(3)) == [128, 64, 128])
  }

  @Test(arguments: ["rgb.png", "rgb16.png", "grey16.png", "lossless.webp", "q444.jpg"])
  func coloursAndDeepSamplesAreNoLabels(name: String) throws {
    let scratch = try Scratch()
    let golden = try #require(stillGoldens.first { $0.name == name })
    let path = try scratch.file(name, golden.bytes)
    let error = try #require(throws: VideoError.self) { try Image.labels(contentsOf: path) }
    #expect(error.code == .unsupported && error.path == path)
  }

  @Test(arguments: [1, 2, 4])
  func greyOfFewBitsIsNotStretchedInLabels(bits: Int) throws {
    let scratch = try Scratch()
    let path = scratch("few.png")
    try writeGreyPNG([0, 1, 1, 0], bits: bits, to: path)
    #expect(try Image.labels(contentsOf: path).bytes == [0, 1, 1, 0])
  }

  @Test(arguments: [(7, 5), (1, 1), (1, 40), (40, 1), (33, 17)])
  func whatIsWrittenIsRead(width: Int, height: Int) throws {
    let scratch = try Scratch()
    let image = noise(width: width, height: height)
    try image.writePNG(to: scratch("colour.png"))
    #expect(try Image(contentsOf: scratch("colour.png")) == image)
  }

  @Test(arguments: [1, 3])
  func sixteenBitsSurvive(channels: Int) throws {
    let scratch = try Scratch()
    let samples = (0..<(9 * 4 * channels)).map { UInt16(truncatingIfNeeded: $0 &* 40503) }
    let image = Image16(width: 9, height: 4, channels: channels, samples: samples)
    try image.writePNG(to: scratch("deep.png"))
    #expect(try Image16(contentsOf: scratch("deep.png")) == image)
  }

  @Test func eightBitsAreNotTakenForSixteen() throws {
    let scratch = try Scratch()
    try noise(width: 4, height: 4).writePNG(to: scratch("shallow.png"))
    let error = try #require(throws: VideoError.self) {
      try Image16(contentsOf: scratch("shallow.png"))
    }
    #expect(error.code == .unsupported)
  }

  @Test func jpegComesBackNearly() throws {
    let scratch = try Scratch()
    let image = smooth(width: 64, height: 48)
    try image.writeJPEG(to: scratch("smooth.jpg"), quality: 95)
    #expect(meanDifference(try Image(contentsOf: scratch("smooth.jpg")), image) < 2)
  }

  @Test func largePicturesAreRefusedBeforeTheyAreDecoded() throws {
    let scratch = try Scratch()
    for name in ["rgb.png", "q420.jpg", "rgb.bmp", "lossless.webp", "rgb.ppm"] {
      let golden = try #require(stillGoldens.first { $0.name == name })
      let path = try scratch.file(name, golden.bytes)
      let error = try #require(throws: VideoError.self) {
        try Image(contentsOf: path, limits: PixelLimits(pixels: 90))
      }
      #expect(error.code == .tooLarge, "\(error)")
    }
  }

  @Test func everyFaultOfAStillHasItsCode() throws {
    let scratch = try Scratch()
    let png = try #require(stillGoldens.first { $0.name == "rgb.png" }).bytes
    let jpeg = try #require(stillGoldens.first { $0.name == "q420.jpg" }).bytes
    let faults: [(String, VideoError.Code)] = [
      (scratch("absent.png"), .missingFile),
      (scratch.path, .unreadable),
      ("/dev/null", .unreadable),
      (try scratch.file("empty.png", []), .emptyFile),
      (try scratch.file("text.png", "no picture 100%s".utf8), .notMedia),
      (try scratch.file("cut.png", png.dropLast(60)), .damagedData),
      (try scratch.file("cut.jpg", jpeg.dropLast(40)), .damagedData),
    ]
    for (path, code) in faults {
      let error = try #require(throws: VideoError.self) { try Image(contentsOf: path) }
      #expect(error.code == code && error.path == path, "\(error)")
    }
  }

  @Test func nothingIsLeftWhereNothingCanBeWritten() throws {
    let scratch = try Scratch()
    let image = noise(width: 4, height: 4)
    let error = try #require(throws: VideoError.self) {
      try image.writePNG(to: scratch("no/such/folder.png"))
    }
    #expect(error.code == .unwritable)
    try FileManager.default.createDirectory(
      atPath: scratch("taken"), withIntermediateDirectories: true)
    #expect(throws: VideoError.self) { try image.writePNG(to: scratch("taken")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["taken"])
  }
}
