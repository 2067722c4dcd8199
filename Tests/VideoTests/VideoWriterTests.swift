// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct VideoWriterTests {
  private func contents(_ scratch: Scratch) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.path)
  }

  @Test(arguments: [
    FrameRate(25), FrameRate(30000, per: 1001), FrameRate(17), FrameRate(25, per: 2),
  ])
  func theRateStaysExactAndNoFrameIsLost(rate: FrameRate) throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 13, rate: rate)
    let source = try VideoSource.open(scratch("clip.mp4"))
    #expect(source.info.frameRate == rate && source.info.claimedFrameCount == 13)
    #expect(try frames(of: source).count == 13)
  }

  @Test func theIndexComesFirstSoThatTheVideoPlaysWhileItLoads() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 5)
    let text = String(decoding: try bytes(of: scratch("clip.mp4")), as: Unicode.ASCII.self)
    let index = try #require(text.range(of: "moov")).lowerBound
    let data = try #require(text.range(of: "mdat")).lowerBound
    #expect(index < data)
  }

  @Test func anAbandonedVideoLeavesNothing() throws {
    let scratch = try Scratch()
    var writer: VideoWriter? = try VideoWriter(
      to: scratch("clip.mp4"), width: 16, height: 16, rate: FrameRate(25))
    try writer?.add(noise(width: 16, height: 16))
    #expect(try contents(scratch).count == 1 && !contents(scratch).contains("clip.mp4"))
    writer = nil
    #expect(try contents(scratch).isEmpty)
  }

  @Test func aVideoWithoutFramesIsAnError() throws {
    let scratch = try Scratch()
    let writer = try VideoWriter(
      to: scratch("clip.mp4"), width: 16, height: 16, rate: FrameRate(25))
    #expect(throws: VideoError.self) { try writer.finish() }
    #expect(throws: VideoError.self) { try writer.add(noise(width: 16, height: 16)) }
    #expect(try contents(scratch).isEmpty)
  }

  @Test func anOldVideoStaysUntilTheNewOneIsWhole() throws {
    let scratch = try Scratch()
    let path = try scratch.file("clip.mp4", "old".utf8)
    let writer = try VideoWriter(to: path, width: 16, height: 16, rate: FrameRate(25))
    try writer.add(noise(width: 16, height: 16))
    #expect(try bytes(of: path) == Array("old".utf8))
    try writer.finish()
    #expect(try bytes(of: path).count > 500)
    #expect(try contents(scratch) == ["clip.mp4"])
  }

  @Test func unwritablePlacesAndUnknownPresetsAreTyped() throws {
    let scratch = try Scratch()
    let absent = try #require(throws: VideoError.self) {
      try VideoWriter(to: scratch("no/clip.mp4"), width: 16, height: 16, rate: FrameRate(25))
    }
    #expect(absent.code == .unwritable && absent.path == scratch("no/clip.mp4"))
    var options = VideoWriter.Options()
    options.preset = "sideways 100%"
    let preset = try #require(throws: VideoError.self) {
      try VideoWriter(
        to: scratch("clip.mp4"), width: 16, height: 16, rate: FrameRate(25), options: options)
    }
    #expect(preset.code == .unsupported && preset.message.contains("sideways 100%"))
    #expect(try contents(scratch).isEmpty)
  }

  private static let smallDisk = ProcessInfo.processInfo.environment["INBETWEEN_SMALL_DISK"]

  @Test(.enabled(if: smallDisk != nil, "INBETWEEN_SMALL_DISK names no file system below 1 MiB"))
  func aFullDiskIsAnErrorAndLeavesNothing() throws {
    let folder = try #require(Self.smallDisk)
    let video = try #require(throws: VideoError.self) {
      try writeClip(
        to: folder + "/clip.mp4", width: 320, height: 240, frames: 60, content: .noise)
    }
    #expect(video.code == .diskFull, "\(video)")
    let still = try #require(throws: VideoError.self) {
      try noise(width: 700, height: 700).writePNG(to: folder + "/still.png")
    }
    #expect(still.code == .diskFull, "\(still)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }
}
