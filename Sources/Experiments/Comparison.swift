// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
internal import Specification

/// How two pipelines differ, over one or several clips that both were measured on.
///
/// On a clip, both runs' frames are drawn together (see `MovingBlockBootstrap`). Over several clips
/// the clip is the unit: the mean of the clips' differences, with Student's interval, since clips
/// differ from each other more than frames do.
public struct Comparison: Sendable, Codable {
  /// A figure of both pipelines on one clip, or over all of them.
  public struct Row: Sendable, Codable, Hashable {
    /// The figure's name: `mIoU`.
    public let figure: String
    /// The clip; nil for all of them together.
    public let clip: String?
    /// The figure of the first pipeline, and of the other.
    public let base, other: Double
    /// `other` − `base`; nil where there are too few frames, or clips, to tell its spread.
    public let difference: Interval?
    /// Clips whose difference excludes zero, and in which direction; of a single clip, that clip.
    public let gains, losses: Int

    /// Whether the difference is told apart from none.
    public var excludesZero: Bool { difference?.excludesZero ?? false }
  }

  /// What was compared, as folders.
  public let base, other: String
  /// Figures in order, each by clip and then over all.
  public let rows: [Row]

  /// Compares the runs of two pipelines, clip by clip.
  ///
  /// `figures` are those of interest; the usual ones where empty.
  ///
  /// - Throws: `SpecificationError` where no clip was measured for both, or their frames are not
  ///   the same.
  public init(
    _ base: [StoredRun], with other: [StoredRun], names: (base: String, other: String),
    figures: [String] = [], by bootstrap: MovingBlockBootstrap = .init(),
    clip: (StoredRun) -> String
  ) throws {
    (self.base, self.other) = names
    let before = Dictionary(base.map { (clip($0), $0) }) { first, _ in first }
    let pairs = other.compactMap { run in before[clip(run)].map { (clip(run), $0, run) } }
    guard !pairs.isEmpty else {
      throw SpecificationError(
        .incompatible,
        "\(names.base) and \(names.other) have no clip in common: "
          + "\(Self.list(base.map(clip))) and \(Self.list(other.map(clip)))")
    }
    var byFigure: [String: [Row]] = [:]
    for (name, one, two) in pairs {
      for row in try Self.rows(name, one, two, bootstrap) {
        byFigure[row.figure, default: []].append(row)
      }
    }
    let wanted = figures.isEmpty ? Self.usual.filter { byFigure[$0] != nil } : figures
    if let unknown = wanted.first(where: { byFigure[$0] == nil }) {
      throw SpecificationError(
        .badValue,
        "no figure '\(unknown)' in both runs; "
          + suggestion(for: unknown, among: byFigure.keys.sorted())
      )
    }
    rows = (wanted.isEmpty ? byFigure.keys.sorted() : wanted).flatMap { figure in
      let rows = byFigure[figure] ?? []
      return rows.count > 1 ? rows + [Self.overall(rows)] : rows
    }
  }

  /// The figures that are told where none is named.
  public static let usual = [
    "mIoU", "TC", "VC8", "boundary_mIoU", "key_popping", "abs_rel", "delta1", "mAP50", "mAP50_95",
  ]

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "nothing" : Set(names).sorted().joined(separator: ", ")
  }

  private static func rows(
    _ clip: String, _ base: StoredRun, _ other: StoredRun, _ bootstrap: MovingBlockBootstrap
  ) throws -> [Row] {
    guard base.frames.map(\.index) == other.frames.map(\.index) else {
      throw SpecificationError(
        .incompatible,
        "\(base.path) and \(other.path) are not of the same frames of \(clip): "
          + "\(base.frames.count) and \(other.frames.count)")
    }
    return base.frames.figures.intersection(other.frames.figures).sorted().flatMap { figure in
      rows(figure, clip, base.frames, other.frames, bootstrap)
    }
  }

  private static func rows(
    _ figure: String, _ clip: String, _ base: [FrameRecord], _ other: [FrameRecord],
    _ bootstrap: MovingBlockBootstrap
  ) -> [Row] {
    let shared = zip(base, other).compactMap { one, two -> (FigureCounts, FigureCounts)? in
      guard let one = one.counts[figure], let two = two.counts[figure], one.isLike(two) else {
        return nil
      }
      return (one, two)
    }
    let (from, to) = (shared.map(\.0), shared.map(\.1))
    let differences = bootstrap.differences(from: from, to: to, named: figure)
    let (before, after) = (values(from, figure), values(to, figure))
    return before.keys.sorted().compactMap { name in
      guard let one = before[name], let two = after[name] else { return nil }
      let difference = differences[name]
      return Row(
        figure: name, clip: clip, base: one, other: two, difference: difference,
        gains: difference.map { $0.low > 0 ? 1 : 0 } ?? 0,
        losses: difference.map { $0.high < 0 ? 1 : 0 } ?? 0)
    }
  }

  private static func values(_ counts: [FigureCounts], _ figure: String) -> [String: Double] {
    guard var sum = counts.first else { return [:] }
    for more in counts.dropFirst() { sum += more }
    return sum.values(named: figure)
  }

  private static func overall(_ rows: [Row]) -> Row {
    let count = Double(rows.count)
    return Row(
      figure: rows[0].figure, clip: nil, base: rows.reduce(0) { $0 + $1.base } / count,
      other: rows.reduce(0) { $0 + $1.other } / count,
      difference: Interval(meanOf: rows.map { $0.other - $0.base }),
      gains: rows.reduce(0) { $0 + $1.gains }, losses: rows.reduce(0) { $0 + $1.losses })
  }
}
