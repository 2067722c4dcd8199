// SPDX-License-Identifier: Apache-2.0

/// Intervals of figures whose frames depend on each other: blocks of successive frames are drawn
/// again and again, with replacement (Künsch, Annals of Statistics 17, 1989).
///
/// Frames of a video are alike: drawing them one by one would make every interval too narrow. A
/// figure is computed anew of each drawing's counts, and the interval is where 95 of 100 lie. Two
/// runs on the same frames are drawn together, which takes out what is hard for both. The drawings
/// follow from the seed alone.
public struct MovingBlockBootstrap: Sendable, Hashable {
  /// Successive frames in a block.
  public let blockLength: Int
  /// How often frames are drawn.
  public let resamples: Int
  private let seed: UInt64

  /// Blocks of so many frames, drawn so often.
  ///
  /// - Precondition: a block has a frame, and there are at least 40 drawings.
  public init(blockLength: Int = 10, resamples: Int = 2000, seed: UInt64 = 1) {
    precondition(
      blockLength >= 1 && resamples >= 40, "\(blockLength) frames, \(resamples) drawings")
    (self.blockLength, self.resamples, self.seed) = (blockLength, resamples, seed)
  }

  /// The interval of each value that the counts of a run's frames give: by the name of the value.
  ///
  /// Empty where the frames are fewer than two blocks: so few tell nothing of their spread.
  public func intervals(of counts: [FigureCounts], named name: String) -> [String: Interval] {
    guard let series = CountSeries(counts) else { return [:] }
    return gathered(
      clips: [counts.count], estimate: series.values(of: [0..<counts.count], named: name)
    ) {
      series.values(of: $0, named: name)
    }
  }

  /// The intervals of the differences `other` − `base` of two runs over the same frames.
  ///
  /// - Precondition: there are as many frames of each.
  public func differences(
    from base: [FigureCounts], to other: [FigureCounts], named name: String
  ) -> [String: Interval] {
    differences(fromEach: [base], toEach: [other], named: name)
  }

  /// The intervals of the differences of two means: of a figure over `other` runs, and over `base`
  /// runs, all over the same frames.
  ///
  /// The frames are drawn alike in all runs. What only comes of where a run's key frames fell is
  /// less in a mean over runs, and so is the interval.
  ///
  /// The frames may be those of several clips, one after the other, of so many frames each: then
  /// each is drawn from as often as it has frames, and no block goes from one into the next. All
  /// are of one clip where no lengths are given.
  ///
  /// - Precondition: there are runs of each, with as many frames as the clips have together.
  public func differences(
    fromEach base: [[FigureCounts]], toEach other: [[FigureCounts]], named name: String,
    clips lengths: [Int] = []
  ) -> [String: Interval] {
    let frames = base.first?.count ?? 0
    let lengths = lengths.isEmpty ? [frames] : lengths
    precondition(
      !base.isEmpty && !other.isEmpty && (base + other).allSatisfy { $0.count == frames }
        && lengths.reduce(0, +) == frames,
      "runs of \((base + other).map(\.count)) frames, clips of \(lengths)")
    let (one, two) = (base.compactMap(CountSeries.init), other.compactMap(CountSeries.init))
    guard one.count == base.count, two.count == other.count else { return [:] }
    func difference(_ blocks: [Range<Int>]) -> [String: Double] {
      let from = Self.means(of: one.map { $0.values(of: blocks, named: name) })
      return Self.means(of: two.map { $0.values(of: blocks, named: name) })
        .reduce(into: [:]) { found, value in
          if let before = from[value.key] { found[value.key] = value.value - before }
        }
    }
    return gathered(clips: lengths, estimate: difference([0..<frames]), difference)
  }

  /// The mean of each value that all have.
  private static func means(of values: [[String: Double]]) -> [String: Double] {
    guard values.count > 1 else { return values[0] }
    return values[0].reduce(into: [:]) { means, value in
      let all = values.compactMap { $0[value.key] }
      guard all.count == values.count else { return }
      means[value.key] = all.reduce(0, +) / Double(all.count)
    }
  }

  private func gathered(
    clips lengths: [Int], estimate: [String: Double],
    _ values: ([Range<Int>]) -> [String: Double]
  ) -> [String: Interval] {
    guard lengths.allSatisfy({ $0 >= 2 * blockLength }) else { return [:] }
    var random = DrawnNumbers(seed: seed)
    var drawn: [String: [Double]] = [:]
    for _ in 0..<resamples {
      for (name, value) in values(blocks(of: lengths, by: &random)) {
        drawn[name, default: []].append(value)
      }
    }
    return estimate.reduce(into: [:]) { intervals, figure in
      guard let values = drawn[figure.key]?.sorted(), values.count >= resamples / 2 else { return }
      intervals[figure.key] = Interval(
        estimate: figure.value, low: Self.quantile(0.025, of: values),
        high: Self.quantile(0.975, of: values))
    }
  }

  /// As many frames of each clip as it has, in blocks of which its last may be cut short.
  private func blocks(of lengths: [Int], by random: inout DrawnNumbers) -> [Range<Int>] {
    var (blocks, first) = ([Range<Int>](), 0)
    for frames in lengths {
      var drawn = 0
      while drawn < frames {
        let length = min(blockLength, frames - drawn)
        let start = first + random.next(below: frames - blockLength + 1)
        blocks.append(start..<start + length)
        drawn += length
      }
      first += frames
    }
    return blocks
  }

  /// Between the two nearest of sorted values, as NumPy's `quantile` does.
  static func quantile(_ part: Double, of sorted: [Double]) -> Double {
    let place = part * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}

/// The counts of successive frames, so that those of a block are found at once.
private struct CountSeries {
  private enum Sums {
    /// Row by row, the sums over all frames before the row's.
    case confusion(classes: Int, sums: [Int])
    case ratio(sums: [Double], weights: [Double], isRoot: Bool)
    case each([FigureCounts])
  }

  private let sums: Sums

  /// Nil where there are no counts, or they are of several kinds.
  init?(_ counts: [FigureCounts]) {
    guard let first = counts.first, counts.allSatisfy(first.isLike) else { return nil }
    switch first {
    case .confusion(let matrix):
      let width = matrix.counts.count
      var sums = [Int](repeating: 0, count: (counts.count + 1) * width)
      for (frame, count) in counts.enumerated() {
        guard case .confusion(let matrix) = count else { return nil }
        for cell in 0..<width {
          sums[(frame + 1) * width + cell] = sums[frame * width + cell] + matrix.counts[cell]
        }
      }
      self.sums = .confusion(classes: matrix.classCount, sums: sums)
    case .mean, .rootMean:
      let pairs = counts.compactMap(\.ratio)
      let isRoot = if case .rootMean = first { true } else { false }
      self.sums = .ratio(
        sums: Self.running(pairs.map(\.sum)), weights: Self.running(pairs.map(\.weight)),
        isRoot: isRoot)
    case .detections: self.sums = .each(counts)
    }
  }

  /// The sum before each value, and after the last.
  private static func running(_ values: [Double]) -> [Double] {
    values.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
  }

  /// The figures of the frames in these blocks.
  func values(of blocks: [Range<Int>], named name: String) -> [String: Double] {
    total(of: blocks)?.values(named: name) ?? [:]
  }

  private func total(of blocks: [Range<Int>]) -> FigureCounts? {
    switch sums {
    case .confusion(let classes, let sums):
      let width = classes * (classes + 1)
      var total = [Int](repeating: 0, count: width)
      for block in blocks {
        let (from, to) = (block.lowerBound * width, block.upperBound * width)
        for cell in 0..<width { total[cell] += sums[to + cell] - sums[from + cell] }
      }
      return .confusion(ConfusionMatrix(classes: classes, counts: total))
    case .ratio(let sums, let weights, let isRoot):
      let (sum, weight) = blocks.reduce((0.0, 0.0)) { total, block in
        (
          total.0 + sums[block.upperBound] - sums[block.lowerBound],
          total.1 + weights[block.upperBound] - weights[block.lowerBound]
        )
      }
      return isRoot ? .rootMean(sum: max(sum, 0), weight: weight) : .mean(sum: sum, weight: weight)
    case .each(let counts):
      var total: FigureCounts?
      for frame in blocks.joined() {
        if total == nil { total = counts[frame] } else { total? += counts[frame] }
      }
      return total
    }
  }
}

extension FigureCounts {
  fileprivate var ratio: (sum: Double, weight: Double)? {
    switch self {
    case .mean(let sum, let weight), .rootMean(let sum, let weight): (sum, weight)
    case .confusion, .detections: nil
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
private struct DrawnNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Int(mixed.multipliedFullWidth(by: UInt64(bound)).high)
  }
}
