// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Propagation
internal import Tensors
internal import Video

/// What a pipeline is made of but for its scheduler, whatever it predicts.
struct PipelineParts: Sendable {
  let backbone: any Backbone
  /// The head, where it gives scores.
  let scorer: (any DenseHead)?
  let propagator: any Propagator
  let fusion: (any Fusion)?
  /// What runs after the last tap on non-key frames; the backbone's own stages if nil.
  let decoder: (any Backbone)?
  let smoothing: PhotometricSmoothing?
  var flow: any FlowEstimator
  /// The stages whose maps are cached and propagated, in the backbone's order.
  let taps: [String]
  /// The stages whose maps the head reads, in the backbone's order.
  let inputs: [String]
  /// How many stages lead to the last tap.
  let depth: Int
  /// Whether anything but the head comes after what is propagated.
  let hasShallowPart: Bool
  /// Whether stages after the last tap run on every frame.
  let hasRest: Bool
  /// The stages before the last tap whose outputs are read after it, first to last; none where the
  /// backbone does not tell.
  let skips: [String]
  /// The stages whose features of earlier frames are remembered.
  let keptStages: Set<String>
  /// The stages whose output may be asked for after that of later ones.
  let stops: Set<String>

  init(
    backbone: some Backbone, scorer: (any DenseHead)?, propagator: some Propagator,
    fusion: (any Fusion)?, decoder: (any Backbone)?, smoothing: PhotometricSmoothing?,
    flow: some FlowEstimator, taps: [String], inputs: [String], depth: Int, hasShallowPart: Bool,
    hasRest: Bool
  ) {
    (self.backbone, self.scorer, self.propagator) = (backbone, scorer, propagator)
    (self.fusion, self.decoder, self.smoothing, self.flow) = (fusion, decoder, smoothing, flow)
    (self.taps, self.inputs, self.depth) = (taps, inputs, depth)
    (self.hasShallowPart, self.hasRest) = (hasShallowPart, hasRest)
    skips = backbone.skipStages(through: depth)
    keptStages = Set(propagator.keptStages + (fusion?.keptStages ?? []))
    stops = keptStages.union(skips).union(inputs).union(taps)
  }
}

extension PipelineParts {
  /// The skips that are propagated: tapped ones, but for those that must run on every frame for one
  /// that is not.
  var propagatedSkips: Set<String> {
    Set(skips[((skips.lastIndex { !taps.contains($0) } ?? -1) + 1)...])
  }

  /// Tapped stages of which nothing reads what is propagated.
  var idleTaps: [String] {
    taps.dropLast().filter { !propagatedSkips.contains($0) && !inputs.contains($0) }
  }

  /// The tapped stages, all before the last tap, that run where the backbone runs through `stage`.
  ///
  /// - Throws: `IncompatibleParts` where that is none of them.
  func tapsToRefresh(through stage: String) throws -> [String] {
    guard let index = taps.dropLast().firstIndex(of: stage), !idleTaps.contains(stage) else {
      throw IncompatibleParts(
        "a clock of its own for '\(stage)' needs it among the taps (here "
          + "\(taps.joined(separator: ", "))), before the last, and read by later stages")
    }
    return [String](taps[...index])
  }

  /// The frame as it came, and at the size that the backbone was built for.
  func view(of frame: Frame) throws -> FrameView {
    guard let size = backbone.inputSize, size != frame.pixels.size else {
      return FrameView(source: frame, working: frame)
    }
    let pixels = try frame.pixels.resized(width: size.width, height: size.height)
    return FrameView(source: frame, working: frame.with(pixels: pixels))
  }

  /// The maps that the head reads, given those at the taps.
  ///
  /// What comes after the last tap runs on them, with the `skips` of the frame itself; what is read
  /// of stages before a tap is the frame's `own`.
  func headMaps(
    of tapped: FeatureMaps, skips: [Tensor], by decoder: any Backbone,
    own: (String) throws -> Tensor
  ) throws -> FeatureMaps {
    var (maps, done) = (FeatureMaps(), depth)
    var features = Features(try tapped.map(after: backbone.stages[depth - 1].name), skips: skips)
    for stage in inputs {
      let count = try backbone.index(ofStage: stage) + 1
      guard count > depth else {
        maps[stage] = try tapped[stage] ?? own(stage)
        continue
      }
      features = try decoder.run(done..<count, on: features)
      (done, maps[stage]) = (count, features.main)
    }
    return maps
  }
}

/// A frame as it came, which the codec's vectors refer to, and at the size the networks see.
struct FrameView: Sendable {
  let source: Frame
  let working: Frame
}
