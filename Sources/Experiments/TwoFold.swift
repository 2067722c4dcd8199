// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Specification

/// The best of several pipelines on a clip that is all there is: chosen on one half of its frames,
/// reported on the other, and the other way round.
///
/// The pipelines' streams are not begun anew in the middle; what is remembered across it is theirs.
public struct TwoFold: Sendable, Codable {
  /// One way round.
  public struct Fold: Sendable, Codable {
    /// The pipeline that is best on the half that chooses.
    public let choice: String
    /// Its figure there, and on the half that nothing was chosen on.
    public let chosen: Double, reported: Double
    /// Its difference from the baseline on the half that is reported.
    public let difference: Interval?
  }

  /// The figure and the clip.
  public let figure: String, clip: String
  /// Chosen on the first half, and on the second.
  public let folds: [Fold]

  /// How much choosing flatters: the mean of what a choice has where it was chosen over what it has
  /// where it was not, less that of the baseline, whose halves differ too.
  public let gap: Double

  /// Chooses among runs on one clip by a figure of which more is better.
  ///
  /// - Throws: `SpecificationError` where the runs are not of the same frames, or none has the
  ///   figure.
  public init(
    _ runs: [(name: String, run: StoredRun)], baseline: StoredRun, clip: String, figure: String,
    by bootstrap: MovingBlockBootstrap = .init()
  ) throws {
    (self.figure, self.clip) = (figure, clip)
    let frames = baseline.frames.map(\.index)
    guard runs.allSatisfy({ $0.run.frames.map(\.index) == frames }), frames.count >= 4 else {
      throw SpecificationError(.incompatible, "the runs on \(clip) are not of the same frames")
    }
    guard let counts = baseline.frames.countsName(of: figure), !runs.isEmpty else {
      throw SpecificationError(.badValue, "no figure '\(figure)' on \(clip)")
    }
    let halves = [0..<frames.count / 2, frames.count / 2..<frames.count]
    func value(_ run: StoredRun, _ half: Range<Int>) -> Double? {
      Array(run.frames[half]).values[figure]
    }
    var (folds, gap) = ([Fold](), 0.0)
    for (choosing, reporting) in [(halves[0], halves[1]), (halves[1], halves[0])] {
      let known = runs.compactMap { run in value(run.run, choosing).map { (run, $0) } }
      guard let best = known.max(by: { $0.1 < $1.1 }), let told = value(best.0.run, reporting),
        let before = value(baseline, choosing), let after = value(baseline, reporting)
      else { throw SpecificationError(.badValue, "no figure '\(figure)' on half of \(clip)") }
      let (from, to) = (
        Array(baseline.frames[reporting]).counts(of: counts),
        Array(best.0.run.frames[reporting]).counts(of: counts)
      )
      folds.append(
        Fold(
          choice: best.0.name, chosen: best.1, reported: told,
          difference: from.count == to.count
            ? bootstrap.differences(from: from, to: to, named: counts)[figure] : nil))
      gap += ((best.1 - told) - (before - after)) / 2
    }
    (self.folds, self.gap) = (folds, gap)
  }
}

extension [FrameRecord] {
  /// The name of the counts that a figure is computed from; nil where none are.
  func countsName(of figure: String) -> String? {
    // mAcc and aAcc come of the counts of mIoU, mAP50 of those of mAP; most are their own.
    if figures.contains(figure) { return figure }
    return figures.first { sum(of: $0)?.values(named: $0)[figure] != nil }
  }
}
