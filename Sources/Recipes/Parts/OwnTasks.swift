// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Specification
internal import Synchronization
internal import Tensors
internal import Video

extension NetworkReading {
  /// What a network predicts by itself other than labels; nil where that is labels.
  func ownTask(
    of path: String, in registries: Registries, _ context: BuildContext
  ) throws -> (any PredictionTask)? {
    if case .detection(let decoder) = task {
      let made = try registries.decoders.build(decoder, in: context)
      return detectionHead(made).map { OwnDetectionTask(own: $0, path: path) }
    }
    return depthHead.map { OwnDepthTask(own: $0, path: path) }
  }

  /// The head of labels, or what stands in its place where the network predicts something else.
  func labels(or task: (any PredictionTask)?) -> any SegmentationHead {
    task.map { NoLabels(task: $0.name, classes: classes) } ?? head
  }
}

/// A head whose complaints name the network that it reads.
private struct LocatedHead<Base: Head>: Head {
  let base: Base
  let path: String
  var inputs: [String] { base.inputs }

  func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> Base.Prediction {
    do { return try base(features, size: size) } catch let error as BackboneError {
      throw error.located(in: path)
    }
  }
}

/// Stands where labels would be read off a network that predicts something else.
private struct NoLabels: SegmentationHead {
  let task: String
  let classes: ClassList

  func scores(_: FeatureMaps, size _: PixelSize) throws -> Tensor {
    throw BackboneError(.incompatible, "the network predicts \(task), not labels")
  }
}

/// Depth that a network predicts by itself.
private struct OwnDepthTask: PredictionTask {
  let own: DepthReadingHead
  /// The network's file.
  let path: String
  let name = "depth"
  private let spread = DepthSpread()

  init(own: DepthReadingHead, path: String) { (self.own, self.path) = (own, path) }

  var files: [String] { [] }

  func head(behind _: any Backbone) -> any Head<DepthMap> { LocatedHead(base: own, path: path) }

  /// Inverse depths that nothing brings to metres are relative: aligned before they are compared.
  func metrics() -> [any Metric<DepthMap, DepthMap>] {
    [DepthMetric(DepthAccuracy(alignment: own.reading.isRelative ? .inverse : .none))]
  }

  func agreementMetrics() -> [any Metric<DepthMap, DepthMap>] { [DepthMetric()] }

  func truth(of prediction: DepthMap) -> DepthMap? { prediction }

  func file(at path: String) throws -> (any PredictionFile<DepthMap>)? {
    try DepthFiles(path, relative: own.reading.isRelative)
  }

  /// Colours span the range of the first picture where depths are relative, else that which the
  /// description states.
  func drawn(
    _ prediction: DepthMap, over picture: Image, mark: Overlay.Mark?, opacity: Double
  ) -> Image {
    var overlay = Overlay(palette: .camVid)
    overlay.opacity = opacity
    let stated = own.reading.statedRange.map { Float($0.lowerBound)...Float($0.upperBound) }
    let range = own.reading.isRelative ? spread.range(first: prediction) : stated ?? 2...80
    return overlay.drawn(depth: prediction, over: picture, range: range, mark: mark)
  }
}

/// The range of depths of the first picture that is drawn, and of all after it: colours that went
/// by each picture would flicker.
private final class DepthSpread: Sendable {
  private let known = Mutex<ClosedRange<Float>?>(nil)

  /// A quarter beyond the depths between which 96 % of the known ones lie.
  func range(first map: DepthMap) -> ClosedRange<Float> {
    known.withLock { known in
      if let known { return known }
      let depths = map.metres.filter { $0 > 0 }.sorted()
      guard !depths.isEmpty else { return 2...80 }
      let (near, far) = (depths[depths.count / 50], depths[depths.count - 1 - depths.count / 50])
      let range = near / 1.25...far * 1.25
      known = range
      return range
    }
  }
}

/// Boxes that a network finds by itself: these are carried, unless its outputs are maps to warp.
private struct OwnDetectionTask: BoxTask {
  let own: DecodedDetectionHead
  /// The network's file.
  let path: String
  /// What its classes are in a ground truth's; nil where it is not measured.
  var match: ClassMatch?
  let name = "detection"
  var usualPropagator: PartSpec { own.readsMaps ? "warp" : "boxes" }
  var files: [String] { [] }
  var classes: ClassList { own.classes }

  func head(behind _: any Backbone) -> any Head<[Detection]> {
    LocatedHead(base: own, path: path)
  }

  func metrics() -> [any Metric<[Detection], [GroundTruthBox]>] {
    let count = match?.count ?? own.classes.count
    let masks = own.findsMasks ? [MaskMetric(classes: count)] : []
    return [DetectionMetric(classes: count)] + masks
      + [KeyPointMetric(classes: count), TrackingMetric()]
  }

  func drawn(
    _ prediction: [Detection], over picture: Image, mark: Overlay.Mark?, opacity: Double
  ) -> Image {
    var overlay = Overlay(palette: own.classes.palette)
    overlay.opacity = opacity
    return overlay.drawn(
      boxes: prediction, names: own.classes.names, over: picture, mark: mark)
  }
}
