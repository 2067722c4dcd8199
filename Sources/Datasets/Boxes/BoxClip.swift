// SPDX-License-Identifier: Apache-2.0

public import Video

/// Pictures in order with boxes on some or all of them, as data sets of tracking have them.
///
/// Boxes follow `BoundingBox`: pixel (i, j) covers the square from (i, j) to (i + 1, j + 1).
public struct BoxClip: Clip {
  /// The kind of data set and the sequence: `otb/Crossing`.
  public let name: String
  /// What the categories of the boxes stand for.
  public let classes: ClassList
  /// The categories, and which of them count.
  public var objectClasses: ObjectClasses? { ObjectClasses(classes, counted: counted) }
  private let counted: Set<Int>?
  /// What was odd while it was read.
  public let warnings: [String]
  private let frames: StoredFrames
  private let truth: Truth
  private var limit = Int.max
  /// What boxes are read from, beside the pictures.
  private let sources: [String]

  enum Truth: Sendable {
    /// Of each frame; nil where it is not annotated.
    case boxes([[GroundTruthBox]?])
    /// Of each frame a picture in which every object has its own value above 0.
    case masks([String?])
  }

  init(
    name: String, classes: ClassList, counted: Set<Int>? = nil, frames: StoredFrames, truth: Truth,
    sources: [String] = [], warnings: [String] = []
  ) {
    self.counted = counted
    (self.name, self.classes, self.frames, self.truth) = (name, classes, frames, truth)
    (self.sources, self.warnings) = (sources, warnings)
  }

  /// How many frames there are, annotated or not.
  public var count: Int { min(limit, frames.items.count) }

  /// The first so many frames of the clip; all where nil.
  public func first(_ limit: Int?) -> BoxClip {
    var clip = self
    clip.limit = min(self.limit, limit ?? .max)
    return clip
  }

  /// Its pictures, and what its boxes are read from.
  public var files: [String] {
    guard case .masks(let masks) = truth else { return frames.files + sources }
    return frames.files + masks.compactMap { $0 }
  }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The boxes of a frame; nil where it is not annotated.
  public func target(at index: Int) throws -> [GroundTruthBox]? {
    switch truth {
    case .boxes(let all): all[index]
    case .masks(let masks): try masks[index].map { try Image.labels(contentsOf: $0).objectBoxes() }
    }
  }
}

extension Image {
  /// The box around each object of a mask, in which 0 is background and every other value an
  /// object, its identity; with the object's own mask, in the order of the values.
  ///
  /// - Precondition: the image has one channel.
  public func objectBoxes() -> [GroundTruthBox] {
    precondition(channels == 1, "\(channels) channels are no mask")
    var edges = [(left: Int, top: Int, right: Int, bottom: Int)?](repeating: nil, count: 256)
    withUnsafeBytes { bytes in
      for y in 0..<height {
        for x in 0..<width {
          let value = Int(bytes[y * width + x])
          guard value > 0 else { continue }
          let known = edges[value] ?? (x, y, x, y)
          edges[value] = (
            min(known.left, x), known.top, max(known.right, x), y
          )
        }
      }
    }
    return edges.enumerated().compactMap { value, edge in
      edge.map { edge in
        let (columns, rows) = (edge.left...edge.right, edge.top...edge.bottom)
        let mask = withUnsafeBytes { bytes in
          ObjectMask(
            size: size, left: edge.left, top: edge.top, width: columns.count,
            cells: rows.flatMap { y in columns.map { Int(bytes[y * width + $0]) == value ? 1 : 0 } }
          )
        }
        return GroundTruthBox(box: mask.box, category: 0, identity: value, mask: mask)
      }
    }
  }
}

extension ClassList {
  /// COCO's own numbers of its eighty classes, in the order in which networks number them.
  public static let categoryIDsOfCOCO =
    [Int](1...90).filter { ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].contains($0) }

  /// One class for data sets that follow anything: object.
  public static let anyObject = ClassList(name: "object1", names: ["object"], void: nil)

  /// The classes of MOTChallenge's ground truth (MOT16, Milan et al., 2016); its numbers are these
  /// plus 1.
  public static let motChallenge = ClassList(
    name: "mot13",
    names: [
      "pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non-motorised vehicle",
      "static person", "distractor", "occluder", "occluder on the ground", "occluder full",
      "reflection", "crowd",
    ], void: nil)
}
