// SPDX-License-Identifier: Apache-2.0

// A published system on a clip, and one of its parts put in another's place.

import Inbetween

// Networks trained on rendered streets come with the package; `RecipeModels(in: "Models")` takes
// those for CamVid.
let models = RecipeModels(in: "Models", data: "street")
let network = try SegmentationNetwork(contentsOf: models.backbone).folded()
let clip = StreetClip(seed: 12, count: 11, size: PixelSize(width: 240, height: 180))

/// The roles of the clip's frames, its mIoU, and a frame's MACs beside a keyframe's.
func measure(_ parts: PipelineSpec) throws -> (drawing: String, mIoU: Double, cost: Double) {
  let resolved = try parts.resolve(
    around: network, head: network.head, path: models.backbone, threads: 2)
  let evaluator = Evaluator(resolved.pipeline, on: clip, consistency: nil)
  var (measurement, drawing) = (evaluator.emptyMeasurement(), "")
  try evaluator.run(into: &measurement) { _, result in
    drawing += result.trace.startsBackbone ? "K" : "."
    return true
  }
  let cost = measurement.macs.map { $0.frame / $0.key } ?? 1
  return (drawing, measurement.accuracy?.mIoU ?? 0, cost)
}

func report(_ name: String, _ parts: PipelineSpec) throws -> String {
  let (drawing, mIoU, cost) = try measure(parts)
  print("\(name): \(drawing), mIoU \(Int(1000 * mIoU)) of 1000, \(Int(100 * cost)) % of the MACs")
  return drawing
}

for recipe in [Recipe.perFrame, .clockwork, .davss, .twoClocks] {
  _ = try report(recipe.name, recipe.pipeline(of: models))
}

var swapped = Recipe.davss.pipeline(of: models)
swapped.scheduler = "every:3"
let drawing = try report("davss, a keyframe every third frame", swapped)
precondition(drawing == "K..K..K..K.", "the scheduler is the one that was put in")
