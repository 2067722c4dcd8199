// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Specification
internal import Video

/// A head and the backbone whose features it reads, as one YAML file says.
///
/// ```yaml
/// name: street-detector
/// about: …
/// backbone: ../street-heavy      # the folder, beside this file
/// head:
///   kind: fcos                   # or depth
///   inputs: [context, decoder]   # the backbone's stages; the last one if left out
///   channels: 64
///   blocks: 2                    # of 3×3 convolutions; of each tower
///   stride: 4                    # of the grid; that of the finest input if left out
///   coordinates: true            # cells are told their place in the picture; false if left out
///   classes: [car, pedestrian, bicyclist]   # of fcos: names, or the name of a list
///   score: 0.05                  # of fcos: the least that is told
///   overlap: 0.6                 # of fcos: the most that two of a class may have in common
///   range: [1, 100]              # of depth: in metres
/// ```
public struct HeadSpecification: Hashable, Sendable {
  /// What the head is called.
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The backbone's stages whose maps it reads; none for the last one.
  public let inputs: [String]
  /// Which head it is.
  public let kind: Kind

  /// Which head it is, and what it consists of.
  public enum Kind: Hashable, Sendable {
    /// Tells the depth of each pixel.
    case depth(DepthHead.Settings)
    /// Finds objects.
    case detection(DetectionHead.Settings)
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(SpecificationError) {
    try root.allow(["name", "about", "backbone", "head", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    let head = try root.group("head")
    try head.check("kind", isOneOf: ["depth", "fcos"])
    inputs = head.strings("inputs") ?? []
    kind =
      try head.string("kind") == "depth"
      ? .depth(DepthHead.Settings(head)) : .detection(DetectionHead.Settings(head))
  }
}

private let commonKeys = ["kind", "inputs", "channels", "blocks", "stride", "coordinates"]

extension DepthHead.Settings {
  fileprivate init(_ head: DescriptionReader) throws(SpecificationError) {
    try head.allow(commonKeys + ["range"])
    let range = head.has("range") ? try head.numbers("range", count: 2) : [1, 100]
    guard range[0] >= 1e-6, range[0] < range[1], range[1] <= 1e9 else {
      throw head.complaint("range", "must be the nearest and the farthest, in metres")
    }
    self.init(
      channels: try head.integer("channels", in: 1...4096),
      blocks: try head.integer("blocks", in: 0...32, usual: 2), stride: try head.gridStride(),
      hasCoordinates: try head.coordinates(), range: range[0]...range[1])
  }
}

extension DetectionHead.Settings {
  fileprivate init(_ head: DescriptionReader) throws(SpecificationError) {
    try head.allow(commonKeys + ["classes", "score", "overlap", "detections"])
    self.init(
      classes: try ClassList(classesOf: head), channels: try head.integer("channels", in: 1...4096),
      blocks: try head.integer("blocks", in: 0...32, usual: 2), stride: try head.gridStride(),
      hasCoordinates: try head.coordinates(),
      scoreThreshold: try head.number("score", in: 0...1, usual: 0.05),
      overlapThreshold: try head.number("overlap", in: 0...1, usual: 0.6),
      detectionLimit: try head.integer("detections", in: 1...10_000, usual: 100))
  }
}

extension DescriptionReader {
  fileprivate func gridStride() throws(SpecificationError) -> Int? {
    has("stride") ? try integer("stride", in: 1...256) : nil
  }

  fileprivate func coordinates() throws(SpecificationError) -> Bool {
    guard has("coordinates") else { return false }
    try check("coordinates", isOneOf: ["true", "false"])
    return try string("coordinates") == "true"
  }
}
