// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import TestSupport
import Testing
import Video

struct DAVISTests {
  private func made() throws -> MadeUpFolder {
    let made = try MadeUpFolder()
    for (sequence, count) in [("bear", 2), ("car-turn", 3)] {
      for index in 0..<count {
        try made.picture("JPEGImages/480p/\(sequence)/0000\(index).jpg")
        try made.labels("Annotations/480p/\(sequence)/0000\(index).png", [0, 255])
      }
    }
    return made
  }

  @Test func masksAreTwoClasses() throws {
    let folder = try made()
    let clip = try DAVIS(root: folder.path, sequences: ["car-turn"])
    #expect(clip.count == 3 && clip.labelledCount == 3 && clip.classes.count == 2)
    let sample = try clip.sample(at: 1)
    #expect(sample.frame.name == "car-turn_00001")
    #expect(sample.labels?.bytes.prefix(4) == [0, 1, 0, 1])
  }

  @Test func allSequencesFollowEachOther() throws {
    let folder = try made()
    let clip = try DAVIS(root: folder.path)
    let breaks = try (0..<5).map { try clip.frame(at: $0).followsBreak }
    #expect(breaks == [false, false, true, false, false])
    #expect(try DAVIS(root: folder.path, limit: 4).count == 4)
  }

  @Test func aMissingSequenceIsAnsweredWithTheOnesThereAre() throws {
    let folder = try made()
    let error = try #require(throws: DatasetError.self) {
      try DAVIS(root: folder.path, sequences: ["../bear"])
    }
    #expect(error.code == .missing && error.message.hasSuffix("there are bear, car-turn"))
    #expect(throws: DatasetError.self) { try DAVIS(root: folder.path + "/JPEGImages") }
  }

  @Test(.enabled(if: sharedData != nil, "shared data is not there"))
  func theRealOneIsRead() throws {
    let data = try #require(sharedData).appending(path: "davis").path
    let clip = try DAVIS(root: data, sequences: ["bmx-trees"])
    #expect(clip.count == 80 && clip.labelledCount == 80)
    let sample = try clip.sample(at: 40)
    #expect(sample.frame.pixels.size == PixelSize(width: 854, height: 480))
    #expect(Set(sample.labels?.bytes ?? []) == [0, 1])
  }
}

struct CityscapesTests {
  /// The ids that the authors' own scripts train on, in the order of the training ids.
  private static let trained: [UInt8] = [
    7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33,
  ]

  @Test func idsBecomeTrainingIDs() throws {
    let folder = try MadeUpFolder()
    try folder.picture("leftImg8bit/val/bonn/bonn_000001_000019_leftImg8bit.png")
    let truth = "gtFine/val/bonn/bonn_000001_000019_gtFine"
    try folder.labels("\(truth)_labelIds.png", Self.trained + [0, 6, 34 - 5])
    try folder.labels("\(truth)_labelTrainIds.png", [99])
    try folder.picture("\(truth)_color.png")
    let sample = try Cityscapes(root: folder.path).sample(at: 0)
    #expect(sample.frame.name == "bonn_000001_000019")
    #expect(sample.labels?.bytes.prefix(22) == ArraySlice(Array(0...18) + [255, 255, 255]))
  }

  @Test func trainingIDsAreTakenWhereThereAreNoOthers() throws {
    let folder = try MadeUpFolder()
    try folder.picture("leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png")
    try folder.labels("gtFine/train/ulm/ulm_000001_000019_gtFine_labelTrainIds.png", [18, 255])
    let clip = try Cityscapes(root: folder.path, split: "train")
    #expect(try clip.labels(at: 0)?.bytes.prefix(2) == [18, 255])
  }

  // By name: which class of CamVid's each of Cityscapes' becomes, in both kinds of label file.
  @Test func classesAreMergedIntoCamVids() throws {
    let merged = [
      "road": "Road", "sidewalk": "Pavement", "building": "Building", "wall": "Building",
      "fence": "Fence", "pole": "Pole", "traffic light": "Sign", "traffic sign": "Sign",
      "vegetation": "Tree", "terrain": "Tree", "sky": "Sky", "person": "Pedestrian",
      "rider": "Bicyclist", "car": "Car", "truck": "Car", "bus": "Car", "train": "Car",
      "motorcycle": "Bicyclist", "bicycle": "Bicyclist",
    ]
    let wanted = ClassList.cityscapes.names.map { merged[$0] ?? "" }
    let ids: [UInt8] = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    let kinds = [("labelIds", ids + [0]), ("labelTrainIds", Array(0...18) + [255])]
    for (kind, values) in kinds {
      let folder = try MadeUpFolder()
      try folder.picture("leftImg8bit/val/ulm/ulm_000001_000019_leftImg8bit.png")
      try folder.labels("gtFine/val/ulm/ulm_000001_000019_gtFine_\(kind).png", values)
      let clip = try Cityscapes(root: folder.path, labelling: .camvid)
      #expect(clip.classes == .camVid)
      let found = try #require(try clip.labels(at: 0)).bytes
      #expect(found.prefix(19).map { clip.classes.names[Int($0)] } == wanted)
      #expect(found[19] == 11)
      let others = try #require(try Cityscapes(root: folder.path).labels(at: 0)).bytes
      #expect(others.prefix(20) == ArraySlice(Array(0...18) + [255]))
    }
  }

  @Test func sequencesBeginAnewAndTheirFramesTellTheTime() throws {
    let folder = try MadeUpFolder()
    for name in ["ulm_000001_000000", "ulm_000001_000001", "ulm_000002_000000"] {
      try folder.picture("leftImg8bit_sequence/val/ulm/\(name)_leftImg8bit.png")
    }
    let clip = try Cityscapes(root: folder.path)
    let frames = try (0..<3).map { try clip.frame(at: $0) }
    #expect(frames.map(\.followsBreak) == [false, false, true])
    #expect(abs(frames[1].time - frames[0].time - 1.0 / 17) < 1e-9)
    #expect(clip.labelledCount == 0)
  }

  @Test func anIDThatStandsForNothingIsRefused() throws {
    let folder = try MadeUpFolder()
    try folder.picture("images/seq0/a_0_0_leftImg8bit.jpg")
    try folder.labels("labels/seq0/a_0_0_leftImg8bit.png", [7, 60])
    let clip = try Cityscapes(root: folder.path)
    let error = try #require(throws: DatasetError.self) { try clip.labels(at: 0) }
    #expect(error.code == .malformed)
    #expect(error.message.hasSuffix("label 60, which stands for nothing"))
  }

  @Test func aMissingSplitIsAnsweredWithTheOnesThereAre() throws {
    let folder = try MadeUpFolder()
    try folder.picture("leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png")
    let error = try #require(throws: DatasetError.self) {
      try Cityscapes(root: folder.path, split: "val")
    }
    #expect(error.code == .missing && error.message.hasSuffix("there are train"))
  }

  @Test(.enabled(if: sharedData != nil, "shared data is not there"))
  func realOnesAreRead() throws {
    let data = try #require(sharedData).appending(path: "cityscapes").path
    let clip = try Cityscapes(root: data)
    #expect(clip.count == 90 && clip.labelledCount == 90)
    #expect(try clip.frame(at: 30).followsBreak && !clip.frame(at: 31).followsBreak)
    let labels = try #require(try clip.labels(at: 45)).bytes
    let road = labels.count { $0 == 0 }
    #expect(labels.allSatisfy { $0 < 19 || $0 == 255 } && road > labels.count / 5)
  }
}

struct ImageFolderTests {
  @Test func labelsAreFoundByTheirNames() throws {
    let folder = try MadeUpFolder()
    for name in ["a10", "a9", "b"] { try folder.picture("images/\(name).jpg") }
    try folder.labels("labels/a10.png", [2])
    let clip = try ImageFolder(root: folder.path, split: "val")
    #expect(try (0..<3).map { try clip.frame(at: $0).name } == ["a9", "a10", "b"])
    #expect(try clip.labels(at: 0) == nil && clip.labels(at: 1)?[x: 0, y: 0] == 2)
    #expect(clip.labelledCount == 1 && clip.classes == .camVid)
  }

  @Test func aListChoosesAndPairs() throws {
    let folder = try MadeUpFolder()
    for name in ["x", "y", "z"] {
      try folder.picture("train/\(name).png")
      try folder.labels("trainannot/\(name).png", [5])
    }
    try folder.text(
      "val.txt",
      """
      /SegNet/CamVid/train/z.png /SegNet/CamVid/trainannot/x.png

      ./train/x.png\t
      """)
    let clip = try ImageFolder(root: folder.path, split: "val")
    #expect(clip.count == 2 && clip.labelledCount == 1)
    #expect(try clip.frame(at: 0).name == "z" && clip.labels(at: 0)?[x: 0, y: 0] == 5)
    #expect(try clip.frame(at: 1).name == "x" && clip.labels(at: 1) == nil)
  }

  @Test(arguments: ["../secret.png", "train/../../secret.png", "train/none.png", "/etc/passwd"])
  func aListLeadsNowhereElse(path: String) throws {
    let folder = try MadeUpFolder()
    try folder.picture("root/train/x.png")
    try folder.picture("secret.png")
    try folder.text("root/list.txt", path)
    let error = try #require(throws: DatasetError.self) {
      try ImageFolder(root: folder.path + "/root", list: "list.txt")
    }
    #expect(error.code == .malformed && error.message.hasSuffix("is there"))
  }

  @Test func aLineOfThreePathsIsRefused() throws {
    let folder = try MadeUpFolder()
    try folder.picture("train/x.png")
    try folder.text("list.txt", "train/x.png train/x.png train/x.png")
    let error = try #require(throws: DatasetError.self) {
      try ImageFolder(root: folder.path, list: "list.txt")
    }
    #expect(error.message.hasSuffix("is no pair of paths"))
  }

  @Test func classesCanBeNamed() throws {
    let folder = try MadeUpFolder()
    try folder.picture("images/x.png")
    try folder.labels("labels/x.png", [0, 1, 255])
    try folder.text("classes.txt", "land\nsea\n")
    let clip = try ImageFolder(root: folder.path, split: "val")
    #expect(clip.classes.names == ["land", "sea"] && clip.classes.void == 255)
    #expect(try clip.labels(at: 0)?.bytes.prefix(3) == [0, 1, 255])
    try folder.labels("labels/x.png", [2])
    let error = try #require(throws: DatasetError.self) { try clip.labels(at: 0) }
    #expect(error.message.contains("label 2, but"))
    try folder.text("classes.txt", "land\nland\n")
    #expect(throws: DatasetError.self) { try ImageFolder(root: folder.path, split: "val") }
  }

  @Test func foldersThatAreNotThereAreMissing() throws {
    let folder = try MadeUpFolder()
    let error = try #require(throws: DatasetError.self) {
      try ImageFolder(root: folder.path, split: "val")
    }
    #expect(error.code == .missing)
    try folder.picture("x.png")
    #expect(throws: DatasetError.self) {
      try ImageFolder(pictures: folder.path, labels: folder.path + "/none")
    }
  }

  @Test func aListOfNoTextIsRefused() throws {
    let folder = try MadeUpFolder()
    try folder.picture("list.txt.png")
    try FileManager.default.moveItem(
      atPath: folder.path + "/list.txt.png", toPath: folder.path + "/list.txt")
    let error = try #require(throws: DatasetError.self) {
      try ImageFolder(root: folder.path, list: "list.txt")
    }
    #expect(error.message.hasSuffix("is no UTF-8 text"))
  }
}
