// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Tensors
public import Video

/// The names of the laws of heads that `head` breaks on such maps of a frame of `size`; empty when
/// it keeps them all.
///
/// The laws: *same maps, same prediction*; *inputs are named once*; and of a dense head *scores
/// have the size*, *labels are the best scores*, *the best are labels and their scores*, *an
/// identity changes nothing*, *labels are the prediction*.
public func brokenLaws<Prediction: Equatable>(
  of head: some Head<Prediction>, on maps: FeatureMaps, size: PixelSize
) throws -> [String] {
  try brokenLaws(of: head, on: maps, size: size) { $0 == $1 }
}

/// The same for predictions that `areEqual` compares.
public func brokenLaws<Prediction>(
  of head: some Head<Prediction>, on maps: FeatureMaps, size: PixelSize,
  areEqual: (Prediction, Prediction) -> Bool
) throws -> [String] {
  var broken: [String] = []
  let prediction = try head(maps, size: size)
  if try !areEqual(prediction, head(maps, size: size)) {
    broken.append("same maps, same prediction")
  }
  if Set(head.inputs).count != head.inputs.count { broken.append("inputs are named once") }
  guard let dense = head.dense else { return broken }
  broken += try brokenLaws(ofDense: dense, on: maps, size: size)
  let labels = try dense.labels(of: maps, size: size)
  if try !areEqual(prediction, dense.prediction(of: labels)) {
    broken.append("labels are the prediction")
  }
  return broken
}

private func brokenLaws(
  ofDense head: some DenseHead, on maps: FeatureMaps, size: PixelSize
) throws -> [String] {
  var broken: [String] = []
  func law(_ name: String, holds: Bool) { if !holds { broken.append(name) } }
  let scores = try head.scores(maps, size: size)
  let hasSize =
    scores.shape.rank == 4 && scores.shape[2] == size.height && scores.shape[3] == size.width
  law("scores have the size", holds: hasSize)
  guard hasSize else { return broken }
  let labels = try scores.argmaxLabels().bytes()
  law("labels are the best scores", holds: try head.labels(of: maps, size: size).bytes() == labels)
  let best = try head.best(of: maps, size: size)
  let highest = try scores.max(axes: [1]).contiguous().floats()
  law(
    "the best are labels and their scores",
    holds: try best.labels.bytes() == labels
      && zip(best.scores.contiguous().floats(), highest).allSatisfy { abs($0 - $1) <= 1e-5 })
  let map = try maps.only()
  if head.isIdentity(on: map.shape, size: size) {
    law("an identity changes nothing", holds: try map.floats() == scores.floats())
  }
  return broken
}
