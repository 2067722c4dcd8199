// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

// Accuracy by distance, over time, and at key frames.
extension FigureMaker {
  /// Clips of which each gets a panel.
  private static let mostClips = 4

  private func part(_ index: Int, on clip: String) -> ReportData.Part? {
    data.rows[index].parts.first { $0.clip == clip }
  }

  func distance() -> ReportFigure? {
    let plots = data.clips.prefix(Self.mostClips).compactMap { clip -> Plot? in
      let series = shown.filter { !data.rows[$0].isBaseline }.compactMap { index in
        part(index, on: clip)?.run.map { run in
          Plot.Series(
            name: data.rows[index].name, colour: colour(index), kind: .line,
            marks: marks(byDistance: run.frames, data.rows[index].name), hasPoints: true)
        }
      }.filter { $0.marks.count > 1 }
      guard !series.isEmpty else { return nil }
      var plot = Plot(
        title: clip, x: .init(title: "frames since the key frame", isWhole: true),
        y: .init(title: data.figure), series: series)
      plot.height = 220
      return plot
    }
    guard !plots.isEmpty else { return nil }
    return ReportFigure(
      name: "distance", title: "Accuracy against the distance from the key frame",
      note: "0 are the key frames. Bars are 95 % intervals by a moving-block bootstrap over the "
        + "frames of each distance." + rest, plots: plots)
  }

  private var rest: String {
    data.clips.count > Self.mostClips
      ? " The first \(Self.mostClips) of \(data.clips.count) clips are shown." : ""
  }

  private func marks(byDistance frames: [FrameRecord], _ name: String) -> [Plot.Mark] {
    let byDistance = Dictionary(grouping: frames, by: \.framesSinceKeyframe)
    return byDistance.keys.sorted().prefix(60).compactMap { distance in
      let counts = (byDistance[distance] ?? []).counts(of: data.figure)
      guard let first = counts.first else { return nil }
      let sum = counts.dropFirst().reduce(into: first) { $0 += $1 }
      guard let value = sum.values(named: data.figure)[data.figure] else { return nil }
      var mark = Plot.Mark(
        x: Double(distance), y: value,
        tip: "\(name), \(distance) frames after the key frame: "
          + String(format: "%.4f", value) + " of \(counts.count) frames")
      // A block lasts ten frames of the clip, of which so many have this distance.
      let length = max(1, Int((10 * Double(counts.count) / Double(frames.count)).rounded(.up)))
      let bootstrap = MovingBlockBootstrap(blockLength: length, resamples: 500)
      if counts.count >= 3,
        let interval = bootstrap.intervals(of: counts, named: data.figure)[data.figure]
      {
        (mark.yLow, mark.yHigh) = (interval.low, interval.high)
      }
      return mark
    }
  }

  func schedule() -> ReportFigure? {
    let pipelines = shown.filter { !data.rows[$0].isBaseline }.prefix(4)
    var plots = data.clips.prefix(2).flatMap { clip in
      pipelines.compactMap { index in
        part(index, on: clip)?.run.map {
          schedule(of: $0.frames, "\(data.rows[index].name), \(clip)", colour(index))
        }
      }
    }
    guard !plots.isEmpty else { return nil }
    let first = plots.firstIndex(where: \.hasLegend)
    for place in plots.indices where place != first { plots[place].hasLegend = false }
    return ReportFigure(
      name: "schedule", title: "The schedule over time",
      note: "Ticks are key frames. Where the scheduler compares a score with a threshold, both are "
        + "drawn." + (data.clips.count > 2 ? " The first two clips are shown." : ""),
      plots: plots)
  }

  private func schedule(of frames: [FrameRecord], _ title: String, _ colour: Int) -> Plot {
    let keys = Plot.Series(
      name: "key frame", colour: 4, kind: .ticks,
      marks: frames.filter(\.isKey).map { Plot.Mark(x: Double($0.index), y: 0) })
    let score = Plot.Series(
      name: "score", colour: colour, kind: .line,
      marks: frames.compactMap { frame in
        frame.score.map { Plot.Mark(x: Double(frame.index), y: $0) }
      })
    let threshold = Plot.Series(
      name: "threshold", colour: -1, kind: .dashes,
      marks: frames.compactMap { frame in
        frame.threshold.map { Plot.Mark(x: Double(frame.index), y: $0) }
      })
    let hasScore = !score.marks.isEmpty
    var plot = Plot(
      title: title,
      x: .init(
        title: "frame", isWhole: true, includes: [0, Double(max(frames.count - 1, 1))]),
      y: .init(title: hasScore ? "score" : "", includes: hasScore ? [] : [0, 1]),
      series: [score, threshold].filter { !$0.marks.isEmpty } + [keys])
    plot.height = hasScore ? 130 : 24
    plot.hasLegend = hasScore
    return plot
  }

  func consistency() -> ReportFigure? {
    let figures = [
      (FrameRecord.consistencyAtKeys, "at key frames", 4),
      (FrameRecord.consistencyBetween, "between", 0), (FrameRecord.consistency, "all", -1),
    ]
    let rows = shown.filter { data.rows[$0].values[FrameRecord.consistency] != nil }
    guard !rows.isEmpty else { return nil }
    let series = figures.map { figure, name, colour in
      Plot.Series(
        name: name, colour: colour, kind: .points,
        marks: rows.enumerated().compactMap { place, index in
          let row = data.rows[index]
          guard let value = row.values[figure],
            !(row.isBaseline && figure != FrameRecord.consistency)
          else { return nil }
          var mark = Plot.Mark(
            x: value, y: Double(place),
            tip: "\(row.name), \(name): " + told(row.intervals[figure] ?? .exactly(value)))
          if let interval = row.intervals[figure] {
            (mark.xLow, mark.xHigh) = (interval.low, interval.high)
          }
          return mark
        })
    }
    let plot = Plot(
      x: .init(title: "temporal consistency (TC)"),
      y: .init(title: "", rows: rows.map { data.rows[$0].name }),
      series: series.filter { !$0.marks.isEmpty })
    return ReportFigure(
      name: "consistency", title: "Temporal consistency at key frames and between them",
      note: "Agreement with the frame before, along the motion. Where it is lower at key frames "
        + "than between, labels jump there (key popping).", plots: [plot])
  }
}
