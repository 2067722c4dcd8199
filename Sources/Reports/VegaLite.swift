// SPDX-License-Identifier: Apache-2.0

/// Plots as a Vega-Lite specification of version 5, with their data inside.
enum VegaLite {
  static func specification(_ plots: [Plot], title: String) -> JSONValue {
    var root: [String: JSONValue] =
      plots.count == 1
      ? view(plots[0]) : ["vconcat": .array(plots.map { .object(view($0)) })]
    root["$schema"] = "https://vega.github.io/schema/vega-lite/v5.json"
    root["description"] = .string(title)
    if plots.count == 1 { root["title"] = .string(title) }
    return .object(root)
  }

  private static func view(_ plot: Plot) -> [String: JSONValue] {
    var view: [String: JSONValue] = [
      "width": 560,
      "height": .number(
        plot.y.rows.map { Double($0.count) * 28 } ?? plot.height),
      "layer": .array(plot.series.filter { !$0.marks.isEmpty }.flatMap { layers($0, of: plot) }),
    ]
    if let title = plot.title { view["title"] = .string(title) }
    return view
  }

  private static func layers(_ series: Plot.Series, of plot: Plot) -> [JSONValue] {
    let colour = JSONValue.string(Plot.colour(series.colour))
    let data: JSONValue = .object(["values": .array(series.marks.map { row($0, series, plot) })])
    var layers: [JSONValue] = []
    func add(_ mark: [String: JSONValue], _ encoding: [String: JSONValue]) {
      var mark = mark
      mark["color"] = colour
      layers.append(
        ["data": data, "mark": .object(mark), "encoding": .object(encoding)])
    }
    let (x, y) = (channel(plot.x, "x"), channel(plot.y, plot.y.rows == nil ? "y" : "row"))
    let both: [String: JSONValue] = [
      "x": x, "y": y, "tooltip": ["field": "tip", "type": "nominal"],
    ]
    switch series.kind {
    case .line, .dashes:
      var mark: [String: JSONValue] = ["type": "line"]
      if series.kind == .dashes { mark["strokeDash"] = [5, 4] }
      if series.hasPoints { mark["point"] = ["color": colour] }
      add(mark, both)
    case .points: add(["type": "circle", "size": 60], both)
    case .ticks: add(["type": "tick", "thickness": 2], ["x": x])
    case .bars:
      add(
        ["type": "rect"],
        [
          "x": channel(plot.x, "x_low"), "x2": ["field": "x_high"], "y": y,
          "y2": ["datum": 0],
        ])
    case .rowBars: add(["type": "bar"], both)
    }
    if series.kind != .bars {
      if series.marks.contains(where: { $0.yLow != nil }) {
        add(["type": "rule"], ["x": x, "y": channel(plot.y, "y_low"), "y2": ["field": "y_high"]])
      }
      if series.marks.contains(where: { $0.xLow != nil }) {
        add(["type": "rule"], ["y": y, "x": channel(plot.x, "x_low"), "x2": ["field": "x_high"]])
      }
    }
    if series.marks.contains(where: { $0.label != nil }) {
      var encoding = both
      encoding["text"] = ["field": "label", "type": "nominal"]
      add(["type": "text", "align": "left", "dx": 7, "dy": -7], encoding)
    }
    return layers
  }

  private static func row(
    _ mark: Plot.Mark, _ series: Plot.Series, _ plot: Plot
  ) -> JSONValue {
    var row: [String: JSONValue] = ["x": .init(mark.x), "series": .string(series.name)]
    if let rows = plot.y.rows {
      row["row"] = .string(rows.indices.contains(Int(mark.y)) ? rows[Int(mark.y)] : "")
    } else {
      row["y"] = .init(mark.y)
    }
    for (name, value) in [
      ("x_low", mark.xLow), ("x_high", mark.xHigh), ("y_low", mark.yLow), ("y_high", mark.yHigh),
    ] {
      if let value { row[name] = .init(value) }
    }
    if !mark.tip.isEmpty { row["tip"] = .string(mark.tip) }
    if let label = mark.label { row["label"] = .string(label) }
    return .object(row)
  }

  private static func channel(_ axis: Plot.Axis, _ field: String) -> JSONValue {
    guard axis.rows == nil else {
      return ["field": "row", "type": "nominal", "title": .null, "sort": .null]
    }
    var scale: [String: JSONValue] = ["zero": false]
    if axis.isLogarithmic { scale = ["type": "log", "nice": false] }
    var channel: [String: JSONValue] = [
      "field": .string(field), "type": "quantitative", "title": .string(axis.title),
      "scale": .object(scale),
    ]
    if axis.isPercent { channel["axis"] = ["format": ".0%"] }
    return .object(channel)
  }
}
