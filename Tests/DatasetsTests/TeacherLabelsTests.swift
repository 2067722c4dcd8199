// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import Synchronization
import TestSupport
import Testing
import Video

/// How often a teacher was asked.
private final class Count: Sendable {
  private let value = Mutex(0)
  func add() { value.withLock { $0 += 1 } }
  var total: Int { value.withLock { $0 } }
}

struct TeacherLabelsTests {
  private let clip = DrawnStills(
    count: 3, size: PixelSize(width: 24, height: 18), isLabelled: false)

  /// Calls bright pixels 4 and others 1.
  @Sendable private static func label(_ picture: Image) -> Image {
    let bytes = stride(from: 0, to: picture.bytes.count, by: 3).map {
      picture.bytes[$0] > 128 ? UInt8(4) : 1
    }
    return Image(width: picture.width, height: picture.height, channels: 1, bytes: bytes)
  }

  @Test func labelsAreWhatTheTeacherSaysOfTheFrame() throws {
    let taught = try TeacherLabels(of: clip, classes: .camVid) { Self.label($0) }
    for index in 0..<3 {
      let pixels = try clip.frame(at: index).pixels
      #expect(try taught.labels(at: index) == Self.label(pixels))
      #expect(try taught.frame(at: index).pixels == pixels)
    }
  }

  @Test func aKeptMapIsNotAskedForAgain() throws {
    let (scratch, asked) = (try Scratch(), Count())
    let cache = scratch("maps/deep")
    func teach() throws -> TeacherLabels {
      try TeacherLabels(of: clip, classes: .camVid, cache: cache) { picture in
        asked.add()
        return Self.label(picture)
      }
    }
    let first = try teach().labels(at: 2)
    #expect(try teach().labels(at: 2) == first && asked.total == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache).count == 1)
  }

  @Test func withoutAFolderAMapIsRememberedToo() throws {
    let asked = Count()
    let taught = try TeacherLabels(of: clip, classes: .camVid) { picture in
      asked.add()
      return Self.label(picture)
    }
    let first = try taught.labels(at: 2)
    #expect(try taught.sample(at: 2).labels == first && taught.labels(at: 1) != nil)
    #expect(asked.total == 2)
  }

  @Test func otherPixelsUnderTheSameNumberAreAskedFor() throws {
    let (scratch, asked) = (try Scratch(), Count())
    let labeller = { @Sendable (picture: Image) in
      asked.add()
      return Self.label(picture)
    }
    let others = DrawnStills(count: 3, size: PixelSize(width: 24, height: 17))
    for clip in [clip, others] {
      let taught = try TeacherLabels(
        of: clip, classes: .camVid, cache: scratch.path, labeller: labeller)
      #expect(try taught.labels(at: 0)?.size == clip.size)
    }
    #expect(asked.total == 2)
  }

  @Test func aDamagedMapIsMadeAgain() throws {
    let scratch = try Scratch()
    let taught = try TeacherLabels(of: clip, classes: .camVid, cache: scratch.path) {
      Self.label($0)
    }
    let first = try taught.labels(at: 0)
    let file = try #require(
      FileManager.default.contentsOfDirectory(atPath: scratch.path).first)
    _ = try scratch.file(file, try bytes(of: scratch(file)).prefix(40))
    #expect(try taught.labels(at: 0) == first)
    #expect(try Image.labels(contentsOf: scratch(file)) == first)
  }

  @Test func smallMapsAreScaledToTheFrame() throws {
    let taught = try TeacherLabels(of: clip, classes: .camVid) { _ in
      Image(width: 2, height: 1, channels: 1, bytes: [3, 11])
    }
    let labels = try #require(try taught.labels(at: 1))
    #expect(labels.size == clip.size)
    #expect(labels[x: 11, y: 17] == 3 && labels[x: 12, y: 0] == 11)
  }

  @Test func classesThatAreNoneAreRefused() throws {
    let taught = try TeacherLabels(of: clip, classes: .camVid) { picture in
      Image(width: picture.width, height: picture.height, channels: 1, repeating: 12)
    }
    let error = try #require(throws: DatasetError.self) { try taught.labels(at: 0) }
    #expect(
      error.message == "drawn, taught: the teacher: label 12, but camvid11 has 11 classes")
  }

  @Test func aCacheThatIsNoFolderIsRefused() throws {
    let scratch = try Scratch()
    let path = try scratch.file("maps", [1])
    let error = try #require(throws: DatasetError.self) {
      try TeacherLabels(of: clip, classes: .camVid, cache: path) { $0 }
    }
    #expect(error.code == .unwritable)
  }
}

struct VideoClipTests {
  private func folder() throws -> MadeUpFolder {
    let made = try MadeUpFolder()
    for index in 0..<7 { try made.picture("\(index).png", red: UInt8(30 * index)) }
    return made
  }

  @Test func framesComeInAnyOrder() throws {
    let made = try folder()
    let clip = try VideoClip(made.path)
    #expect(clip.count == 7)
    for index in [6, 0, 3] {
      let frame = clip.frame(at: index)
      #expect(frame.index == index && frame.pixels[x: 0, y: 0, channel: 2] == 30 * UInt8(index))
      #expect(clip.labels(at: index) == nil)
    }
  }

  @Test func someFramesCanBeTakenInAnotherSize() throws {
    let made = try folder()
    let clip = try VideoClip(
      made.path, every: 3, limit: 2, size: PixelSize(width: 3, height: 2))
    #expect((0..<clip.count).map { clip.frame(at: $0).pixels[x: 1, y: 1, channel: 2] } == [0, 90])
    #expect(clip.frame(at: 1).pixels.size == PixelSize(width: 3, height: 2))
    #expect(abs(clip.frame(at: 1).time - 3.0 / 25) < 1e-9)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let made = try folder()
    let error = try #require(throws: DatasetError.self) { try VideoClip(made.path, room: 150) }
    #expect(error.code == .tooLarge && error.message.contains("3 frames of 6×4 take more than"))
  }

  @Test func aVideoIsDecoded() throws {
    let scratch = try Scratch()
    let path = scratch("clip.mp4")
    let writer = try VideoWriter(to: path, width: 64, height: 48, rate: FrameRate(10))
    for shade in [20, 120, 220] as [UInt8] {
      try writer.add(Image(width: 64, height: 48, channels: 3, repeating: shade))
    }
    try writer.finish()
    let clip = try VideoClip(path)
    #expect(clip.count == 3 && clip.name == "clip.mp4")
    let shades = (0..<3).map { Int(clip.frame(at: $0).pixels[x: 30, y: 20, channel: 1]) }
    for (shade, wanted) in zip(shades, [20, 120, 220]) { #expect(abs(shade - wanted) < 8) }
  }
}
