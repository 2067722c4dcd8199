// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
internal import Specification

/// How two pipelines differ, over one or several clips that both were measured on.
///
/// On a clip, both runs' frames are drawn together (see `MovingBlockBootstrap`). Of several runs on
/// a clip, whose key frames fall elsewhere or whose parts have other seeds, the mean counts. Over
/// several clips the clip is the unit: the mean of the clips' differences, with Student's interval,
/// since clips differ from each other more than frames do. Pooled, they are one dataset: figures
/// are those of all its frames, which are drawn clip by clip. That tells of these clips alone.
public struct Comparison: Sendable, Codable {
  /// A figure of both pipelines on one clip, or over all of them.
  public struct Row: Sendable, Codable, Hashable {
    /// The figure's name: `mIoU`.
    public let figure: String
    /// The clip; nil for all of them together.
    public let clip: String?
    /// The figure of the first pipeline, and of the other: the mean over their runs on the clip.
    public let base, other: Double
    /// Over how many runs each of them is the mean; over all clips, of the one with the most.
    public let baseRuns, otherRuns: Int
    /// `other` − `base`; nil where there are too few frames, or clips, to tell its spread.
    public let difference: Interval?
    /// Clips whose difference excludes zero, and in which direction; of a single clip, that clip.
    public let gains, losses: Int

    /// Whether 0 lies outside the interval of the difference.
    public var excludesZero: Bool { difference?.excludesZero ?? false }
  }

  /// What was compared, as folders.
  public let base, other: String
  /// Whether rows over all clips are of their frames together, not the mean over the clips.
  public let isPooled: Bool
  /// Figures in order, each by clip and then over all.
  public let rows: [Row]

  /// Compares the runs of two pipelines, clip by clip.
  ///
  /// `figures` are those of interest; the usual ones where empty. `isPooled` takes the frames of
  /// all clips together; of several runs on each clip, the first of every clip then make one, the
  /// second another, and so on.
  ///
  /// - Throws: `SpecificationError` where no clip was measured for both, their frames are not
  ///   the same, or clips to be pooled have not as many runs.
  public init(
    _ base: [StoredRun], with other: [StoredRun], names: (base: String, other: String),
    figures: [String] = [], isPooled: Bool = false, by bootstrap: MovingBlockBootstrap = .init(),
    clip: (StoredRun) -> String
  ) throws {
    (self.base, self.other, self.isPooled) = (names.base, names.other, isPooled)
    let (before, after) = (
      Dictionary(grouping: base, by: clip), Dictionary(grouping: other, by: clip)
    )
    var clips: [String] = []
    for run in other where !clips.contains(clip(run)) { clips.append(clip(run)) }
    let pairs = clips.compactMap { name in
      before[name].flatMap { base in after[name].map { (name, base, $0) } }
    }
    guard !pairs.isEmpty else {
      throw SpecificationError(
        .incompatible,
        "\(names.base) and \(names.other) have no clip in common: "
          + "\(Self.list(base.map(clip))) and \(Self.list(other.map(clip)))")
    }
    let known = pairs.flatMap { $0.1 + $0.2 }.map { Set($0.frames.values.keys) }
    let shared = known.dropFirst().reduce(known[0]) { $0.intersection($1) }
    if let unknown = figures.first(where: { !shared.contains($0) }) {
      throw SpecificationError(
        .badValue,
        "no figure '\(unknown)' in both runs; "
          + suggestion(for: unknown, among: shared.sorted()))
    }
    let usual = Self.usual.filter(shared.contains)
    let wanted = figures.isEmpty ? (usual.isEmpty ? shared.sorted() : usual) : figures
    let pool = isPooled ? try Self.pool(pairs.map { (base: $0.1, other: $0.2) }) : nil
    rows = try wanted.flatMap { figure in
      let rows = try pairs.compactMap { clip, one, two in
        try Row(figure, clip, one, two, bootstrap)
      }
      guard rows.count > 1 else { return rows }
      guard let pool else { return rows + [Self.overall(rows)] }
      let all = try Row(figure, nil, pool.base, pool.other, bootstrap, clips: pool.lengths)
      return rows + [all?.counting(rows)].compactMap(\.self)
    }
  }

  /// The figures that are told where none is named.
  public static let usual = [
    "mIoU", "TC", "TC_at_keys", "TC_between", "VC8", "boundary_mIoU", "abs_rel", "delta1", "mAP50",
    "mAP50_95", "mask_mAP50", "mask_mAP50_95", "oks_mAP50", "oks_mAP50_95",
    "flicker_at_keys", "flicker_between",
    "jump_at_keys", "jump_between",
  ]

  /// One run of the first runs on each clip, one of the second, and so on; and how many frames each
  /// clip has.
  private static func pool(
    _ pairs: [(base: [StoredRun], other: [StoredRun])]
  ) throws -> (base: [StoredRun], other: [StoredRun], lengths: [Int]) {
    func joined(_ clips: [[StoredRun]]) throws -> [StoredRun] {
      guard let uneven = clips.first(where: { $0.count != clips[0].count }) else {
        return clips[0].indices.map { place in
          StoredRun(
            path: clips.map { $0[place].path }.joined(separator: " and "),
            result: clips[0][place].result, frames: clips.flatMap { $0[place].frames })
        }
      }
      throw SpecificationError(
        .incompatible,
        "pooled clips need as many runs each: \(clips[0][0].path) is one of \(clips[0].count), "
          + "\(uneven[0].path) one of \(uneven.count)")
    }
    return (
      try joined(pairs.map(\.base)), try joined(pairs.map(\.other)),
      pairs.map { $0.base[0].frames.count }
    )
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "nothing" : Set(names).sorted().joined(separator: ", ")
  }

  private static func overall(_ rows: [Row]) -> Row {
    let count = Double(rows.count)
    return Row(
      figure: rows[0].figure, clip: nil, base: rows.reduce(0) { $0 + $1.base } / count,
      other: rows.reduce(0) { $0 + $1.other } / count,
      baseRuns: rows.map(\.baseRuns).max() ?? 1, otherRuns: rows.map(\.otherRuns).max() ?? 1,
      difference: Interval(meanOf: rows.map { $0.other - $0.base }),
      gains: rows.reduce(0) { $0 + $1.gains }, losses: rows.reduce(0) { $0 + $1.losses })
  }
}

extension Comparison.Row {
  /// A figure of two runs over the same frames of a clip; nil where one of them has it not.
  init?(
    _ figure: String, _ clip: String, _ base: StoredRun, _ other: StoredRun,
    _ bootstrap: MovingBlockBootstrap
  ) throws {
    try self.init(figure, clip, [base], [other], bootstrap)
  }

  /// The mean of a figure over some runs, and over others, over the same frames of a clip, or of
  /// all clips, which have `lengths` frames each; nil where one of them has it not.
  init?(
    _ figure: String, _ clip: String?, _ base: [StoredRun], _ other: [StoredRun],
    _ bootstrap: MovingBlockBootstrap, clips lengths: [Int]? = nil
  ) throws {
    let runs = base + other
    let first = runs[0]
    for run in runs where run.frames.map(\.index) != first.frames.map(\.index) {
      throw SpecificationError(
        .incompatible,
        "\(first.path) and \(run.path) are not of the same frames of \(clip ?? "all clips"): "
          + "\(first.frames.count) and \(run.frames.count)")
    }
    let values = runs.compactMap { $0.frames.values[figure] }
    guard let name = first.frames.countsName(of: figure), values.count == runs.count
    else { return nil }
    // Key frames are others in another run: what only one of them counts cannot be paired.
    let places = first.frames.indices.map { place -> [FigureCounts]? in
      let counts = runs.compactMap { $0.frames[place].counts[name] }
      return counts.count == runs.count && counts.allSatisfy(counts[0].isLike) ? counts : nil
    }
    let shared = places.compactMap(\.self)
    var left = places[...]
    let sharedLengths = (lengths ?? [places.count]).map { length in
      defer { left = left.dropFirst(length) }
      return left.prefix(length).count { $0 != nil }
    }
    let isPaired = shared.count == first.frames.counts(of: name).count
    func counts(_ runs: Range<Int>) -> [[FigureCounts]] {
      runs.map { run in shared.map { $0[run] } }
    }
    let difference =
      isPaired
      ? bootstrap.differences(
        fromEach: counts(0..<base.count), toEach: counts(base.count..<runs.count), named: name,
        clips: sharedLengths)[figure] : nil
    func mean(_ values: some Collection<Double>) -> Double {
      values.reduce(0, +) / Double(values.count)
    }
    self.init(
      figure: figure, clip: clip, base: mean(values.prefix(base.count)),
      other: mean(values.dropFirst(base.count)), baseRuns: base.count, otherRuns: other.count,
      difference: difference,
      gains: difference.map { $0.low > 0 ? 1 : 0 } ?? 0,
      losses: difference.map { $0.high < 0 ? 1 : 0 } ?? 0)
  }

  /// The same, with how many of the clips' `rows` gain and lose.
  fileprivate func counting(_ rows: [Self]) -> Self {
    Self(
      figure: figure, clip: clip, base: base, other: other, baseRuns: baseRuns,
      otherRuns: otherRuns, difference: difference, gains: rows.reduce(0) { $0 + $1.gains },
      losses: rows.reduce(0) { $0 + $1.losses })
  }
}
