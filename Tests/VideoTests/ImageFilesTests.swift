// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct ImageFilesTests {
  private func folder(_ names: [String]) throws -> Scratch {
    let scratch = try Scratch()
    for (index, name) in names.enumerated() {
      try noise(width: 6, height: 4, seed: UInt64(index)).writePNG(to: scratch(name))
    }
    return scratch
  }

  @Test func picturesComeInNaturalOrder() throws {
    let scratch = try folder(["img10.png", "img2.png", "img1.png", "IMG3.PNG", ".img0.png"])
    _ = try scratch.file("notes.txt", "no picture".utf8)
    let source = try VideoSource.open(scratch.path)
    let frames = try frames(of: source)
    #expect(frames.map(\.name) == ["IMG3", "img1", "img2", "img10"])
    #expect(frames.map(\.index) == [0, 1, 2, 3])
    #expect(frames.map(\.time) == [0, 0.04, 0.08, 0.12])
    #expect(frames[1].pixels == noise(width: 6, height: 4, seed: 2))
    #expect(source.info.codec == "png" && source.report.claimed == 4)
  }

  @Test(arguments: [
    ("a1 a2 a3 a5 a6", "...|."), ("a07 a09 a11 a13", "...."), ("a1 a3 a5 a9 a11", "...|."),
    ("a1 a2 a3 b1 b2", "...|."), ("x y z", "..."), ("a1", "."),
  ])
  func gapsInTheNumbersAreMarked(names: String, expected: String) throws {
    let scratch = try folder(names.split(separator: " ").map { $0 + ".png" })
    let source = try VideoSource.open(scratch.path)
    let drawing = try frames(of: source).map { $0.followsBreak ? "|" : "." }.joined()
    #expect(drawing == expected)
    #expect(source.report.breaks.values.reduce(0, +) == expected.filter { $0 == "|" }.count)
  }

  @Test func aPatternChoosesPictures() throws {
    let scratch = try folder(["a1.png", "a2.png", "b1.png"])
    #expect(try frames(of: VideoSource.open(scratch("a*.png"))).map(\.name) == ["a1", "a2"])
    #expect(try frames(of: VideoSource.open(scratch("b1.png"))).map(\.name) == ["b1"])
  }

  @Test func aBrokenPictureIsLeftOutCountedAndMarked() throws {
    let scratch = try folder(["a1.png", "a2.png", "a3.png", "a4.png"])
    _ = try scratch.file("a1.png", "broken".utf8)
    _ = try scratch.file("a3.png", bytes(of: scratch("a3.png")).dropLast(30))
    let source = try VideoSource.open(scratch.path)
    let frames = try frames(of: source)
    #expect(frames.map(\.name) == ["a2", "a4"] && frames.map(\.index) == [0, 1])
    #expect(frames.map(\.followsBreak) == [true, true])
    #expect(source.report.damagedPackets == 2 && source.report.decoded == 2)

    var options = VideoOptions()
    options.onDamage = .fail
    let error = try #require(throws: VideoError.self) {
      try VideoSource.open(scratch.path, options: options)
    }
    #expect(error.code == .notMedia && error.path == scratch("a1.png"))
  }

  @Test func otherSizesAreScaledToTheFirstOrRefused() throws {
    let scratch = try folder(["a1.png", "a2.png"])
    try smooth(width: 40, height: 30).writePNG(to: scratch("a2.png"))
    let source = try VideoSource.open(scratch.path)
    let frames = try frames(of: source)
    #expect(frames.allSatisfy { ($0.pixels.width, $0.pixels.height) == (6, 4) })
    #expect(frames[1].followsBreak && source.report.sizeChanges == 1)

    var options = VideoOptions()
    options.onSizeChange = .fail
    let strict = try VideoSource.open(scratch.path, options: options)
    _ = try strict.next()
    let error = try #require(throws: VideoError.self) { try strict.next() }
    #expect(error.code == .sizeChanged)
    #expect(try strict.next() == nil)
  }
}
