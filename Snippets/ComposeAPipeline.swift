// SPDX-License-Identifier: Apache-2.0

// A pipeline around any network, and what it costs and scores on a labelled clip.

import Inbetween

// A rendered street with exact labels; `CamVid(root: "camvid", split: "val")` is a real one.
let clip = StreetClip(seed: 7, count: 12, size: PixelSize(width: 240, height: 180))

// The clip's own labels stand in for a network; with one of yours it is
// `let network = try ImportedNetwork(contentsOf: "net.torchscript.pt")`.
let network = GroundTruthBackbone(of: clip)

let pipeline = try KeyframePipeline(
  backbone: network, head: network.head, scheduler: .every(5), propagator: .warp(),
  flow: .dis(.medium))

let measured = try Evaluator(pipeline, on: clip).run()
guard let accuracy = measured.accuracy else { preconditionFailure("no frame was labelled") }
print("mIoU \(accuracy.mIoU ?? 0), key frames \(measured.speed.keyframeRatio)")

// Frame by frame: what a stream remembers is a value of yours.
var stream = pipeline.start()
for index in 0..<6 {
  let result = try pipeline.label(clip.sample(at: index).frame, in: &stream)
  print(index, result.trace.role.rawValue, result.trace.decision.reason)
}

precondition(measured.speed.keyframeRatio == 0.25, "3 key frames of 12")
precondition((accuracy.mIoU ?? 0) > 0.5, "warped true labels are better than that")
