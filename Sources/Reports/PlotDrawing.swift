// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Draws plots under each other.
struct PlotDrawing {
  private let plots: [Plot]
  private let width: Double
  private var canvas = SVGCanvas()
  private var top = 6.0

  /// The plots as one picture of a width.
  static func svg(_ plots: [Plot], width: Double, title: String) -> String {
    var drawing = PlotDrawing(plots: plots, width: width)
    for plot in plots { drawing.draw(plot) }
    return drawing.canvas.document(width: width, height: drawing.top, title: title)
  }

  private init(plots: [Plot], width: Double) { (self.plots, self.width) = (plots, width) }

  private mutating func draw(_ plot: Plot) {
    if let title = plot.title {
      canvas.text(
        8, top + 14, SVGCanvas.fitted(title, to: width - 16), more: " font-weight=\"bold\"")
      top += 22
    }
    if plot.hasLegend { legend(of: plot) }
    let isRows = plot.y.rows != nil
    let height = isRows ? Double(plot.y.rows?.count ?? 0) * Plot.rowHeight : plot.height
    let bars = plot.series.contains { $0.kind == .rowBars }
    let columns = plot.series.contains { $0.kind == .bars }
    let xScale = PlotScale(
      plot.values(\.xLow, \.x, \.xHigh), plot.x, wanted: width < 500 ? 4 : 8, fromZero: bars)
    let yScale = PlotScale(
      plot.values(\.yLow, \.y, \.yHigh), plot.y, wanted: max(2, Int(height / 40)),
      fromZero: columns)
    let widest = yScale.ticks.map { SVGCanvas.width(yScale.text($0, plot.y)) }.max() ?? 20
    let left = isRows || plot.y.title.isEmpty ? 14 : widest + 34
    let frame = PlotFrame(
      left: left, top: top, right: width - 14, bottom: top + height, x: xScale, y: yScale,
      isRows: isRows)
    frame.drawAxes(of: plot, on: &canvas)
    for series in plot.series { frame.draw(series, on: &canvas) }
    frame.drawLabels(of: plot, on: &canvas)
    top += height + (plot.x.title.isEmpty ? 26 : 46)
    for line in plot.caption.flatMap({ SVGCanvas.wrapped($0, to: width - 20, size: 11) }) {
      canvas.text(10, top + 8, line, size: 11, colour: "#666")
      top += 16
    }
  }

  /// Names of the series with their colours, in as many lines as it takes.
  private mutating func legend(of plot: Plot) {
    var x = 10.0
    for series in plot.series where !series.name.isEmpty {
      let name = SVGCanvas.fitted(series.name, to: width - 40)
      let needed = SVGCanvas.width(name) + 30
      if x + needed > width, x > 10 { (x, top) = (10, top + 18) }
      let colour = Plot.colour(series.colour)
      switch series.kind {
      case .line: canvas.line(x, top + 9, x + 12, top + 9, colour, more: " stroke-width=\"2.5\"")
      case .dashes:
        canvas.line(
          x, top + 9, x + 12, top + 9, colour, more: " stroke-dasharray=\"4 3\" stroke-width=\"2\"")
      case .ticks: canvas.line(x + 6, top + 3, x + 6, top + 15, colour, more: " stroke-width=\"2\"")
      case .points: canvas.circle(x + 6, top + 9, 4.5, fill: colour, tip: "")
      case .bars, .rowBars: canvas.rectangle(x + 1, top + 4, 10, 10, fill: colour)
      }
      canvas.text(x + 17, top + 13, name)
      x += needed
    }
    top += 24
  }
}

/// The place between the axes of one plot.
struct PlotFrame {
  let left: Double, top: Double, right: Double, bottom: Double
  let x: PlotScale, y: PlotScale
  let isRows: Bool

  func x(_ value: Double) -> Double { left + min(max(x.share(value), 0), 1) * (right - left) }

  func y(_ value: Double) -> Double {
    isRows
      ? top + (value + 0.68) * Plot.rowHeight
      : bottom - min(max(y.share(value), 0), 1) * (bottom - top)
  }

  func drawAxes(of plot: Plot, on canvas: inout SVGCanvas) {
    var last = -Double.infinity
    for tick in x.ticks {
      let (place, words) = (x(tick), x.text(tick, plot.x))
      canvas.line(place, top, place, bottom, "#eee")
      let half = SVGCanvas.width(words) / 2
      guard place - half > last + 4 else { continue }
      // At the edges of the picture a number moves inwards.
      let middle = min(max(place, half + 2), right + 12 - half)
      canvas.text(middle, bottom + 17, words, anchor: "middle", colour: "#555")
      last = place + half
    }
    if let rows = plot.y.rows {
      for (row, name) in rows.enumerated() {
        let line = top + Double(row) * Plot.rowHeight
        canvas.text(
          left + 4, line + 14, SVGCanvas.fitted(name, to: right - left - 8), colour: "#333")
        canvas.line(left, line + Plot.rowHeight, right, line + Plot.rowHeight, "#ddd")
      }
    } else if !plot.y.title.isEmpty {
      for tick in y.ticks {
        canvas.line(left, y(tick), right, y(tick), "#e4e4e4")
        canvas.text(left - 7, y(tick) + 4, y.text(tick, plot.y), anchor: "end", colour: "#555")
      }
      let middle = SVGCanvas.place((top + bottom) / 2)
      canvas.text(
        14, (top + bottom) / 2,
        SVGCanvas.fitted(plot.y.title, to: bottom - top + 20, size: 12.5), anchor: "middle",
        size: 12.5,
        more: " transform=\"rotate(-90 14 \(middle))\"")
    }
    let corner = [left, top, bottom, right].map(SVGCanvas.place)
    canvas.add(
      "<path d=\"M\(corner[0]) \(corner[1])V\(corner[2])H\(corner[3])\" fill=\"none\" "
        + "stroke=\"#888\"/>")
    guard !plot.x.title.isEmpty else { return }
    let title = plot.x.title + (x.isLogarithmic ? ", log scale" : "")
    canvas.text(
      (left + right) / 2, bottom + 36, SVGCanvas.fitted(title, to: right - left + 20, size: 12.5),
      anchor: "middle", size: 12.5)
  }

  func draw(_ series: Plot.Series, on canvas: inout SVGCanvas) {
    let colour = Plot.colour(series.colour)
    switch series.kind {
    case .line, .dashes:
      let more = series.kind == .dashes ? " stroke-dasharray=\"5 4\"" : " stroke-width=\"2\""
      canvas.path(series.marks.map { (x($0.x), y($0.y)) }, colour, more: more)
      whiskers(series, colour, on: &canvas)
      for mark in series.marks where series.hasPoints {
        canvas.circle(x(mark.x), y(mark.y), 3.2, fill: colour, tip: mark.tip)
      }
    case .points:
      whiskers(series, colour, on: &canvas)
      for mark in series.marks {
        canvas.circle(x(mark.x), y(mark.y), 4.5, fill: colour, tip: mark.tip)
      }
    case .ticks:
      for mark in series.marks {
        canvas.line(
          x(mark.x), bottom - 9, x(mark.x), bottom + 3, colour, more: " stroke-width=\"1.6\"")
      }
    case .bars:
      for mark in series.marks {
        let (from, to) = (x(mark.xLow ?? mark.x), x(mark.xHigh ?? mark.x))
        canvas.rectangle(
          from, y(mark.y), max(to - from - 0.6, 1), bottom - y(mark.y), fill: colour, tip: mark.tip,
          more: " fill-opacity=\"0.8\"")
      }
    case .rowBars:
      for mark in series.marks {
        canvas.rectangle(
          left, y(mark.y) - 6, x(mark.x) - left, 12, fill: colour, tip: mark.tip,
          more: " fill-opacity=\"0.8\"")
      }
    }
  }

  private func whiskers(_ series: Plot.Series, _ colour: String, on canvas: inout SVGCanvas) {
    for mark in series.marks {
      let more = " stroke-width=\"1.3\" stroke-opacity=\"0.55\""
      if let low = mark.yLow, let high = mark.yHigh, low < high {
        canvas.line(x(mark.x), y(low), x(mark.x), y(high), colour, more: more)
      }
      if let low = mark.xLow, let high = mark.xHigh, low < high {
        canvas.line(x(low), y(mark.y), x(high), y(mark.y), colour, more: more)
      }
    }
  }

  /// The room that the bars of a mark's intervals take.
  private func whiskerBoxes(_ mark: Plot.Mark) -> [LabelPlacement.Box] {
    let (across, down) = (x(mark.x), y(mark.y))
    var boxes: [LabelPlacement.Box] = []
    if let low = mark.xLow, let high = mark.xHigh {
      boxes.append(.init(left: x(low), top: down - 2, right: x(high), bottom: down + 2))
    }
    if let low = mark.yLow, let high = mark.yHigh {
      boxes.append(.init(left: across - 2, top: y(high), right: across + 2, bottom: y(low)))
    }
    return boxes
  }

  func drawLabels(of plot: Plot, on canvas: inout SVGCanvas) {
    let marks = plot.series.flatMap(\.marks)
    if isRows {
      for mark in marks {
        guard let label = mark.label else { continue }
        let place = x(mark.x)
        let fits = place + 8 + SVGCanvas.width(label) < right
        canvas.text(
          fits ? place + 7 : place - 7, y(mark.y) + 4, label, anchor: fits ? "start" : "end",
          size: 11.5, colour: fits ? "#333" : "#fff")
      }
      return
    }
    let named = marks.filter { $0.label != nil }
    guard !named.isEmpty else { return }
    let dots = marks.map { (x: x($0.x), y: y($0.y)) }
    let labels = LabelPlacement(
      points: named.map { (x($0.x), y($0.y)) }, names: named.map { $0.label ?? "" },
      obstacles: dots, lines: marks.flatMap(whiskerBoxes),
      inside: (left + 2, top, right, bottom - 2))
    labels.draw(on: &canvas)
  }
}
