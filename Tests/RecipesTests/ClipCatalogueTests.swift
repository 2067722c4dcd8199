// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import Recipes
import Specification
import TestSupport
import Testing
import Video

/// Data sets by name, in folders laid out for the purpose.
struct ClipCatalogueTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Writes a picture or a label map, and makes its folders.
  private func write(_ name: String, channels: Int = 3, value: UInt8 = 3) throws {
    let folder = URL(filePath: scratch(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Image(width: 32, height: 24, channels: channels, repeating: value)
      .writePNG(to: scratch(name))
  }

  @Test func aSequenceOrAllOfDAVISCanBeNamed() throws {
    for sequence in ["bear", "cow"] {
      try write("JPEGImages/480p/\(sequence)/0.png")
      try write("Annotations/480p/\(sequence)/0.png", channels: 1, value: 255)
    }
    #expect(try clip("davis:\(scratch.path)/").count == 2)
    let cow = try clip("davis:\(scratch.path)/cow")
    #expect(try cow.count == 1 && cow.frame(at: 0).name == "cow_0")
    let error = try #require(throws: DatasetError.self) { try clip("davis:\(scratch.path)/pig") }
    #expect(error.message.hasSuffix("there are bear, cow"))
  }

  @Test func aSplitOfCityscapesCanBeNamed() throws {
    try write("leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png")
    let request = ClipRequest(split: "val")
    let error = try #require(throws: DatasetError.self) {
      try clip("cityscapes:\(scratch.path)", request)
    }
    #expect(error.message == "no labels in \(scratch.path) for cityscapes/val")
    try write(
      "gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png", channels: 1, value: 7)
    #expect(try clip("cityscapes:\(scratch.path)", request).labels(at: 0)?[x: 0, y: 0] == 0)
    // Roads are CamVid's fourth class.
    let merged = try clip("cityscapes:\(scratch.path)/,classes=camvid", request)
    #expect(try merged.classes == .camVid && merged.labels(at: 0)?[x: 0, y: 0] == 3)
  }

  @Test func aFolderNeedsLabelsToBeMeasured() throws {
    try write("images/a.png")
    let error = try #require(throws: DatasetError.self) { try clip("folder:\(scratch.path)") }
    #expect(error.message == "no labels in \(scratch("labels"))")
    try write("labels/a.png", channels: 1)
    #expect(try clip("folder:\(scratch.path)").count == 1)
  }

  @Test func aFoldCanBeNamed() throws {
    for number in 0..<31 {
      let name = "a\(number < 10 ? "0" : "")\(number)"
      try write("images/\(name).png")
      try write("labels/\(name).png", channels: 1)
    }
    let request = ClipRequest(split: "val", limit: 29)
    let first = try clip("folder:\(scratch.path),fold=1/2", request)
    #expect(try first.count == 29 && first.frame(at: 28).name == "a28")
    let second = try clip("folder:\(scratch.path),fold=2/2", request)
    #expect(try second.count == 1 && second.frame(at: 0).name == "a30")
    #expect(second.name == first.name)
    for text in ["0/2", "3/2", "1", "1/2/3", "a/b", "1/101", "-1/2"] {
      let error = try #require(throws: SpecificationError.self) {
        try clip("folder:\(scratch.path),fold=\(text)", request)
      }
      #expect(error.message.contains("fold=\(text): K/N takes"), "\(error)")
    }
    let none = try #require(throws: DatasetError.self) {
      try clip("folder:\(scratch.path),fold=3/3", request)
    }
    #expect(none.message.contains("fold 3/3"))
  }

  @Test func stillsAreSetInMotion() throws {
    for name in ["a", "b"] {
      try write("images/\(name).png")
      try write("labels/\(name).png", channels: 1)
    }
    let reel = try clip("stills:\(scratch.path)", ClipRequest(limit: 25))
    #expect(reel.count == 25 && reel is any ClipWithMotion)
    #expect(try (0..<25).filter { try reel.frame(at: $0).followsBreak } == [10, 20])
    #expect(try reel.labels(at: 24)?.size == PixelSize(width: 32, height: 24))
  }

  @Test(arguments: ["davis", "cityscapes:", "folder", "stills:"])
  func aDataSetNeedsAFolder(name: String) throws {
    let error = try #require(throws: SpecificationError.self) { try clip(name) }
    #expect(error.message.contains("folder") || error.message.contains("nothing after its colon"))
  }
}
