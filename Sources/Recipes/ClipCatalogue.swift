// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Foundation
internal import Synthesis

/// What a data set is asked for.
public struct ClipRequest: Sendable {
  public var split: String
  /// The first so many frames; all, or a hundred of an endless clip, where nil.
  public var limit: Int?
  public var threads: Int

  public init(split: String = "val", limit: Int? = nil, threads: Int = 1) {
    (self.split, self.limit, self.threads) = (split, limit, threads)
  }
}

/// Makes a clip of what is asked for.
public typealias ClipMaker = @Sendable (ClipRequest) throws -> any LabelledClip

extension [Card<ClipMaker>] {
  /// The data sets this package reads or renders; Docs/Guides/Data-sets.md shows their folders.
  public static let clips: Self = [
    Card("camvid", setting: "DIR", "CamVid as downloaded: train, trainannot, val, valannot, …") {
      let root = try folder($0)
      return { request in
        let clip = try CamVid(root: root, split: request.split, limit: request.limit)
        try require(clip.labelledCount, in: "\(root)/\(request.split)annot")
        return clip
      }
    },
    Card("cityscapes", setting: "DIR", "Cityscapes: leftImg8bit and gtFine, or images and labels") {
      let root = try folder($0)
      return { request in
        let clip = try Cityscapes(root: root, split: request.split, limit: request.limit)
        try require(clip.labelledCount, in: "\(root) for \(clip.name)")
        return clip
      }
    },
    Card(
      "davis", setting: "DIR/SEQUENCE",
      "DAVIS 2016: a sequence with its masks, or all for davis:DIR"
    ) {
      let path = try folder($0)
      return { request in
        let clip = try davis(at: path, limit: request.limit)
        try require(clip.labelledCount, in: "\(path), in Annotations/480p")
        return clip
      }
    },
    Card("folder", setting: "DIR", "images and labels of the same names, or the list SPLIT.txt") {
      let root = try folder($0)
      return { request in
        let clip = try ImageFolder(root: root, split: request.split, limit: request.limit)
        try require(clip.labelledCount, in: "\(root)/labels")
        return clip
      }
    },
    Card(
      "stills", setting: "DIR", "stills of CamVid's or a folder's set in motion, ten frames each"
    ) {
      let root = try folder($0)
      return { try stillsInMotion(in: root, $0) }
    },
    Card("street", setting: "SEED", "MovingStreet: rendered driving, with exact labels and motion")
    {
      guard let seed = $0.flatMap({ UInt64($0) }) else { throw Misfit("needs a whole number") }
      return { StreetClip(seed: seed, count: $0.limit ?? 100, threads: $0.threads) }
    },
    Card(
      "streets", setting: "SEED", "stills of many MovingStreets to train on; its val split is a run"
    ) {
      guard let seed = $0.flatMap({ UInt64($0) }) else { throw Misfit("needs a whole number") }
      return { request in
        guard request.split == "train" else {
          return StreetClip(seed: seed, count: request.limit ?? 40, threads: request.threads)
        }
        return StreetPool(seed: seed, count: request.limit ?? 400, threads: request.threads)
      }
    },
    Card(
      "video", setting: "FILE", "the frames of a video or a folder of pictures, without labels"
    ) {
      guard let file = $0, !file.isEmpty else { throw Misfit("needs a file") }
      return { try VideoClip(file, limit: $0.limit) }
    },
  ]
}

/// The folder that a setting names, without a slash at its end.
private func folder(_ setting: String?) throws -> String {
  guard let setting, !setting.isEmpty else { throw Misfit("needs a folder") }
  return setting.count > 1 && setting.hasSuffix("/") ? String(setting.dropLast()) : setting
}

private func require(_ labelledCount: Int, in place: String) throws(DatasetError) {
  guard labelledCount > 0 else { throw DatasetError(.missing, "no labels in \(place)") }
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
