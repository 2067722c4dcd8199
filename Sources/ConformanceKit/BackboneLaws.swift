// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Tensors
public import Video

/// The names of the laws of backbones that `backbone` breaks; empty when it keeps them all.
///
/// The laws: *names are unique*; *parts make the whole*: any first stages and then the rest equal
/// all at once; *skips are their stages' outputs*, where it tells their stages; *sizes follow
/// strides*; *same frame, same features*; *a batch gives what each
/// gives*, where it takes batches: the frame and its negative together, to a thousandth of the
/// largest score.
public func brokenLaws(of backbone: some Backbone, on frame: Frame) throws -> [String] {
  var broken: [String] = []
  let stages = backbone.stages
  if stages.isEmpty || Set(stages.map(\.name)).count != stages.count {
    broken.append("names are unique")
  }
  let input = try backbone.input(for: frame)
  let whole = try backbone.run(0..<stages.count, on: Features(input)).main
  for (index, stage) in stages.enumerated() {
    let first = try backbone.run(0..<index + 1, on: Features(input))
    let rest = try backbone.run(index + 1..<stages.count, on: first).main
    if try rest.floats() != whole.floats() {
      broken.append("parts make the whole, cut after \(stage.name)")
    }
    if try !tellsSkips(backbone, first.skips, through: index + 1, on: input) {
      broken.append("skips are their stages' outputs, after \(stage.name)")
    }
    let expected = [input.shape[2], input.shape[3]].map { ($0 + stage.stride - 1) / stage.stride }
    if [first.main.shape[2], first.main.shape[3]] != expected {
      broken.append("sizes follow strides, after \(stage.name)")
    }
  }
  let again = try backbone.run(
    0..<stages.count, on: Features(backbone.input(for: frame))
  ).main
  if try again.floats() != whole.floats() { broken.append("same frame, same features") }
  if try backbone.takesBatches && !givesEachItsOwn(backbone, input) {
    broken.append("a batch gives what each gives")
  }
  return broken
}

/// Whether the skips that stages hand on are what the stages give that it tells, or it tells none.
private func tellsSkips(
  _ backbone: some Backbone, _ skips: [Tensor], through count: Int, on input: Tensor
) throws -> Bool {
  let stages = backbone.skipStages(through: count)
  guard !stages.isEmpty else { return true }
  return try stages.count == skips.count
    && zip(stages, skips).allSatisfy { stage, skip in
      let end = try backbone.index(ofStage: stage) + 1
      let output = try backbone.run(0..<end, on: Features(input)).main
      return try end <= count && output.floats() == skip.floats()
    }
}

/// Whether two pictures go through the network together as each by itself.
private func givesEachItsOwn(_ backbone: some Backbone, _ input: Tensor) throws -> Bool {
  let all = 0..<backbone.stages.count
  let apart = try [input, -input].map { try backbone.run(all, on: Features($0)).main }
  let together = try backbone.run(
    all, on: Features(Tensor.concatenate([input, -input], axis: 0))
  ).main
  let gap = try (together - Tensor.concatenate(apart, axis: 0)).abs().max().item()
  let scale = try together.abs().max().item()
  return gap <= max(scale, .leastNormalMagnitude) / 1000
}
