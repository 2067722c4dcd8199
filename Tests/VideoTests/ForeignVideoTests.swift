// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// Videos that the `ffmpeg` command makes, where it is installed.
@Suite(.enabled(if: ffmpeg != nil, "the ffmpeg command is not there"))
struct ForeignVideoTests {
  @Test func aChangeOfSizeIsScaledMarkedAndCounted() throws {
    let scratch = try Scratch()
    try make(
      "-f lavfi -i testsrc=s=320x240:d=1:r=25 -c:v libx264 -pix_fmt yuv420p", scratch("a.ts"))
    try make(
      "-f lavfi -i testsrc=s=480x272:d=1:r=25 -c:v libx264 -pix_fmt yuv420p", scratch("b.ts"))
    let path = try scratch.file("ab.ts", bytes(of: scratch("a.ts")) + bytes(of: scratch("b.ts")))
    let source = try VideoSource.open(path, options: VideoOptions(motionVectors: true))
    let frames = try frames(of: source)
    #expect(frames.count == 50 && source.report.sizeChanges == 1)
    #expect(frames.allSatisfy { ($0.pixels.width, $0.pixels.height) == (320, 240) })
    #expect(frames.map(\.streamBreak).indices.filter { frames[$0].followsBreak } == [25])
    // Blocks of 480×272 are known on the grid of 320×240 too: 16 pixels become 11 by 14 at most.
    for frame in frames[26...] where frame.pictureType != .intra {
      let vectors = try #require(frame.motionVectors)
      #expect(!vectors.isEmpty && vectors.allSatisfy { $0.width <= 11 && $0.height <= 15 })
      #expect(vectors.allSatisfy { (0...320).contains($0.x) && (0...240).contains($0.y) })
    }
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time <= $1.time })

    var options = VideoOptions()
    options.onSizeChange = .fail
    let strict = try VideoSource.open(path, options: options)
    let error = try #require(throws: VideoError.self) { while try strict.next() != nil {} }
    #expect(error.code == .sizeChanged && strict.report.decoded == 25)
  }

  @Test(arguments: [("hevc", "libx265", "mp4"), ("vp9", "libvpx-vp9", "webm")])
  func codecsWithoutVectorsSaySo(codec: String, encoder: String, container: String) throws {
    let scratch = try Scratch()
    let path = scratch("clip.\(container)")
    try make("-f lavfi -i testsrc=s=64x48:d=0.4:r=25 -pix_fmt yuv420p -c:v \(encoder)", path)
    #expect(try frames(of: VideoSource.open(path)).count == 10)
    let error = try #require(throws: VideoError.self) {
      try VideoSource.open(path, options: VideoOptions(motionVectors: true))
    }
    #expect(error.code == .noMotionVectors)
    #expect(error.message.contains(codec) && error.message.contains("ffmpeg -i"))
  }

  @Test func vectorsOfBidirectionalFramesPointBothWays() throws {
    let scratch = try Scratch()
    try make(
      "-f lavfi -i testsrc2=s=320x240:d=1:r=25 -pix_fmt yuv420p -c:v libx264 -bf 3",
      scratch("b.mp4"))
    let source = try VideoSource.open(scratch("b.mp4"), options: VideoOptions(motionVectors: true))
    let frames = try frames(of: source)
    #expect(source.info.hasBidirectionalFrames && frames.count == 25)
    let vectors = frames.filter { $0.pictureType == .bidirectional }.flatMap {
      $0.motionVectors ?? []
    }
    #expect(vectors.contains { $0.source < 0 } && vectors.contains { $0.source > 0 })
    #expect(frames[0].motionVectors?.isEmpty ?? true)
  }

  @Test func varyingRatesKeepTheirTimesAndAreNoGaps() throws {
    let scratch = try Scratch()
    try make(
      "-f lavfi -i testsrc=s=64x48:d=4:r=25 -vf select='not(mod(n,3))+lt(n,30)' -vsync vfr "
        + "-pix_fmt yuv420p -c:v libx264 -bf 0", scratch("vfr.mp4"))
    let source = try VideoSource.open(scratch("vfr.mp4"))
    let frames = try frames(of: source)
    let expected = (0..<100).filter { $0 % 3 == 0 || $0 < 30 }.map { (n: Int) in Double(n) / 25 }
    #expect(frames.count == expected.count)
    #expect(zip(frames, expected).allSatisfy { abs($0.time - $1) < 1e-3 })
    #expect(source.report.gaps == 0 && !source.report.truncated)
  }

  @Test(arguments: [0, 1])
  func streamsThatArePutTogetherBreakAtTheSeam(second: Int) throws {
    let scratch = try Scratch()
    let inputs = ["testsrc2=s=64x48:r=25", "testsrc=s=64x48:r=25"]
    for (name, input) in zip(["a.ts", "b.ts"], inputs) {
      try make(
        "-f lavfi -i \(input) -frames:v 30 -c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p",
        scratch(name))
    }
    let parts = [try bytes(of: scratch("a.ts")), try bytes(of: scratch("b.ts"))]
    let source = try VideoSource.open(scratch.file("ab.ts", parts[0] + parts[second]))
    let frames = try frames(of: source)
    #expect(frames.count == 60 && source.report.isClean)
    #expect(frames.indices.filter { frames[$0].followsBreak } == [30])
    #expect(frames[30].streamBreak == .reset)
    #expect(abs(frames[59].time - frames[0].time - 59 * 0.04) < 1e-6)
  }

  // What is cropped at the left need not be aligned, and vectors count from what is cropped.
  @Test func croppingIsExactAndVectorsFollow() throws {
    let scratch = try Scratch()
    let clip = "-f lavfi -i testsrc2=s=96x64:r=25 -frames:v 8 -pix_fmt yuv420p -c:v libx264 -bf 0"
    try make(clip, scratch("whole.mp4"))
    try make(
      "\(clip) -bsf:v h264_metadata=crop_left=6:crop_top=4:crop_right=2", scratch("cropped.mp4"))
    let options = VideoOptions(motionVectors: true)
    let whole = try frames(of: VideoFile(scratch("whole.mp4"), options: options))
    let cropped = try frames(of: VideoFile(scratch("cropped.mp4"), options: options))
    for (one, other) in zip(whole, cropped) {
      #expect(other.pixels == one.pixels.cropped(x: 6, y: 4, width: 88, height: 60))
      #expect(
        other.motionVectors?.map { [Int($0.x), Int($0.y)] }
          == one.motionVectors?.map { [Int($0.x) - 6, Int($0.y) - 4] })
    }
  }

  @Test func framesBeforeTheFirstKeyFrameAreLeftOut() throws {
    let scratch = try Scratch()
    try make(
      "-f lavfi -i testsrc2=s=64x48:r=25 -frames:v 75 -c:v libx264 -g 25 -bf 0 -sc_threshold 0 "
        + "-pix_fmt yuv420p", scratch("whole.ts"))
    // Into the first group: the tables that begin the file, and what comes after its key frame.
    let whole = try bytes(of: scratch("whole.ts"))
    let cut = whole[..<(3 * 188)] + whole[(12 * 188)...]
    let source = try VideoSource.open(scratch.file("cut.ts", cut))
    let frames = try frames(of: source)
    #expect(frames.count == 50 && frames[0].pictureType == .intra && !frames[0].followsBreak)
    #expect(source.report.errors > 0 && !source.report.isClean)
  }

  @Test func aStreamWithoutTimesAndCountsIsReadToItsEnd() throws {
    let scratch = try Scratch()
    try make(
      "-f lavfi -i testsrc=s=64x48:d=1:r=25 -pix_fmt yuv420p -c:v libx264 -f h264",
      scratch("raw.h264"))
    let source = try VideoSource.open(scratch("raw.h264"))
    let frames = try frames(of: source)
    #expect(frames.count == 25 && source.info.claimedFrameCount == nil)
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(!source.report.truncated)
  }

  @Test func soundAloneIsNoVideo() throws {
    let scratch = try Scratch()
    try make("-f lavfi -i sine=d=0.5 -c:a aac", scratch("sound.mp4"))
    let error = try #require(throws: VideoError.self) { try VideoSource.open(scratch("sound.mp4")) }
    #expect(error.code == .noVideoStream)
  }

  private func make(_ arguments: String, _ path: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(ffmpeg))
    process.arguments =
      ["-v", "error", "-y"]
      + arguments.split(separator: " ").map(String.init) + [path]
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "ffmpeg could not make \(path)")
  }
}

private let ffmpeg = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}
