// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
internal import Frames
internal import Video

/// Pairs of frames that a network learns consistency on: each frame degraded by itself, with
/// optical flow where nobody knows their motion.
///
/// What was prepared is kept as long as it fits into a quarter of the memory.
public struct LearnedPairs: Sendable {
  private let sources: [PairSource]
  private let pools: [Memo<MotionPair>]

  /// Pairs of `sources`, drawn by their shares; `flow` finds the motion of those that were filmed.
  ///
  /// - Precondition: there is a source.
  public init(
    _ sources: [PairSource], along flow: some FlowEstimator,
    degradation: Degradation = Degradation(), seed: UInt64 = 1
  ) {
    precondition(!sources.isEmpty, "no pairs to learn from")
    self.sources = sources
    let room = MemoryBudget.usual()
    pools = sources.enumerated().map { place, source in
      Memo(within: room, size: \.byteCount) { index in
        var random = RandomStream(seed: seed, place, index, 0xDE64)
        let pair = try source.pairs.pair(index)
        let frames = try [pair.reference, pair.current].enumerated().map { index, pixels in
          Frame(
            index: index, time: Double(index), pixels: try degradation(pixels, from: &random))
        }
        let motion =
          try pair.motion.isKnownSomewhere
          ? pair.motion : flow.motion(from: frames[1], to: frames[0])
        return MotionPair(
          current: frames[1].pixels, reference: frames[0].pixels, motion: motion)
      }
    }
  }

  /// A pair of any source.
  public func draw(from random: inout RandomStream) throws -> MotionPair {
    let source = sources.draw(&random)
    return try pools[source][random.below(sources[source].count)]
  }
}

extension MotionPair {
  /// What it takes in memory; motion takes two numbers of 32 bits a pixel, and a byte of validity.
  fileprivate var byteCount: Int { 15 * current.width * current.height }
}

extension MotionField {
  fileprivate var isKnownSomewhere: Bool { known?.contains(1) ?? true }
}
