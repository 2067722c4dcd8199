// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

/// A figure with what is said under it.
struct ReportFigure: Sendable {
  /// The name of its files.
  let name: String
  let title: String
  /// What is seen, in one or two sentences.
  let note: String
  let plots: [Plot]

  func svg(width: Double) -> String { PlotDrawing.svg(plots, width: width, title: title) }

  var vegaLite: JSONValue { VegaLite.specification(plots, title: title) }
}

/// What a pipeline costs, on which the trade-off is drawn.
struct ReportCost: Sendable {
  let title: String
  let isPercent: Bool
  private let values: [Interval?]

  /// Ratios of times where all have one, else milliseconds, MACs, or key frames.
  init(_ rows: [ReportData.Row]) {
    if rows.allSatisfy({ $0.isBaseline || $0.ratio != nil }),
      rows.contains(where: { $0.ratio != nil })
    {
      (title, isPercent) = ("time ratio to per-frame inference", false)
      values = rows.map { $0.isBaseline ? .exactly(1) : $0.ratio }
    } else if rows.allSatisfy({ $0.milliseconds != nil }) {
      (title, isPercent) = ("mean time of a frame (ms)", false)
      values = rows.map(\.milliseconds)
    } else if rows.allSatisfy({ $0.macsShare != nil }) {
      (title, isPercent) = ("multiply-adds, share of a key frame's", true)
      values = rows.map { $0.macsShare.map(Interval.exactly) }
    } else {
      (title, isPercent) = ("share of key frames", true)
      values = rows.map { $0.keyShare.map(Interval.exactly) }
    }
  }

  subscript(_ index: Int) -> Interval? { values[index] }
}

/// Makes the figures of a report.
struct FigureMaker {
  let data: ReportData
  let cost: ReportCost
  /// Rows that no other beats in both, accuracy and cost, cheapest first.
  let front: [Int]
  /// The rows that figures of single pipelines show: per-frame inference and the front.
  let shown: [Int]

  static let most = 7

  init(_ data: ReportData) {
    self.data = data
    let cost = ReportCost(data.rows)
    let sign = data.lowerIsBetter ? -1.0 : 1.0
    let order = data.rows.indices.filter { cost[$0] != nil }.sorted { one, two in
      (cost[one]?.estimate ?? 0, -sign * data.rows[one].score.estimate)
        < (cost[two]?.estimate ?? 0, -sign * data.rows[two].score.estimate)
    }
    var (front, best) = ([Int](), -Double.infinity)
    for index in order where sign * data.rows[index].score.estimate > best {
      best = sign * data.rows[index].score.estimate
      front.append(index)
    }
    (self.cost, self.front) = (cost, front)
    let base = data.rows.indices.filter { data.rows[$0].isBaseline }.prefix(1)
    var shown = Array(base) + front.filter { !data.rows[$0].isBaseline }.prefix(Self.most - 1)
    // Where few are on the front, the next best are shown beside them.
    for index in data.rows.indices where shown.count < 5 && !shown.contains(index) {
      shown.append(index)
    }
    self.shown = shown
  }

  /// The colour of a shown row.
  func colour(_ index: Int) -> Int {
    data.rows[index].isBaseline
      ? -1 : (shown.filter { !data.rows[$0].isBaseline }.firstIndex(of: index) ?? -1)
  }

  /// All that the data can tell.
  func figures() -> [ReportFigure] {
    [
      tradeOff(), distance(), intervals(), latency(), schedule(), consistency(), macs(),
      breakEven(),
    ].compactMap(\.self)
  }

  func tip(_ index: Int) -> String {
    let row = data.rows[index]
    var text = "\(row.name): \(data.figure) \(told(row.score))"
    if let value = row.milliseconds { text += ", \(told(value, digits: 2)) ms" }
    if let value = row.ratio { text += ", \(told(value, digits: 3)) of per-frame inference" }
    if let share = row.macsShare { text += String(format: ", %.1f %% of MACs", 100 * share) }
    return text
  }

  func told(_ interval: Interval, digits: Int = 4) -> String {
    let text = String(format: "%.\(digits)f", interval.estimate)
    guard interval.isKnown else { return text }
    return text + String(format: " [%.\(digits)f, %.\(digits)f]", interval.low, interval.high)
  }

  private func tradeOff() -> ReportFigure? {
    let rows = data.rows.indices.filter { cost[$0] != nil }
    guard !rows.isEmpty else { return nil }
    let groups = data.rows.map(\.group).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let named = Set(rows.count <= 24 ? rows : front)
    func mark(_ index: Int, _ cost: Interval) -> Plot.Mark {
      let row = data.rows[index]
      var mark = Plot.Mark(x: cost.estimate, y: row.score.estimate, tip: tip(index))
      if cost.isKnown { (mark.xLow, mark.xHigh) = (cost.low, cost.high) }
      if row.score.isKnown { (mark.yLow, mark.yHigh) = (row.score.low, row.score.high) }
      if named.contains(index) {
        let share = data.showsShares ? row.macsShare : nil
        mark.label = row.name + (share.map { String(format: " (%.0f %%)", 100 * $0) } ?? "")
      }
      return mark
    }
    let line = Plot.Series(
      name: "not beaten in both", colour: 5, kind: .line,
      marks: front.compactMap { index in
        cost[index].map { Plot.Mark(x: $0.estimate, y: data.rows[index].score.estimate) }
      })
    let points = groups.enumerated().map { place, group in
      Plot.Series(
        name: group.isEmpty ? (groups.count > 1 ? "other" : "pipelines") : group, colour: place,
        kind: .points,
        marks: rows.filter { data.rows[$0].group == group && !data.rows[$0].isBaseline }
          .compactMap { index in cost[index].map { mark(index, $0) } })
    }
    let base = Plot.Series(
      name: "per-frame inference", colour: -1, kind: .points,
      marks: rows.filter { data.rows[$0].isBaseline }
        .compactMap { index in cost[index].map { mark(index, $0) } })
    let values = rows.compactMap { cost[$0] }.flatMap { [$0.low, $0.high] }
    let isWide = (values.min() ?? 0) > 0 && (values.max() ?? 1) / (values.min() ?? 1) > 8
    var plot = Plot(
      x: .init(
        title: cost.title, isLogarithmic: isWide && !cost.isPercent, isPercent: cost.isPercent),
      y: .init(
        title: data.figure + (data.lowerIsBetter ? " (lower is better)" : " (higher is better)")),
      series: [line] + (points + [base]).filter { !$0.marks.isEmpty })
    plot.height = 360
    plot.caption = data.caption
    return ReportFigure(
      name: "trade-off", title: "Accuracy against cost",
      note: "Each point is a pipeline; bars are 95 % intervals. The line joins those that no other "
        + "beats in both accuracy and cost.", plots: [plot])
  }
}

extension ReportData {
  /// Figures of which less is better.
  private static let errors: Set = [
    "abs_rel", "sq_rel", "rmse", "rmse_log", "flicker_at_keys", "flicker_between", "jump_at_keys",
    "jump_between",
  ]

  /// Whether the main figure is an error.
  var lowerIsBetter: Bool { Self.errors.contains(figure) }

  /// Whether names in the trade-off tell shares of MACs: of summaries, which have no tables beside.
  var showsShares: Bool { rows.allSatisfy(\.parts.isEmpty) }

  /// What a picture without a page says of its figures.
  var caption: [String] {
    guard showsShares else { return [] }
    let named = ["data", "processor", "instructions", "threads", "tensors", "commit"]
    let facts = named.compactMap { name in
      environment[name].map { name == "data" ? $0 : "\(name): \($0)" }
    }
    let shares = rows.contains { $0.macsShare != nil } ? "; in brackets: share of MACs" : ""
    return [
      facts.joined(separator: ", "),
      "time: mean of all frames, from the frame in memory to its labels" + shares,
    ].filter { !$0.isEmpty }
  }
}
