// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Video

/// Two frames and how one moves to the other.
public struct MotionPair: Sendable {
  /// Blue, green, red; of one size.
  public let current: Image, reference: Image
  /// Where each pixel of `current` is in `reference`; unknown where it is hidden there, or outside.
  public let motion: MotionField
  /// One class id a pixel; nil where a frame is not labelled.
  public let currentLabels: Image?, referenceLabels: Image?

  public init(
    current: Image, reference: Image, motion: MotionField, currentLabels: Image? = nil,
    referenceLabels: Image? = nil
  ) {
    (self.current, self.reference, self.motion) = (current, reference, motion)
    (self.currentLabels, self.referenceLabels) = (currentLabels, referenceLabels)
  }

  /// Frame `current` of a clip, and an earlier one.
  public init(of clip: some ClipWithMotion, from current: Int, to reference: Int) throws {
    let (here, there) = (try clip.sample(at: current), try clip.sample(at: reference))
    self.init(
      current: here.frame.pixels, reference: there.frame.pixels,
      motion: try clip.motion(from: current, to: reference), currentLabels: here.labels,
      referenceLabels: there.labels)
  }
}

/// Pairs of frames whose motion is known, as many as wanted.
///
/// *Must keep* this law: pair `index` is the same whenever and on whichever thread it is asked for.
public protocol MotionPairs: Sendable {
  /// A frame, an earlier one, and where each pixel of the first was in the second.
  func pair(_ index: Int) throws -> MotionPair
}

/// Frames of MovingStreet, 1 to 6 of them apart, each pair from a street of its own.
public struct StreetPairs: MotionPairs {
  private let seed: UInt64
  private let size: PixelSize
  private let gaps: ClosedRange<Int>

  /// - Precondition: gaps are at least 1.
  public init(
    seed: UInt64, size: PixelSize = PixelSize(width: 480, height: 360),
    gaps: ClosedRange<Int> = 1...6
  ) {
    precondition(gaps.lowerBound >= 1, "frames \(gaps) apart")
    (self.seed, self.size, self.gaps) = (seed, size, gaps)
  }

  public func pair(_ index: Int) throws -> MotionPair {
    var random = RandomStream(seed: seed, index)
    let gap = gaps.lowerBound + random.below(gaps.count)
    let first = random.below(200)
    let clip = StreetClip(
      seed: random.next() >> 16, count: first + gap + 1, size: size, threads: 1)
    return try MotionPair(of: clip, from: first + gap, to: first)
  }
}
