// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Flow
public import Pipeline
internal import Propagation
internal import Scheduler
public import Video

/// The parts of a pipeline but for its backbone, by their names in the catalogues.
public struct Composition: Sendable, Hashable {
  public var scheduler: String
  public var propagation: String
  public var flow: String
  /// The stage whose output is carried; nil for the last one, or what a part was trained for.
  public var tap: String?
  /// WEIGHT, or WEIGHT,LEVELS of `PhotometricSmoothing`; nil for none.
  public var smoothing: String?
  /// ROWSxCOLUMNS of the frame that have keys of their own, and by how many pixels they overlap after a colon; nil
  /// for the frame as a whole.
  public var regions: String?

  public init(
    scheduler: String = "every:5", propagation: String = "warp", flow: String = "dis:medium",
    tap: String? = nil, smoothing: String? = nil, regions: String? = nil
  ) {
    (self.scheduler, self.propagation, self.flow) = (scheduler, propagation, flow)
    (self.tap, self.smoothing, self.regions) = (tap, smoothing, regions)
  }
}

extension Composition {
  /// The pipeline of these parts around a backbone, of frames as a whole.
  ///
  /// - Throws: `CatalogueError` for a name that is wrong or parts that do not go together; `BackboneError` where what was
  ///   trained is missing or does not fit the backbone.
  public func pipeline(
    around backbone: some Backbone, head: some SegmentationHead, threads: Int = 1
  ) throws -> KeyframePipeline<Image> {
    let strategy = try [Card<StrategyMaker>].strategies.part(propagation)(backbone)
    try StoredThresholds.requireMotion(flow, for: scheduler)
    if let tap, let wanted = strategy.tap, tap != wanted {
      throw CatalogueError("\(propagation) carries the output of '\(wanted)', not of '\(tap)'")
    }
    let tap = tap ?? strategy.tap
    let isLast =
      try tap.map { try backbone.index(ofStage: $0) == backbone.stages.count - 1 } ?? true
    guard !scheduler.contains("shallow:") || !isLast || strategy.fusion != nil else {
      throw CatalogueError(
        "a clock for what comes after the tap (\(scheduler)) needs something there: carry the output of a stage before "
          + "the last, such as \(backbone.stages.dropLast().last?.name ?? "none here"), or what fuses"
      )
    }
    return try KeyframePipeline(
      backbone: backbone, head: head,
      scheduler: [Card<any KeyframeScheduler>].schedulers.part(scheduler),
      propagator: strategy.propagator, fusion: strategy.fusion,
      flow: [Card<any FlowEstimator>].flows(threads: threads).part(flow),
      smoothing: photometricSmoothing(), tap: tap)
  }

  /// The same pipeline for each region, where there are regions.
  ///
  /// - Throws: `IncompatibleParts` where a part of it needs whole frames.
  public func regional(_ pipeline: KeyframePipeline<Image>) throws -> any PredictionPipeline<Image> {
    guard let grid = try grid() else { return pipeline }
    return try RegionPipeline(
      pipeline, rows: grid.rows, columns: grid.columns, overlap: grid.overlap)
  }

  /// Looks whether every name is one of the catalogues', and every setting one that its part takes; nothing is loaded
  /// that needs the backbone.
  public func validate() throws {
    _ = try [Card<any KeyframeScheduler>].schedulers.part(scheduler)
    _ = try [Card<StrategyMaker>].strategies.part(propagation)
    _ = try [Card<any FlowEstimator>].flows(threads: 1).part(flow)
    try StoredThresholds.requireMotion(flow, for: scheduler)
    _ = try (photometricSmoothing(), grid())
  }

  private func photometricSmoothing() throws -> PhotometricSmoothing? {
    guard let smoothing else { return nil }
    let numbers = smoothing.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0) ?? .nan
    }
    guard let weight = numbers.first, (0...1).contains(weight), numbers.count <= 2,
      numbers.dropFirst().allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw CatalogueError(
        "a temporal smoothing needs WEIGHT from 0 to 1, or WEIGHT,LEVELS above 0, not '\(smoothing)'")
    }
    return numbers.count == 2
      ? PhotometricSmoothing(weight: weight, tolerance: numbers[1]) : .init(weight: weight)
  }

  private func grid() throws -> (rows: Int, columns: Int, overlap: Int)? {
    guard let regions else { return nil }
    let halves = regions.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let sides = halves[0].split(separator: "x").map { Int($0) ?? 0 }
    let overlap = halves.count > 1 ? Int(halves[1]) ?? -1 : 16
    guard sides.count == 2, sides.allSatisfy((1...64).contains), (0...4096).contains(overlap)
    else {
      throw CatalogueError(
        "regions need ROWSxCOLUMNS, each 1 to 64, or ROWSxCOLUMNS:PIXELS, not '\(regions)'")
    }
    return (sides[0], sides[1], overlap)
  }
}
