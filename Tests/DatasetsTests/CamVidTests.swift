// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import TestSupport
import Testing
import Video

/// A folder laid out like CamVid, gone when the test ends.
private final class MadeUpCamVid {
  private let scratch: Scratch
  var root: URL { URL(filePath: scratch.path) }

  init(pictures: [String], labels: [String]? = nil, split: String = "val") throws {
    scratch = try Scratch()
    let picture = Image(width: 6, height: 4, channels: 3, repeating: 90)
    for (folder, names, image) in [
      (split, pictures, picture),
      (split + "annot", labels ?? pictures, Image(width: 6, height: 4, channels: 1, repeating: 3)),
    ] {
      let url = URL(filePath: scratch(folder))
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      for name in names { try image.writePNG(to: url.appending(path: "\(name).png").path) }
    }
  }
}

struct CamVidTests {
  @Test func samplesComeInOrderWithTheirLabels() throws {
    let made = try MadeUpCamVid(pictures: ["0016E5_07963", "0016E5_07959", "0016E5_07961"])
    let clip = try CamVid(root: made.root.path, split: "val")
    #expect(clip.count == 3)
    let samples = try (0..<3).map { try clip.sample(at: $0) }
    #expect(samples.map(\.frame.name) == ["0016E5_07959", "0016E5_07961", "0016E5_07963"])
    #expect(samples.allSatisfy { $0.labels?[x: 5, y: 3] == 3 })
    #expect(samples.map(\.frame.index) == [0, 1, 2])
  }

  @Test func namesTellTheTime() throws {
    let made = try MadeUpCamVid(pictures: ["0016E5_07959", "0016E5_07961"])
    let clip = try CamVid(root: made.root.path, split: "val")
    let (first, second) = (try clip.sample(at: 0).frame.time, try clip.sample(at: 1).frame.time)
    #expect(abs(second - first - 2.0 / 30) < 1e-9)
  }

  @Test func aNewSequenceBreaksTheStream() throws {
    let names = ["0001TP_006690", "0001TP_006720", "0006R0_f00930"]
    let made = try MadeUpCamVid(pictures: names)
    let clip = try CamVid(root: made.root.path, split: "val")
    #expect(try (0..<3).map { try clip.sample(at: $0).frame.followsBreak } == [false, false, true])
  }

  @Test func aPictureWithoutLabelsIsUnlabelled() throws {
    let made = try MadeUpCamVid(pictures: ["a_1", "a_2"], labels: ["a_2"])
    let clip = try CamVid(root: made.root.path, split: "val")
    #expect(try clip.sample(at: 0).labels == nil)
    #expect(try clip.sample(at: 1).labels != nil)
  }

  @Test func labelsOfAnotherSizeAreRefused() throws {
    let made = try MadeUpCamVid(pictures: ["a_1"])
    let small = Image(width: 3, height: 2, channels: 1, repeating: 0)
    try small.writePNG(to: made.root.appending(path: "valannot/a_1.png").path)
    let clip = try CamVid(root: made.root.path, split: "val")
    let error = try #require(throws: DatasetError.self) { try clip.sample(at: 0) }
    #expect(error.message == "a_1: labels of 3×2 for a picture of 6×4")
  }

  @Test func aMissingSplitIsAnsweredWithTheOnesThereAre() throws {
    let made = try MadeUpCamVid(pictures: ["a_1"])
    let error = try #require(throws: DatasetError.self) {
      try CamVid(root: made.root.path, split: "test")
    }
    #expect(error.code == .missing)
    #expect(error.message.hasSuffix("there are val"))
  }

  @Test func aFolderThatIsNotThereIsMissing() throws {
    let error = try #require(throws: DatasetError.self) {
      try CamVid(root: "/nowhere/at/all", split: "val")
    }
    #expect(error.message.contains("CamVid is train, trainannot, val"))
  }

  @Test func theFirstFramesCanBeTaken() throws {
    let made = try MadeUpCamVid(pictures: ["a_1", "a_2", "a_3"])
    #expect(try CamVid(root: made.root.path, split: "val", limit: 2).count == 2)
  }
}
