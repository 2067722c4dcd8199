// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Foundation
internal import Specification
internal import Synthesis
internal import Video

extension Registries {
  mutating func registerDatasets() {
    registerRead()
    registerTracked()
    registerMade()
    datasets.register(
      "video", "the frames of a video or a folder of pictures, without labels",
      options: [.required("file", .path)], usage: "video:FILE"
    ) { options, _ in
      let file = options.text("file")
      var source = DataSource(path: file, isLabelled: false, pairing: .filmed) {
        try VideoClip(file, limit: $0.limit)
      }
      source.splits = []
      return source
    }
  }

  private mutating func registerRead() {
    registerFolder(
      "camvid", "CamVid as downloaded: train, trainannot, val, valannot, …", hasFolds: true
    ) { root, request in
      let clip = try CamVid(root: root, split: request.split, limit: request.limit)
      try require(clip.labelledCount, in: "\(root)/\(request.split)annot")
      return clip
    }
    registerCityscapes()
    registerFolder(
      "davis", "DAVIS 2016: a sequence with its masks, DIR/SEQUENCE, or all for davis:DIR",
      pairing: .filmed, splits: []
    ) { path, request in
      let clip = try davis(at: path, limit: request.limit)
      try require(clip.labelledCount, in: "\(path), in Annotations/480p")
      return clip
    }
    datasets.register(
      "rgbd", "an RGB-D run with poses, as 7-Scenes has it: frame-NUMBER.color.jpg, .depth.png, …",
      options: [.required("folder", .path)], usage: "rgbd:DIR"
    ) { options, _ in
      let folder = options.text("folder")
      var source = DataSource(path: folder, isLabelled: false, pairing: .filmed) {
        try RGBD(root: folder, limit: $0.limit)
      }
      .with(DepthMap.self) { request in
        let clip = try RGBD(root: folder, limit: request.limit)
        try require(clip.depthCount, in: "\(folder): no frame-NUMBER.depth.png")
        return clip.withDepth
      }
      source.splits = []
      return source
    }
    registerFolder(
      "folder", "images and labels of the same names, or the list SPLIT.txt", hasFolds: true
    ) {
      root, request in
      let clip = try ImageFolder(root: root, split: request.split, limit: request.limit)
      try require(clip.labelledCount, in: "\(root)/labels")
      return clip
    }
    registerFolder("stills", "stills of CamVid's or a folder's set in motion, ten frames each") {
      try stillsInMotion(in: $0, $1)
    }
  }

  /// Sequences with boxes: none of them has label maps.
  private mutating func registerTracked() {
    registerBoxes("mot", "a sequence of MOTChallenge: seqinfo.ini, img1, gt/gt.txt") {
      try BoxClip.motChallenge(root: $0)
    }
    registerBoxes("otb", "a sequence of OTB: img and groundtruth_rect.txt") {
      try BoxClip.otb(root: $0)
    }
    registerBoxes("davis-boxes", "the boxes around DAVIS' masks: DIR/SEQUENCE") { path in
      let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      return try BoxClip.davis(
        root: parts.count > 1 ? parts.dropLast().joined(separator: "/") : ".",
        sequence: parts.last ?? "")
    }
    datasets.register(
      "coco-video", "a video with boxes in a COCO-style file, its pictures in a folder",
      options: [
        .required("annotations", .path), .required("images", .path),
        .optional("video", .integer(0...1_000_000), standard: 0, positional: false),
      ], usage: "coco-video:FILE,DIR"
    ) { options, _ in
      let (file, images) = (options.text("annotations"), options.text("images"))
      let place = options.integer("video")
      return boxSource(file) {
        let videos = try COCOVideos(annotations: file, images: images)
        guard place < videos.names.count else {
          throw DatasetError(.missing, "\(file) has \(videos.names.count) videos, no \(place)")
        }
        return videos.clip(at: place)
      }
    }
  }

  private mutating func registerCityscapes() {
    let labellings = Cityscapes.Labelling.allCases.map(\.rawValue)
    datasets.register(
      "cityscapes",
      "Cityscapes: leftImg8bit and gtFine, or images and labels; classes=camvid: CamVid's",
      options: [
        .required("folder", .path),
        .optional("classes", .choice(labellings), standard: .text("cityscapes"), positional: false),
      ], usage: "cityscapes:DIR"
    ) { options, _ in
      let root = options.text("folder").withoutLastSlash
      let labelling = Cityscapes.Labelling(rawValue: options.text("classes")) ?? .cityscapes
      return DataSource(path: root, pairing: .filmed) { request in
        let clip = try Cityscapes(
          root: root, split: request.split, limit: request.limit, labelling: labelling)
        try require(clip.labelledCount, in: "\(root) for \(clip.name)")
        return clip
      }
    }
  }

  private mutating func registerBoxes(
    _ kind: String, _ summary: String,
    open: @escaping @Sendable (String) throws -> BoxClip
  ) {
    datasets.register(
      kind, summary, options: [.required("folder", .path)], usage: "\(kind):DIR"
    ) { options, _ in
      let folder = options.text("folder")
      return boxSource(folder) { try open(folder) }
    }
  }

  private mutating func registerFolder(
    _ kind: String, _ summary: String, pairing: DataSource.Pairing = .setInMotion,
    splits: [String]? = nil, hasFolds: Bool = false,
    open: @escaping @Sendable (String, ClipRequest) throws -> any LabelledClip
  ) {
    datasets.register(
      kind, summary,
      options: [.required("folder", .path)]
        + (hasFolds ? [.optional("fold", .text, positional: false)] : []),
      usage: "\(kind):DIR"
    ) { options, _ in
      let folder = options.text("folder").withoutLastSlash
      let fold = try (hasFolds ? options.textIfGiven("fold") : nil).map { text in
        guard let fold = Fold(text) else {
          throw SpecificationError(
            .badValue, "fold=\(text): K/N takes the K-th of N parts, as fold=1/2")
        }
        return fold
      }
      var source = DataSource(path: folder, pairing: pairing) { request in
        guard let fold else { return try open(folder, request) }
        var whole = request
        whole.limit = nil
        return try FoldedClip(open(folder, whole), fold: fold, limit: request.limit)
      }
      source.splits = splits
      return source
    }
  }

  private mutating func registerMade() {
    let seed = OptionSpec.required("seed", .integer(0...Int.max))
    datasets.register(
      "street", "MovingStreet: rendered driving, with exact labels, depth, boxes and motion",
      options: [seed]
    ) { options, _ in
      let seed = UInt64(options.integer("seed"))
      var source = DataSource { street(seed, $0, usually: 100) }
        .with(DepthMap.self) { street(seed, $0, usually: 100).withDepth }
        .with([GroundTruthBox].self) { street(seed, $0, usually: 100).withBoxes }
      (source.streetSeed, source.splits) = (seed, [])
      return source
    }
    datasets.register(
      "streets", "stills of many MovingStreets to train on; its val split is a run", options: [seed]
    ) { options, _ in
      let seed = UInt64(options.integer("seed"))
      var source = DataSource(pairing: .rendered(seed: seed)) { request in
        guard request.split == "train" else { return street(seed, request, usually: 40) }
        return StreetPool(seed: seed, count: request.limit ?? 400, threads: request.threads)
      }
      source.splits = ["train", "val"]
      return source
    }
  }
}

/// Pictures with boxes, and without label maps.
private func boxSource(
  _ path: String, _ open: @escaping @Sendable () throws -> BoxClip
) -> DataSource {
  var source = DataSource(path: path, isLabelled: false, pairing: .filmed) {
    UnlabelledClip(clip: try open().first($0.limit))
  }
  .with([GroundTruthBox].self) { try open().first($0.limit) }
  source.splits = []
  return source
}

/// The pictures of a clip with other ground truth.
private struct UnlabelledClip: LabelledClip {
  let clip: BoxClip
  let classes = ClassList(name: "none", names: [], void: nil)

  var name: String { clip.name }
  var count: Int { clip.count }
  var files: [String] { clip.files }
  var warnings: [String] { clip.warnings }
  func frame(at index: Int) throws -> Frame { try clip.frame(at: index) }
  func labels(at _: Int) -> Image? { nil }
}

private func street(_ seed: UInt64, _ request: ClipRequest, usually count: Int) -> StreetClip {
  StreetClip(seed: seed, count: request.limit ?? count, threads: request.threads)
}

private func require(_ labelledCount: Int, in place: String) throws(DatasetError) {
  guard labelledCount > 0 else { throw DatasetError(.missing, "no labels in \(place)") }
}

extension String {
  /// A folder's path without the slash that a shell's completion puts behind it.
  fileprivate var withoutLastSlash: String {
    count > 1 && hasSuffix("/") ? String(dropLast()) : self
  }
}

private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

/// All sequences where the path is that of the data set, else the one that its last part names.
private func davis(at path: String, limit: Int?) throws(DatasetError) -> DAVIS {
  if isFolder("\(path)/JPEGImages") { return try DAVIS(root: path, limit: limit) }
  let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
  let root = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
  return try DAVIS(
    root: root.isEmpty ? "/" : root, sequences: Array(parts.suffix(1)), limit: limit)
}

/// Of CamVid's split where the folder has one, else of a folder of pictures.
///
/// To train on, each still gives two frames; else clips are of ten.
private func stillsInMotion(in root: String, _ request: ClipRequest) throws -> StillReel {
  let stills = try StillsInMotion(in: root, split: request.split)
  if request.split == "train" {
    return StillReel(
      of: stills, count: request.limit ?? 2 * stills.stillCount, length: 2, gap: 5)
  }
  return StillReel(of: stills, count: request.limit ?? 100)
}

extension StillsInMotion {
  fileprivate init(in root: String, split: String) throws {
    if isFolder("\(root)/\(split)") {
      let stills = try CamVid(root: root, split: split)
      try require(stills.labelledCount, in: "\(root)/\(split)annot")
      self.init(stills: stills, seed: 0)
    } else {
      let stills = try ImageFolder(root: root, split: split)
      try require(stills.labelledCount, in: "\(root)/labels")
      self.init(stills: stills, seed: 0)
    }
  }
}
