// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Frames
public import Propagation
internal import Tensors

/// The names of the laws of fusions that `fusion` breaks when it joins such maps; empty when it
/// keeps them all.
///
/// The laws: *stages stay*; *sizes stay*; *same input, same output*, which one with a state would
/// break.
public func brokenLaws(
  of fusion: some Fusion, on maps: FeatureMaps, in scene: MovingScene = .usual
) throws -> [String] {
  var broken: [String] = []
  func law(_ name: String, holds: Bool) {
    if !holds && !broken.contains(name) { broken.append(name) }
  }
  for index in 1..<4 {
    let fused = try fusion(maps, in: scene.context(of: index, keyframe: 0))
    let again = try fusion(maps, in: scene.context(of: index, keyframe: 0))
    law("stages stay", holds: fused.stages == maps.stages)
    for stage in maps.stages {
      let (before, after) = (maps[stage], fused[stage])
      law("sizes stay", holds: after?.shape == before?.shape)
      law("same input, same output", holds: try again[stage]?.floats() == after?.floats())
    }
  }
  return broken
}
