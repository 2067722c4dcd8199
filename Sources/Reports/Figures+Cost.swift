// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

// Intervals, times and MACs.
extension FigureMaker {
  func intervals() -> ReportFigure? {
    let plots = shown.filter { !data.rows[$0].isBaseline }.compactMap { index -> Plot? in
      let row = data.rows[index]
      let counts = row.parts.compactMap(\.run).reduce(into: [Int: Int]()) { counts, run in
        for (interval, count) in run.result.speed.keyframeIntervals {
          if let interval = Int(interval) { counts[interval, default: 0] += count }
        }
      }
      guard !counts.isEmpty else { return nil }
      let marks = counts.sorted { $0.key < $1.key }.map { interval, count in
        Plot.Mark(
          x: Double(interval), y: Double(count), xLow: Double(interval) - 0.4,
          xHigh: Double(interval) + 0.4, tip: "\(count) intervals of \(interval) frames")
      }
      var plot = Plot(
        title: row.name, x: .init(title: "", isWhole: true, includes: [0, longest]),
        y: .init(title: "count", isWhole: true),
        series: [Plot.Series(name: "", colour: colour(index), kind: .bars, marks: marks)])
      (plot.height, plot.hasLegend) = (70, false)
      return plot
    }
    guard var last = plots.last else { return nil }
    last.x.title = "frames from one key frame to the next"
    return ReportFigure(
      name: "intervals", title: "Key frame intervals",
      note: "How often each distance between key frames occurred, over all clips.",
      plots: plots.dropLast() + [last])
  }

  private var longest: Double {
    let all = data.rows.flatMap(\.parts).compactMap(\.run).flatMap {
      $0.result.speed.keyframeIntervals.keys.compactMap(Int.init)
    }
    return Double((all.max() ?? 10) + 1)
  }

  func latency() -> ReportFigure? {
    if data.rows.contains(where: { $0.parts.contains { !$0.rounds.isEmpty } }) {
      return latencyOfRounds()
    }
    let plots = shown.compactMap(latencyHistogram)
    guard var last = plots.last else { return nil }
    last.x.title = "time of a frame (ms), decoding left out"
    return ReportFigure(
      name: "latency", title: "Latency of key frames and of others",
      note: "From the frame in memory to its labels. The slowest one in a hundred is counted in "
        + "the last bin.", plots: plots.dropLast() + [last])
  }

  private func latencyOfRounds() -> ReportFigure? {
    let rows = shown.filter { data.rows[$0].parts.contains { !$0.rounds.isEmpty } }
    guard !rows.isEmpty else { return nil }
    func marks(_ time: (ReportData.Part) -> [Double]) -> [Plot.Mark] {
      rows.enumerated().flatMap { place, index in
        data.rows[index].parts.flatMap { part in
          time(part).map { value in
            Plot.Mark(
              x: value, y: Double(place),
              tip: "\(data.rows[index].name), \(part.clip): " + String(format: "%.2f ms", value))
          }
        }
      }
    }
    let key = marks { $0.rounds.compactMap(\.key) }
    let other = marks { $0.rounds.compactMap(\.nonKey) }
    let all = (key + other).map(\.x)
    let isWide = (all.min() ?? 1) > 0 && (all.max() ?? 1) / (all.min() ?? 1) > 8
    let plot = Plot(
      x: .init(title: "mean time of a frame (ms)", isLogarithmic: isWide),
      y: .init(title: "", rows: rows.map { data.rows[$0].name }),
      series: [
        Plot.Series(name: "key frames", colour: 4, kind: .points, marks: key),
        Plot.Series(name: "other frames", colour: 0, kind: .points, marks: other),
      ].filter { !$0.marks.isEmpty })
    return ReportFigure(
      name: "latency", title: "Latency of key frames and of others",
      note: "A point is a round of timing on one clip, in turn with the other pipelines; optical "
        + "flow is within, decoding left out.", plots: [plot])
  }

  private func latencyHistogram(_ index: Int) -> Plot? {
    let frames = data.rows[index].parts.compactMap(\.run).flatMap(\.frames)
    let times = frames.compactMap(\.milliseconds).sorted()
    guard times.count >= 2, let first = times.first else { return nil }
    let last = times[min(times.count - 1, Int(0.99 * Double(times.count)))]
    let width = max((last - first) / 30, 1e-3)
    func series(_ name: String, _ colour: Int, _ isKey: Bool) -> Plot.Series {
      let bins = frames.filter { $0.isKey == isKey }.compactMap(\.milliseconds).reduce(
        into: [Int: Int]()
      ) { $0[min(30, Int(($1 - first) / width)), default: 0] += 1 }
      return Plot.Series(
        name: name, colour: colour, kind: .bars,
        marks: bins.sorted { $0.key < $1.key }.map { bin, count in
          let low = first + Double(bin) * width
          return Plot.Mark(
            x: low + width / 2, y: Double(count), xLow: low, xHigh: low + width,
            tip: String(format: "%.2f to %.2f ms: %d frames", low, low + width, count))
        })
    }
    var plot = Plot(
      title: data.rows[index].name, x: .init(title: ""),
      y: .init(title: "frames", isWhole: true),
      series: [series("key frames", 4, true), series("other frames", 0, false)]
        .filter { !$0.marks.isEmpty })
    (plot.height, plot.hasLegend) = (80, index == shown.first)
    return plot
  }

  func macs() -> ReportFigure? {
    let rows = shown.filter { data.rows[$0].macsShare != nil }
    guard !rows.isEmpty, !data.showsShares else { return nil }
    let marks = rows.enumerated().map { place, index in
      let row = data.rows[index]
      let share = row.macsShare ?? 0
      let work = row.macs.map { String(format: ", %.3f G", $0 / 1e9) } ?? ""
      return Plot.Mark(
        x: share, y: Double(place), tip: row.name,
        label: String(format: "%.1f %%", 100 * share) + work)
    }
    let plot = Plot(
      x: .init(title: "multiply-adds of a frame, share of a key frame's", isPercent: true),
      y: .init(title: "", rows: rows.map { data.rows[$0].name }),
      series: [Plot.Series(name: "", colour: 0, kind: .rowBars, marks: marks)])
    return ReportFigure(
      name: "macs", title: "Amortised multiply-adds",
      note: "The mean over all frames. Optical flow that no network finds is not counted.",
      plots: [plot])
  }

  func breakEven() -> ReportFigure? {
    let limit = 20
    let series = shown.filter { !data.rows[$0].isBaseline }.compactMap { index -> Plot.Series? in
      guard let cost = BreakEven(data.rows[index]) else { return nil }
      return Plot.Series(
        name: "\(data.rows[index].name): \(cost.text)", colour: colour(index), kind: .line,
        marks: (1...limit).map {
          Plot.Mark(
            x: Double($0), y: cost.relative($0),
            tip: "\(data.rows[index].name), every:\($0): "
              + String(format: "%.3f of per-frame inference", cost.relative($0)))
        })
    }
    guard !series.isEmpty else { return nil }
    let one = Plot.Series(
      name: "per-frame inference", colour: -1, kind: .dashes,
      marks: [Plot.Mark(x: 1, y: 1), Plot.Mark(x: Double(limit), y: 1)])
    let plot = Plot(
      x: .init(title: "key frame every N frames", isWhole: true),
      y: .init(title: "cost, over per-frame inference", includes: [0]), series: series + [one])
    let source = data.isTimed ? "times" : "multiply-adds"
    return ReportFigure(
      name: "break-even", title: "Break-even interval",
      note: "What every:N would cost, from the \(source) of key frames and of others; after each "
        + "name the smallest N that is cheaper than per-frame inference.", plots: [plot])
  }
}

/// What key frames and others cost beside per-frame inference.
package struct BreakEven: Sendable {
  let key: Double, nonKey: Double, perFrame: Double

  package init(key: Double, nonKey: Double, perFrame: Double) {
    (self.key, self.nonKey, self.perFrame) = (key, nonKey, perFrame)
  }

  /// Of times where they were taken, else of MACs; nil where either role did not occur.
  init?(_ row: ReportData.Row) {
    let found = row.parts.compactMap { Self.times($0) ?? Self.records($0) }
    guard !found.isEmpty, found.count == row.parts.count else { return nil }
    let count = Double(found.count)
    key = found.reduce(0) { $0 + $1.key } / count
    nonKey = found.reduce(0) { $0 + $1.nonKey } / count
    perFrame = found.reduce(0) { $0 + $1.perFrame } / count
    guard perFrame > 0 else { return nil }
  }

  /// The cost of every:N over that of per-frame inference.
  package func relative(_ interval: Int) -> Double {
    (key + Double(interval - 1) * nonKey) / Double(interval) / perFrame
  }

  /// The smallest interval of at least 2 that costs less than per-frame inference; nil where none
  /// to 1000 does.
  package var interval: Int? { (2...1000).first { relative($0) < 1 } }

  var text: String { interval.map { "from every:\($0)" } ?? "never" }

  private static func times(_ part: ReportData.Part) -> BreakEven? {
    guard let key = ReportData.Row.median(part.rounds.compactMap(\.key)),
      let other = ReportData.Row.median(part.rounds.compactMap(\.nonKey)),
      let base = ReportData.Row.median(part.baselineKeyRounds)
    else { return nil }
    return BreakEven(key: key, nonKey: other, perFrame: base)
  }

  /// From each frame's time, or its MACs where the run was not timed.
  private static func records(_ part: ReportData.Part) -> BreakEven? {
    guard part.rounds.isEmpty, let run = part.run else { return nil }
    return means(run.frames, part.baseline?.frames) { $0.milliseconds }
      ?? means(run.frames, part.baseline?.frames) { Double($0.macs) }
  }

  private static func means(
    _ frames: [FrameRecord], _ baseline: [FrameRecord]?, _ value: (FrameRecord) -> Double?
  ) -> BreakEven? {
    func mean(_ frames: [FrameRecord]) -> Double? {
      let values = frames.compactMap(value)
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    guard let key = mean(frames.filter(\.isKey)), let other = mean(frames.filter { !$0.isKey }),
      let base = baseline.flatMap(mean), base > 0
    else { return nil }
    return BreakEven(key: key, nonKey: other, perFrame: base)
  }
}
