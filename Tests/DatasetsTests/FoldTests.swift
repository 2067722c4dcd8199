// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Testing
import Video

/// Frames whose pictures and labels hold their number, and whose motion holds those of its two; the
/// stream breaks at some.
private struct Numbered: LabelledClip, MotionProvider {
  let name = "numbered"
  let classes = ClassList.camVid
  let count: Int
  var breaks: Set<Int> = []
  var isStored = true
  var groundTruthMotion: (any MotionProvider)? { isStored ? self : nil }

  func motion(from current: Int, to reference: Int) -> MotionField {
    MotionField(width: 1, height: 1, displacements: [Float(current), Float(reference)])
  }

  private func picture(_ index: Int, channels: Int) -> Image {
    Image(width: 2, height: 1, channels: channels) { bytes in
      for place in bytes.indices { bytes[place] = UInt8(index) }
    }
  }

  func frame(at index: Int) -> Frame {
    Frame(
      index: index, time: Double(index) / 10, pixels: picture(index, channels: 3),
      streamBreak: breaks.contains(index) ? .sequence : nil, name: "\(index)")
  }

  func labels(at index: Int) -> Image? {
    index % 7 == 0 ? nil : picture(index, channels: 1)
  }
}

struct FoldTests {
  // 100 frames are blocks of 30, 30, 30 and 10: written out by hand.
  @Test func foldsAreBlocksThatTakeTurns() throws {
    let clip = Numbered(count: 100)
    func names(_ number: Int, of count: Int) throws -> [Int] {
      let fold = try FoldedClip(clip, fold: Fold(number, of: count))
      return try (0..<fold.count).map { try #require(Int(fold.frame(at: $0).name ?? "")) }
    }
    #expect(try names(1, of: 2) == Array(0..<30) + Array(60..<90))
    #expect(try names(2, of: 2) == Array(30..<60) + Array(90..<100))
    #expect(try names(3, of: 3) == Array(60..<90))
    #expect(try names(1, of: 1) == Array(0..<100))
  }

  @Test func motionIsThatBetweenTheFramesOfTheWholeClip() throws {
    let fold = try FoldedClip(Numbered(count: 100), fold: Fold(2, of: 2))
    let motion = try #require(fold.groundTruthMotion).motion(from: 31, to: 2)
    #expect(motion[x: 0, y: 0] == (91, 32) && fold.isStored)
    let other = try FoldedClip(Numbered(count: 100, isStored: false), fold: Fold(2, of: 2))
    #expect(other.groundTruthMotion == nil && !other.isStored)
  }

  @Test func framesKeepTheirLabelsAndBlocksBeginAnew() throws {
    let clip = Numbered(count: 100, breaks: [5, 60])
    let fold = try FoldedClip(clip, fold: Fold(1, of: 2))
    for (index, place) in (Array(0..<30) + Array(60..<90)).enumerated() {
      let frame = try fold.frame(at: index)
      #expect(frame.index == index && frame.time == Double(place) / 10)
      #expect(frame.pixels[x: 0, y: 0] == UInt8(place))
      #expect(try fold.labels(at: index)?[x: 1, y: 0] == (place % 7 == 0 ? nil : UInt8(place)))
      #expect(frame.streamBreak == ([5, 60].contains(place) ? .sequence : nil))
    }
    let other = try FoldedClip(clip, fold: Fold(2, of: 2))
    let breaks = try (0..<other.count).filter { try other.frame(at: $0).streamBreak == .gap }
    #expect(breaks == [30])
    #expect(fold.name == clip.name && fold.classes == clip.classes)
  }

  @Test(arguments: ["", "1", "0/2", "3/2", "1/0", "1/2/2", "x/2", "1/101", "-1/2", " 1/2"])
  func whatIsNoFoldIsNone(text: String) {
    #expect(Fold(text) == nil)
  }

  @Test func aFoldIsWrittenAsItIsRead() {
    #expect(Fold("2/3") == Fold(2, of: 3) && Fold(2, of: 3).description == "2/3")
  }

  @Test func aFoldWithoutFramesIsRefused() throws {
    let error = try #require(throws: DatasetError.self) {
      try FoldedClip(Numbered(count: 30), fold: Fold(2, of: 2))
    }
    #expect(error.code == .missing)
  }
}
