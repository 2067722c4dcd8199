// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Scheduler
internal import Specification

extension Registries {
  mutating func registerChangeScores() {
    register(
      changeScore: "moved", "a key frame once the picture has moved so many pixels on average",
      unit: "PIXELS"
    ) { _, _ in MotionMagnitude() }
    register(
      changeScore: "spread", "a key frame once parts of the picture moved so many pixels apart",
      unit: "PIXELS"
    ) { _, _ in MotionDeviation() }
    register(
      changeScore: "warp-error",
      "a key frame once the key frame, warped along the optical flow, differs by LEVELS of 255",
      unit: "LEVELS"
    ) { _, _ in WarpError() }
    register(
      changeScore: "unknown",
      "a key frame once the flow of a SHARE of pixels is unknown: of codec motion, intra blocks",
      unit: "SHARE"
    ) { _, _ in UnknownFraction() }
    register(
      changeScore: "confidence",
      "a key frame once the mean probability of the best class has fallen by LOSS since then",
      unit: "LOSS"
    ) { _, _ in UncertaintyIncrease(.confidence) }
    register(
      changeScore: "entropy",
      "a key frame once the mean entropy of the classes, 0 to 1, has risen by RISE since then",
      unit: "RISE"
    ) { _, _ in UncertaintyIncrease(.entropy) }
    register(
      changeScore: "boxes",
      "a key frame once propagated boxes have changed so much inside, spread, or left",
      options: [
        .required("measure", .choice(ObjectScore.Measure.allCases.map(\.rawValue)))
      ], unit: "CHANGE", requires: [.propagatedObjects]
    ) { options, _ in ObjectScore(.init(rawValue: options.text("measure")) ?? .brightness) }
    registerFeatureScores()
  }

  private mutating func registerFeatureScores() {
    let stage = OptionSpec.required("stage", .text)
    register(
      changeScore: "features",
      "a key frame once features after STAGE have changed by CHANGE of their norm",
      options: [stage], unit: "CHANGE"
    ) { options, _ in FeatureChange(after: options.text("stage")) }
    register(
      changeScore: "labels",
      "a key frame once a SHARE of places has another best class by STAGE's head, or channel",
      options: [stage], unit: "SHARE"
    ) { options, context in
      let stage = options.text("stage"), backbone = context[BackboneInUse.self]?.backbone
      return LabelChange(after: stage) { try backbone?.scores(of: $0, after: stage) ?? $0 }
    }
    register(
      changeScore: "learned",
      "a key frame once a trained network predicts so much change: a folder with its weights",
      options: [.required("folder", .path)], unit: "CHANGE"
    ) { options, context in
      let folder = try ModelFolder(at: options.text("folder"))
      folder.files.forEach(context.note(file:))
      let score = try LearnedChangeScore(folder)
      let trained = try folder.read { (root) throws(SpecificationError) in
        try ChangeScoreSpecification(root, folder: folder.path)
      }
      try context.warn(
        folder.path, trainedBehind: trained.backbone,
        along: score.dependsOnMotion ? trained.flow : nil)
      return score
    }
  }
}
