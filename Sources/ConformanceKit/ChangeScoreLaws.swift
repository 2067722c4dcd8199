// SPDX-License-Identifier: Apache-2.0

public import Scheduler

/// The names of the laws of change scores that `changeScore` breaks; empty when it keeps them all.
///
/// The laws: *a frame equal to its key frame scores 0*; *no score is below 0*; *same frame, same
/// score*; and where it says that it does not depend on motion, *no optical flow is asked for*.
public func brokenLaws(
  of changeScore: some ChangeScore, on scene: MovingScene = .usual
) throws -> [String] {
  var broken: [String] = []
  if try changeScore.score(at: scene.context(of: 0, keyframe: 0)) != 0 {
    broken.append("a frame equal to its key frame scores 0")
  }
  var asksForFlow = false
  let scores = try scene.frames.indices.dropFirst().map { index in
    try changeScore.score(
      at: scene.context(of: index, keyframe: 0) { asksForFlow = asksForFlow || $0 == .flow })
  }
  if scores.contains(where: { ($0 ?? 0) < 0 }) { broken.append("no score is below 0") }
  let again = try scene.frames.indices.dropFirst().map { index in
    try changeScore.score(at: scene.context(of: index, keyframe: 0))
  }
  if again != scores { broken.append("same frame, same score") }
  if asksForFlow && !changeScore.dependsOnMotion {
    broken.append("no optical flow is asked for")
  }
  return broken
}
