// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Flow
internal import Tensors
internal import Video

/// The names of the laws of clips that `clip` breaks; empty when it keeps them all.
///
/// The laws: *same index, same frame*, whatever the order; *a sample is the frame and its target*;
/// *frames have one size*; *indices count up*, and so do times; *motion is on the frames' grid*,
/// and *motion warps a frame onto its reference* where it is known: all but a tenth of those pixels
/// look as in the earlier frame, to 24 levels of 255.
public func brokenLaws<Target: Equatable>(of clip: some Clip<Target>) throws -> [String] {
  var broken: [String] = []
  func law(_ name: String, holds: Bool) {
    if !holds && !broken.contains(name) { broken.append(name) }
  }
  let frames = try (0..<clip.count).map { try clip.frame(at: $0) }
  for index in frames.indices.reversed() {
    let (frame, sample) = (try clip.frame(at: index), try clip.sample(at: index))
    law("same index, same frame", holds: frame.pixels == frames[index].pixels)
    law(
      "a sample is the frame and its target",
      holds: try sample.frame.pixels == frame.pixels && sample.target == clip.target(at: index))
    law("frames have one size", holds: frame.pixels.size == frames[0].pixels.size)
    law(
      "indices count up",
      holds: index == 0
        || frame.index > frames[index - 1].index
          && frame.time > frames[index - 1].time
    )
  }
  guard let motion = clip.groundTruthMotion, frames.count > 1 else { return broken }
  for index in 1..<frames.count where !frames[index].followsBreak {
    let (current, reference) = (frames[index], frames[index - 1])
    let field = try motion.motion(from: index, to: index - 1)
    let hasSize = PixelSize(width: field.width, height: field.height) == current.pixels.size
    law("motion is on the frames' grid", holds: hasSize)
    if hasSize {
      law(
        "motion warps a frame onto its reference",
        holds: try shareExplained(by: field, from: current, to: reference) >= 0.9)
    }
  }
  return broken
}

/// Of the pixels whose motion is known, the share that look as in the reference; 1 where there are
/// none.
private func shareExplained(
  by field: MotionField, from current: Frame, to reference: Frame
) throws -> Double {
  let (flow, valid) = try field.tensors()
  let warped = try reference.pixels.tensor().warped(along: flow, known: valid)
  let gaps = try (current.pixels.tensor() - warped).abs().max(axes: [1]).contiguous().floats()
  let marks = try valid?.contiguous().bytes()
  let known = gaps.indices.filter { marks?[$0] != 0 }
  guard !known.isEmpty else { return 1 }
  return Double(known.count { gaps[$0] <= 24 }) / Double(known.count)
}
