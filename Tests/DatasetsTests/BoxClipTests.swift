// SPDX-License-Identifier: Apache-2.0
import Datasets
import Foundation
import TestSupport
import Testing
import Video

@Suite struct BoxClipTests {
  /// A folder with pictures and texts, removed afterwards.
  private func inFolder(
    _ files: [String: String], pictures: [String], _ body: (String) throws -> Void
  ) throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "boxes-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    func folder(of name: String) throws {
      try FileManager.default.createDirectory(
        at: root.appending(path: name).deletingLastPathComponent(),
        withIntermediateDirectories: true)
    }
    for (name, text) in files {
      try folder(of: name)
      try Data(text.utf8).write(to: root.appending(path: name))
    }
    let picture = Image(width: 8, height: 6, channels: 3, repeating: 9)
    for name in pictures {
      try folder(of: name)
      try picture.writePNG(to: root.appending(path: name).path)
    }
    try body(root.path)
  }

  private let mot = [
    "seqinfo.ini":
      "[Sequence]\r\nname=TEST-01\r\nimDir=img1\r\nframeRate=10\r\nseqLength=2\r\nimExt=.png\r\n",
    "gt/gt.txt":
      "1,7,1,1,10,20,1,1,0.5\n2, 7, 2.5, 1, 10, 20, 1, 1, 1\n"
      + "2,8,5,5,3,3,0,1,1\n2,9,5,5,3,3,1,8,1\n",
    "det/det.txt": "1,-1,4,5,6,7,0.9\n2,-1,1,1,2,2,-3.5,-1,-1,-1\n",
  ]
  private let motPictures = ["img1/000001.png", "img1/000002.png"]

  @Test func motChallengeCountsFromOneAndSaysWhatCounts() throws {
    try inFolder(mot, pictures: motPictures) { root in
      let clip = try BoxClip.motChallenge(root: root)
      #expect(clip.name == "mot/TEST-01")
      #expect(clip.count == 2)
      #expect(try clip.frame(at: 1).time == 0.1)
      #expect(
        try clip.target(at: 0) == [
          GroundTruthBox(
            box: BoundingBox(x: 0, y: 0, width: 10, height: 20), category: 0, identity: 7)
        ])
      let second = try #require(try clip.target(at: 1))
      #expect(second.map(\.isIgnored) == [false, true, true])
      #expect(second.map(\.category) == [0, 0, 7])
      let found = try BoxClip.motDetections(root: root, frames: 2)
      #expect(
        found[0] == [
          Detection(
            box: BoundingBox(x: 3, y: 4, width: 6, height: 7), category: 0, score: 0.9)
        ])
      #expect(found[1].map(\.score) == [-3.5])
    }
  }

  @Test(arguments: [
    ("gt/gt.txt", "3,1,1,1,2,2,1,1,1", "frame 3.0 of 2"),
    ("gt/gt.txt", "1,x,1,1,2,2", "must begin with 6 numbers"),
    ("gt/gt.txt", "1,1,1,1,2,2,1,99,1", "no class"),
    ("gt/gt.txt", "1,1.5,1,1,2,2,1,1,1", "no identity"),
    ("gt/gt.txt", "1,1,inf,1,2,2,1,1,1", "must begin with 6 numbers"),
    ("seqinfo.ini", "imDir=../elsewhere", "must be a folder's name"),
    ("seqinfo.ini", "seqLength=5", "says 5 pictures"),
    ("seqinfo.ini", "frameRate=0", "above 0"),
  ])
  func badFilesAreSaidInOneSentence(file: String, text: String, part: String) throws {
    var files = mot
    files[file] = text
    try inFolder(files, pictures: motPictures) { root in
      let error = #expect(throws: DatasetError.self) { try BoxClip.motChallenge(root: root) }
      #expect(error?.message.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test(arguments: ["1,2,3,4\n5,6,7,8\n", "1\t2\t3\t4\n5\t6\t7\t8", "1 2 3 4\r\n5 6  7 8\r\n"])
  func otbTakesCommasTabsAndBlanks(text: String) throws {
    try inFolder(
      ["groundtruth_rect.txt": text], pictures: ["img/0001.png", "img/0002.png", "img/0003.png"]
    ) { root in
      let clip = try BoxClip.otb(root: root)
      #expect(
        try clip.target(at: 1)?.map(\.box) == [BoundingBox(x: 5, y: 6, width: 7, height: 8)])
      #expect(try clip.target(at: 2) == nil)
    }
  }

  @Test func otbMayNotSeeItsObject() throws {
    try inFolder(
      ["groundtruth_rect.txt": "NaN,NaN,NaN,NaN\n0,0,0,0\n"],
      pictures: ["img/1.png", "img/2.png"]
    ) { root in
      let clip = try BoxClip.otb(root: root)
      #expect(try clip.target(at: 0) == [])
      #expect(try clip.target(at: 1) == [])
    }
    try inFolder(["groundtruth_rect.txt": "1,2,3,4\n1,2,3,4"], pictures: ["img/1.png"]) { root in
      #expect(throws: DatasetError.self) { try BoxClip.otb(root: root) }
    }
  }

  @Test func masksBecomeTheBoxesAroundTheirObjects() {
    var bytes = [UInt8](repeating: 0, count: 8 * 6)
    for (x, y, value) in [(2, 1, 5), (4, 3, 5), (3, 5, 5), (7, 0, 2)] {
      bytes[y * 8 + x] = UInt8(value)
    }
    let boxes = Image(width: 8, height: 6, channels: 1, bytes: bytes).objectBoxes()
    #expect(boxes.map(\.identity) == [2, 5])
    #expect(boxes[0].box == BoundingBox(x: 7, y: 0, width: 1, height: 1))
    #expect(boxes[1].box == BoundingBox(x: 2, y: 1, width: 3, height: 5))
    #expect(boxes.map { $0.mask?.area } == [1, 3] && boxes[1].mask?.covers(3, 5) == true)
  }

  /// Masks as text and as numbers are read, and a polygon where the picture's size is known.
  @Test func cocoMasksAreRead() throws {
    let size = PixelSize(width: 6, height: 4)
    let mask = ObjectMask(size: size, left: 1, top: 1, width: 2, cells: [1, 1, 0, 1])
    let forms = [
      "{\"size\": [4, 6], \"counts\": \"\(mask.compressedRuns)\"}",
      "{\"size\": [4, 6], \"counts\": [5, 1, 3, 2, 13]}", "[[1, 1, 3, 1, 3, 3]]",
    ]
    for (index, form) in forms.enumerated() {
      let text = coco.replacing(
        "\"track_id\": 6", with: "\"track_id\": 6, \"segmentation\": \(form)")
      try inFolder(["boxes.json": text], pictures: ["a.png", "b.png"]) { root in
        let videos = try COCOVideos(annotations: root + "/boxes.json", images: root)
        let truth = try #require(try videos.clip(at: 0).target(at: 1)?.first)
        #expect(truth.mask == (index < 2 ? mask : nil) && truth.identity == 6)
      }
    }
    let text = coco.replacing(
      "\"track_id\": 6", with: "\"track_id\": 6, \"segmentation\": \(forms[2])"
    )
    .replacing("\"id\": 31,", with: "\"id\": 31, \"width\": 6, \"height\": 4,")
    try inFolder(["boxes.json": text], pictures: ["a.png", "b.png"]) { root in
      let videos = try COCOVideos(annotations: root + "/boxes.json", images: root)
      let truth = try #require(try videos.clip(at: 0).target(at: 1)?.first)
      #expect(truth.mask == ObjectMask(polygons: [[1, 1, 3, 1, 3, 3]], size: size))
      #expect(truth.mask?.isEmpty == false)
    }
  }

  @Test func cocoKeyPointsAreRead() throws {
    let text = coco.replacing(
      "\"track_id\": 6",
      with: "\"area\": 7.5, \"num_keypoints\": 2, \"keypoints\": [1.5, 2, 2, 3, 4, 1, 0, 0, 0]")
    try inFolder(["boxes.json": text], pictures: ["a.png", "b.png"]) { root in
      let videos = try COCOVideos(annotations: root + "/boxes.json", images: root)
      let truth = try #require(try videos.clip(at: 0).target(at: 1)?.first)
      #expect(truth.area == 7.5)
      #expect(truth.points.map(\.x) == [1.5, 3, 0] && truth.points.map(\.y) == [2, 4, 0])
      #expect(truth.points.map { $0.confidence > 0 } == [true, true, false])
    }
  }

  private let coco = """
    {"videos": [{"id": 4, "name": "street"}],
     "images": [{"id": 31, "file_name": "b.png", "video_id": 4, "frame_index": 1},
                {"id": 30, "file_name": "a.png", "video_id": 4, "frame_index": 0}],
     "annotations":
       [{"id": 1, "image_id": 31, "category_id": 9, "bbox": [1, 2, 3, 4], "track_id": 6},
        {"id": 2, "image_id": 31, "category_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 1}],
     "categories": [{"id": 3, "name": "person"}, {"id": 9, "name": "car"}]}
    """

  @Test func cocoVideosAreInTheOrderOfTheirFrames() throws {
    try inFolder(["boxes.json": coco], pictures: ["a.png", "b.png"]) { root in
      let videos = try COCOVideos(annotations: root + "/boxes.json", images: root)
      #expect(videos.names == ["street"])
      #expect(videos.classes.names == ["person", "car"])
      #expect(videos.categoryIDs == [3, 9])
      #expect(videos.imageIDs(at: 0) == [30, 31])
      let clip = videos.clip(at: 0)
      #expect(try clip.frame(at: 0).name == "a")
      #expect(try clip.target(at: 0) == [])
      #expect(
        try clip.target(at: 1) == [
          GroundTruthBox(
            box: BoundingBox(x: 1, y: 2, width: 3, height: 4), category: 1, identity: 6),
          GroundTruthBox(
            box: BoundingBox(x: 0, y: 0, width: 5, height: 5), category: 0, isIgnored: true),
        ])
    }
  }

  @Test(arguments: [
    ("\"a.png\"", "\"../a.png\""), ("\"a.png\"", "\"/etc/passwd\""),
    ("\"image_id\": 31, \"category_id\": 9", "\"image_id\": 5, \"category_id\": 9"),
    ("[1, 2, 3, 4]", "[1, 2, 3]"), ("\"id\": 30", "\"id\": 31"), ("\"videos\"", "videos"),
  ])
  func badCOCOFilesAreRefused(part: String, bad: String) throws {
    let text = coco.replacingOccurrences(of: part, with: bad)
    #expect(text != coco)
    try inFolder(["boxes.json": text], pictures: []) { root in
      let error = #expect(throws: DatasetError.self) {
        try COCOVideos(annotations: root + "/boxes.json", images: root)
      }
      #expect(error?.code == .malformed)
    }
  }
}
