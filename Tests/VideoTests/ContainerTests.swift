// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// What containers say of times and counts, and what is lost in them.
@Suite struct ContainerTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func number(_ bytes: [UInt8], at place: Int) -> Int {
    bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
  }

  private func big(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  // The movie's clock ticks a thousand times a second, the track's as often as its box says.
  @Test(arguments: [(0, 30), (10, 20), (0, 12), (25, 5)])
  func anEditListShowsFewerFrames(first: Int, count: Int) throws {
    try writeClip(to: scratch("clip.mp4"), frames: 30, keyInterval: 8)
    var clip = try bytes(of: scratch("clip.mp4"))
    let ticks = number(clip, at: try place(of: "mdhd", in: clip) + 16) / 25
    let list = try place(of: "elst", in: clip)
    let begin = number(clip, at: list + 16)
    clip.replaceSubrange(list + 12..<list + 16, with: big(count * 40))
    clip.replaceSubrange(list + 16..<list + 20, with: big(begin + first * ticks))
    let source = try VideoSource.open(scratch.file("edited.mp4", clip))
    let shown = try frames(of: source)
    let all = try frames(of: VideoSource.open(scratch("clip.mp4")))
    #expect(shown.count == count && source.info.claimedFrameCount == count)
    #expect(zip(shown, all[first...]).allSatisfy { $0.pixels == $1.pixels })
    #expect(source.report.isClean)
  }

  /// The first byte and the length of each sample, in the order of decoding; of one track, they lie
  /// one after the other.
  private func samples(_ clip: [UInt8]) throws -> [Range<Int>] {
    let (sizes, chunks) = (try place(of: "stsz", in: clip), try place(of: "stco", in: clip))
    var start = number(clip, at: chunks + 12)
    return (0..<number(clip, at: sizes + 12)).map { sample in
      defer { start += number(clip, at: sizes + 16 + 4 * sample) }
      return start..<start + number(clip, at: sizes + 16 + 4 * sample)
    }
  }

  @Test(arguments: [5, 6, 7, 8, 20])
  func aLostPictureBreaksTheStreamWhereItIsMissing(sample: Int) throws {
    try writeClip(to: scratch("clip.mp4"), frames: 40, keyInterval: 40)
    let whole = try frames(of: VideoSource.open(scratch("clip.mp4")))
    #expect(whole.contains { $0.pictureType == .bidirectional })
    var clip = try bytes(of: scratch("clip.mp4"))
    let range = try samples(clip)[sample]
    clip.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
    let source = try VideoSource.open(scratch.file("holed.mp4", clip))
    let rest = try frames(of: source)
    #expect(rest.count == 39 && source.report.damagedPackets == 1)
    let missing = try #require(
      whole.indices.first { rest.count == $0 || rest[$0].time != whole[$0].time })
    let breaks = rest.indices.filter { rest[$0].streamBreak != nil && !isConcealed(rest, $0) }
    #expect(breaks.contains(missing) || missing == rest.count)
    #expect(breaks.allSatisfy { $0 >= missing })
  }

  /// Pictures that rest on the lost one may be marked before it, where they are shown earlier.
  private func isConcealed(_ frames: [Frame], _ place: Int) -> Bool {
    frames[place].pictureType == .bidirectional && frames[place].streamBreak == .damage
      && place + 1 < frames.count && frames[place + 1].streamBreak == .damage
  }

  @Test func framesAreWrittenAtTheirOwnTimes() throws {
    let times = [5, 5.1, 5.2, 6.1, 6.3, 8.2]
    var options = VideoWriter.Options()
    options.isTimed = true
    let writer = try VideoWriter(
      to: scratch("vfr.mp4"), width: 32, height: 32, rate: FrameRate(30000, per: 1001),
      options: options)
    for (index, time) in times.enumerated() {
      try writer.add(noise(width: 32, height: 32, seed: UInt64(index)), at: time, lasting: 0.1)
    }
    try writer.finish()
    let source = try VideoSource.open(scratch("vfr.mp4"))
    let frames = try frames(of: source)
    #expect(frames.count == 6)
    #expect(zip(frames, times).allSatisfy { abs($0.time - $1 + 5) < 1e-3 }, "\(frames.map(\.time))")
    #expect(source.info.claimedDuration.map { abs($0 - 3.3) < 1e-3 } == true)
    #expect(frames.last?.duration.map { abs($0 - 0.1) < 1e-3 } == true, "\(frames.map(\.duration))")
  }

  @Test func equalTimesAndMissingOnesAreWrittenToo() throws {
    var options = VideoWriter.Options()
    options.isTimed = true
    let writer = try VideoWriter(
      to: scratch("odd.mp4"), width: 32, height: 32, rate: FrameRate(25), options: options)
    for time in [0, 0, nil, -3, .infinity, .nan] as [Double?] {
      try writer.add(noise(width: 32, height: 32), at: time, lasting: time)
    }
    try writer.finish()
    #expect(try frames(of: VideoSource.open(scratch("odd.mp4"))).count == 6)
  }

  @Test func timesAtTheNominalRateAreExact() throws {
    for rate in [FrameRate(25), FrameRate(30000, per: 1001), FrameRate(17)] {
      var options = VideoWriter.Options()
      options.isTimed = true
      let writer = try VideoWriter(
        to: scratch("even.mp4"), width: 32, height: 32, rate: rate, options: options)
      for index in 0..<13 {
        try writer.add(
          noise(width: 32, height: 32), at: Double(index) / rate.framesPerSecond)
      }
      try writer.finish()
      #expect(try VideoFile(scratch("even.mp4")).info.frameRate == rate)
    }
  }
}
