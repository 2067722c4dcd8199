// SPDX-License-Identifier: Apache-2.0

// A scheduler that refreshes when the picture has changed, held against a fixed interval that
// spends as many key frames, on a rendered street.

import Inbetween

/// A key frame once pixels differ from the last key's by more than `levels` on average.
struct PictureChange: KeyframeScheduler {
  let levels: Double

  func decision(at context: FrameContext) -> Decision {
    let change = difference(context.frame.pixels, context.keyframe.pixels)
    let reason = Reason("levels changed", score: change, threshold: levels)
    return Decision(change > levels ? .key : .propagated, because: reason)
  }

  private func difference(_ lhs: Image, _ rhs: Image) -> Double {
    let (lhs, rhs) = (lhs.bytes, rhs.bytes)
    return Double(zip(lhs, rhs).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(lhs.count)
  }
}

let clip = StreetClip(seed: 11, count: 24, size: PixelSize(width: 240, height: 180))
let truth = GroundTruthBackbone(of: clip)

func measure(_ scheduler: some KeyframeScheduler) throws -> (keys: Double, mIoU: Double) {
  let pipeline = try KeyframePipeline(
    backbone: truth, head: truth.head, scheduler: scheduler, propagator: .warp(),
    flow: .dis(.fast))
  let measured = try Evaluator(pipeline, on: clip).run()
  return (measured.speed.keyframeRatio, measured.accuracy?.mIoU ?? 0)
}

let own = try measure(PictureChange(levels: 15))
let interval = max(1, Int((1 / own.keys).rounded()))
let fixed = try measure(FixedInterval(every: interval))
print("picture change: \(own.keys) key frames, mIoU \(own.mIoU)")
print("every:\(interval):        \(fixed.keys) key frames, mIoU \(fixed.mIoU)")
precondition(own.keys < 1 && own.mIoU > 0.5 && fixed.mIoU > 0.5)
