// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Layers
internal import Specification
internal import Video

extension Registries {
  mutating func registerHeads() {
    let folder = OptionSpec.required("folder", .path)
    heads.register(
      "depth", "depth of each pixel: a folder with a trained head", options: [folder]
    ) { options, _ in DepthTask(folder: try HeadFolder(at: options.text("folder"))) }
    heads.register(
      "fcos", "objects with their boxes: a folder with a trained head", options: [folder]
    ) { options, _ in try DetectionTask(HeadFolder(at: options.text("folder"))) }
  }

  /// A head's spec in its one form: the specification in a folder tells which kind it is.
  func head(_ spec: PartSpec, by grammar: Grammar) throws(SpecificationError) -> PartSpec {
    let path = spec.kind, first = path.prefix { $0 != ":" }
    guard spec.options.isEmpty, spec.parts.isEmpty, !grammar.has(first, as: heads.role) else {
      return try grammar.canonical(spec, as: heads.role)
    }
    let folder = try ModelFolder(at: path)
    let kind = try folder.read { (root) throws(SpecificationError) in
      try root.group("head").string("kind")
    }
    return try grammar.canonical(PartSpec(kind, ["folder": .text(path)]), as: heads.role)
  }
}

/// Depth behind a backbone.
private struct DepthTask: PredictionTask {
  let folder: HeadFolder
  let name = "depth"

  var files: [String] { folder.folder.files }

  func head(behind backbone: any Backbone) throws -> any Head<DepthMap> {
    try DepthHead(contentsOf: folder.folder.path, behind: backbone).folded()
  }

  func metrics() -> [any Metric<DepthMap, DepthMap>] { [DepthMetric()] }

  func truth(of prediction: DepthMap) -> DepthMap? { prediction }

  func file(at path: String) throws -> (any PredictionFile<DepthMap>)? { try DepthFiles(path) }

  func drawn(
    _ prediction: DepthMap, over picture: Image, mark: Overlay.Mark?, opacity: Double
  ) -> Image {
    var overlay = Overlay(palette: .camVid)
    overlay.opacity = opacity
    return overlay.drawn(depth: prediction, over: picture, mark: mark)
  }
}

/// Objects with their boxes behind a backbone.
private struct DetectionTask: BoxTask {
  private let folder: HeadFolder
  let classes: ClassList
  /// What its classes are in a ground truth's; nil where it is not measured.
  var match: ClassMatch?
  let name = "detection"

  init(_ folder: HeadFolder) throws(SpecificationError) {
    guard case .detection(let settings) = folder.specification.kind else {
      throw SpecificationError(
        .badDescription, "\(folder.folder.path) holds no head for detection")
    }
    (self.folder, classes) = (folder, settings.classes)
  }

  var files: [String] { folder.folder.files }

  func head(behind backbone: any Backbone) throws -> any Head<[Detection]> {
    try DetectionHead(contentsOf: folder.folder.path, behind: backbone).folded()
  }

  func metrics() -> [any Metric<[Detection], [GroundTruthBox]>] {
    [DetectionMetric(classes: match?.count ?? classes.count), TrackingMetric()]
  }

  func drawn(
    _ prediction: [Detection], over picture: Image, mark: Overlay.Mark?, opacity: Double
  ) -> Image {
    var overlay = Overlay(palette: classes.palette)
    overlay.opacity = opacity
    return overlay.drawn(
      boxes: prediction.filter { $0.score >= 0.5 }, names: classes.names, over: picture, mark: mark)
  }
}
