// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Flow
public import Synthesis
public import Video

/// Pairs of frames whose motion is known, as many as wanted.
///
/// *Must keep* this law: pair `index` is the same whenever and on whichever thread it is asked for.
public protocol MotionPairs: Sendable {
  /// A frame, an earlier one, and where each pixel of the first was in the second.
  func pair(_ index: Int) throws -> MotionPair

  /// Successive frames, the earliest first; two are the pair of that index unless said otherwise.
  ///
  /// With `everyFrame` the run also holds what lies between them, for motion that is put together
  /// step by step; a pair with nothing between is one step.
  ///
  /// - Throws: `PairsOnly` for more than two where there are none.
  func run(_ index: Int, frames: Int, everyFrame: Bool) throws -> FrameRun
}

/// Successive frames of one size, the earliest first.
public struct FrameRun: Sendable {
  /// All pictures, the earliest first; at least two.
  public let images: [Image]
  /// The places of those that are learned on, the first and the last among them; others only lead
  /// from one to the next.
  public let places: [Int]
  /// Of the last frame; nil where nobody labelled it.
  public let labels: Image?
  /// Of the first frame; nil where nobody labelled it.
  public let firstLabels: Image?
  /// Whether void labels mark what nobody knows the look of, as where a still in motion uncovers
  /// what it does not show: there, no network's opinion is worth agreeing with.
  public let voidIsUnknown: Bool

  /// Frames of one size, the earliest first, every `stride`th of which is learned on, with labels
  /// of the last or nil.
  ///
  /// - Precondition: there are two images, and the last one is learned on.
  public init(
    _ images: [Image], every stride: Int = 1, labels: Image?, firstLabels: Image? = nil,
    voidIsUnknown: Bool = false
  ) {
    precondition(images.count >= 2, "\(images.count) images are no run")
    precondition((images.count - 1) % stride == 0, "every \(stride)th of \(images.count) images")
    (self.images, self.labels, self.firstLabels) = (images, labels, firstLabels)
    self.voidIsUnknown = voidIsUnknown
    places = Array(Swift.stride(from: 0, to: images.count, by: stride))
  }

  /// An earlier frame and a later one.
  public init(_ pair: MotionPair) {
    self.init(
      [pair.reference, pair.current], labels: pair.currentLabels,
      firstLabels: pair.referenceLabels)
  }
}

/// More than two successive frames were asked for where there are pairs only.
public struct PairsOnly: Error, CustomStringConvertible {
  /// An error without details.
  public init() {}
  /// What is there and what is not, in one clause.
  public var description: String { "there are pairs of frames, and no longer runs" }
}

extension MotionPairs {
  /// Successive frames, and nothing of what lies between them.
  public func run(_ index: Int, frames: Int) throws -> FrameRun {
    try run(index, frames: frames, everyFrame: false)
  }

  /// The pair of that index for two frames; `PairsOnly` is thrown for more.
  public func run(_ index: Int, frames: Int, everyFrame _: Bool) throws -> FrameRun {
    guard frames == 2 else { throw PairsOnly() }
    return try FrameRun(pair(index))
  }
}

/// Where a training takes pairs from.
public struct PairSource: Sendable {
  /// What pairs are taken from.
  public let pairs: any MotionPairs
  /// How many different ones are seen, again and again.
  public let count: Int
  /// How often one is taken from here, beside the other sources' shares.
  public let share: Double
  /// Whether the labels stand for what is learned; others are left out, as those of another list of
  /// classes.
  public let isLabelled: Bool

  /// A source of `count` different pairs, drawn by its share of all sources' shares.
  public init(
    _ pairs: some MotionPairs, count: Int, share: Double = 1, isLabelled: Bool = true
  ) {
    (self.pairs, self.count, self.share) = (pairs, count, share)
    self.isLabelled = isLabelled
  }
}

extension [PairSource] {
  /// The number of a source, drawn by their shares.
  func draw(_ random: inout RandomStream) -> Int {
    var left = random.unit() * reduce(0) { $0 + $1.share }
    for (index, source) in enumerated() {
      left -= source.share
      if left < 0 { return index }
    }
    return count - 1
  }
}

/// Frames of a clip whose motion nobody knows, so that it is unknown everywhere; labels are the
/// clip's.
public struct ClipPairs: MotionPairs {
  private let clip: any LabelledClip
  private let gaps: ClosedRange<Int>
  private let seed: UInt64

  /// Frames of `clip` that lie as far apart as a number drawn out of `gaps`.
  ///
  /// - Precondition: gaps are at least 1, and the clip is longer than the smallest.
  public init(_ clip: any LabelledClip, gaps: ClosedRange<Int> = 1...6, seed: UInt64 = 1) {
    precondition(
      gaps.lowerBound >= 1 && clip.count > gaps.lowerBound,
      "frames \(gaps) apart in a clip of \(clip.count)")
    (self.clip, self.gaps, self.seed) = (clip, gaps, seed)
  }

  /// Two frames with no break of the stream between them where a few draws find such.
  public func pair(_ index: Int) throws -> MotionPair {
    var random = RandomStream(seed: seed, index)
    var (first, last) = draw(&random)
    for _ in 0..<8 where try hasBreak(after: first, through: last) {
      (first, last) = draw(&random)
    }
    let (reference, current) = (try clip.sample(at: first), try clip.sample(at: last))
    let size = current.frame.pixels.size
    let unknown = MotionField(
      width: size.width, height: size.height,
      displacements: [Float](repeating: 0, count: 2 * size.width * size.height),
      known: [UInt8](repeating: 0, count: size.width * size.height))
    return MotionPair(
      current: current.frame.pixels, reference: reference.frame.pixels, motion: unknown,
      currentLabels: current.labels, referenceLabels: reference.labels)
  }

  /// As far apart as the frames of a pair, as far as the clip reaches.
  ///
  /// - Throws: `PairsOnly` where the clip has fewer frames than are asked for.
  public func run(_ index: Int, frames: Int, everyFrame: Bool) throws -> FrameRun {
    guard frames > 2 || everyFrame else { return try FrameRun(pair(index)) }
    let steps = frames - 1
    guard clip.count > steps else { throw PairsOnly() }
    var random = RandomStream(seed: seed, index)
    func draw() -> (first: Int, gap: Int) {
      let gap = max(1, min(gaps.lowerBound + random.below(gaps.count), (clip.count - 1) / steps))
      return (random.below(clip.count - gap * steps), gap)
    }
    var (first, gap) = draw()
    for _ in 0..<8 where try hasBreak(after: first, through: first + gap * steps) {
      (first, gap) = draw()
    }
    let last = first + gap * steps
    let images = try stride(from: first, through: last, by: everyFrame ? 1 : gap)
      .map { try clip.frame(at: $0).pixels }
    return FrameRun(
      images, every: everyFrame ? gap : 1, labels: try clip.labels(at: last),
      firstLabels: try clip.labels(at: first))
  }

  private func draw(_ random: inout RandomStream) -> (Int, Int) {
    let gap = min(gaps.lowerBound + random.below(gaps.count), clip.count - 1)
    let first = random.below(clip.count - gap)
    return (first, first + gap)
  }

  private func hasBreak(after first: Int, through last: Int) throws -> Bool {
    try (first + 1...last).contains { try clip.frame(at: $0).followsBreak }
  }
}

/// Frames of MovingStreet, 1 to 6 of them apart, each pair from a street of its own.
public struct StreetPairs: MotionPairs {
  private let seed: UInt64
  private let size: PixelSize
  private let gaps: ClosedRange<Int>

  /// Frames of streets of `size` pixels, as far apart at 15 Hz as a number drawn out of `gaps`.
  ///
  /// - Precondition: gaps are at least 1.
  public init(
    seed: UInt64, size: PixelSize = PixelSize(width: 480, height: 360),
    gaps: ClosedRange<Int> = 1...6
  ) {
    precondition(gaps.lowerBound >= 1, "frames \(gaps) apart")
    (self.seed, self.size, self.gaps) = (seed, size, gaps)
  }

  /// Two frames of a street that the seed and the index choose, and their exact motion.
  public func pair(_ index: Int) throws -> MotionPair {
    var random = RandomStream(seed: seed, index)
    let gap = gaps.lowerBound + random.below(gaps.count)
    let first = random.below(200)
    let clip = StreetClip(
      seed: random.next() >> 16, count: first + gap + 1, size: size, threads: 1)
    return try MotionPair(of: clip, from: first + gap, to: first)
  }

  /// As far apart as the frames of a pair.
  public func run(_ index: Int, frames: Int, everyFrame: Bool) throws -> FrameRun {
    guard frames > 2 || everyFrame else { return try FrameRun(pair(index)) }
    var random = RandomStream(seed: seed, index)
    let gap = gaps.lowerBound + random.below(gaps.count)
    let first = random.below(200), last = first + gap * (frames - 1)
    let clip = StreetClip(seed: random.next() >> 16, count: last + 1, size: size, threads: 1)
    let images = stride(from: first, through: last, by: everyFrame ? 1 : gap)
      .map { clip.frame(at: $0).pixels }
    return FrameRun(
      images, every: everyFrame ? gap : 1, labels: clip.labels(at: last),
      firstLabels: clip.labels(at: first))
  }
}

/// Two frames of stills set in motion, 1 to 6 frames at 15 Hz apart: see `StillsInMotion`.
public struct StillPairs: MotionPairs {
  private let stills: StillsInMotion
  private let size: PixelSize
  private let scale: ClosedRange<Double>
  private let gaps: ClosedRange<Int>

  /// Windows of `size` in the stills, scaled first by a factor out of `scale`.
  ///
  /// - Precondition: gaps are at least 1.
  public init(
    _ stills: StillsInMotion, size: PixelSize = PixelSize(width: 480, height: 360),
    scale: ClosedRange<Double> = 1...1, gaps: ClosedRange<Int> = 1...6
  ) {
    precondition(gaps.lowerBound >= 1, "frames \(gaps) apart")
    (self.stills, self.size, self.scale, self.gaps) = (stills, size, scale, gaps)
  }

  /// Two frames of the still whose turn it is, and their exact motion.
  public func pair(_ index: Int) throws -> MotionPair {
    var random = RandomStream(seed: stills.seed, index)
    let gap = gaps.lowerBound + random.below(gaps.count)
    return try stills.pair(index, gap: gap, size: size, scale: scale)
  }

  /// As far apart as the frames of a pair, of a clip that begins one frame before: most clips begin
  /// with the still as it is, which a network has seen.
  public func run(_ index: Int, frames: Int, everyFrame: Bool) throws -> FrameRun {
    var random = RandomStream(seed: stills.seed, index)
    let gap = gaps.lowerBound + random.below(gaps.count)
    let last = 1 + gap * (frames - 1)
    let clip = try stills.clip(index, count: last + 1, size: size, scale: scale)
    let end = try clip.sample(at: last)
    let images = stride(from: 1, to: last, by: everyFrame ? 1 : gap)
      .map { clip.frame(at: $0).pixels }
    return FrameRun(
      images + [end.frame.pixels], every: everyFrame ? gap : 1, labels: end.labels,
      firstLabels: clip.labels(at: 1), voidIsUnknown: true)
  }
}
