// SPDX-License-Identifier: Apache-2.0

// A published system on a clip, and one of its parts put in another's place.

import Inbetween

// Networks trained on rendered streets come with the package; `RecipeModels(in: "Models")` takes those for CamVid.
let models = RecipeModels(in: "Models", data: "street")
let (network, head) = try StoredNetwork(at: models.backbone).load()
let clip = StreetClip(seed: 12, count: 11, size: PixelSize(width: 240, height: 180))

/// The roles of the clip's frames, its mIoU, and a frame's work beside a key frame's.
func measure(_ parts: Composition) throws -> (drawing: String, mIoU: Double, work: Double) {
  let pipeline = try parts.pipeline(around: network, head: head, threads: 2)
  let evaluator = Evaluator(try parts.regional(pipeline), on: clip, consistency: nil)
  var (measurement, drawing) = (evaluator.emptyMeasurement(), "")
  try evaluator.run(into: &measurement) { _, result in
    drawing += result.trace.startsBackbone ? "K" : "."
    return true
  }
  let work = measurement.macs.map { $0.frame / $0.key } ?? 1
  return (drawing, measurement.accuracy?.mIoU ?? 0, work)
}

func report(_ name: String, _ parts: Composition) throws -> String {
  let (drawing, mIoU, work) = try measure(parts)
  print("\(name): \(drawing), mIoU \(Int(1000 * mIoU)) of 1000, \(Int(100 * work)) % of the work")
  return drawing
}

for recipe in [Recipe.perFrame, .clockwork, .davss, .twoClocks] {
  _ = try report(recipe.name, recipe.composition(of: models))
}

var swapped = Recipe.davss.composition(of: models)
swapped.scheduler = "every:3"
let drawing = try report("davss, a key every third frame", swapped)
precondition(drawing == "K..K..K..K.", "the scheduler is the one that was put in")
