// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Video

/// Another scheduler's keys, and one wherever a new shot begins: what was propagated from before a
/// cut is of another scene.
///
/// A cut is where the colours of two successive frames share less than `overlap`: the intersection
/// of their histograms, 8 steps of each channel (Swain and Ballard, IJCV 1991), over every fourth
/// pixel each way. Pans and things that pass keep most of their colours; so does a cut between two
/// views of one room, which is missed.
public struct ShotChange: KeyframeScheduler {
  /// The scheduler whose key frames are kept between cuts.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// The share of colours, from 0 to 1, below which a new shot begins.
  public let overlap: Double
  private var last: (index: Int, histogram: [Float])?

  /// The key frames of `base`, and one where two frames share less than `overlap` of their colours.
  ///
  /// - Precondition: the overlap is from 0 to 1.
  public init(_ base: some KeyframeScheduler, overlap: Double = 0.5) {
    precondition((0...1).contains(overlap), "an overlap of \(overlap)")
    (self.base, self.overlap) = (base, overlap)
  }

  /// That of the other scheduler, which counts from a cut as from its own key frames.
  public var longestInterval: Int? { base.longestInterval }

  /// Key where a new shot begins; else what the other scheduler says.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let here = Self.histogram(of: context.frame.pixels)
    // Of a frame that became key without being asked about, nothing is remembered.
    let isNext = last?.index == context.frame.index - 1
    let there = isNext ? last?.histogram ?? here : Self.histogram(of: context.keyframe.pixels)
    last = (context.frame.index, here)
    let shared = Double(zip(here, there).reduce(0) { $0 + min($1.0, $1.1) })
    let decision = try base.decision(at: context)
    guard shared < overlap else { return decision }
    return decision.with(
      .key, because: Reason("new shot", score: shared, threshold: overlap), refresh: .immediate)
  }

  private static func histogram(of image: Image) -> [Float] {
    var counts = [Float](repeating: 0, count: 512)
    var total: Float = 0
    image.withUnsafeBytes { bytes in
      for y in stride(from: 0, to: image.height, by: 4) {
        for x in stride(from: 0, to: image.width, by: 4) {
          let at = 3 * (y * image.width + x)
          let (blue, green, red) = (bytes[at] >> 5, bytes[at + 1] >> 5, bytes[at + 2] >> 5)
          counts[Int(blue) << 6 | Int(green) << 3 | Int(red)] += 1
          total += 1
        }
      }
    }
    return counts.map { $0 / total }
  }
}
