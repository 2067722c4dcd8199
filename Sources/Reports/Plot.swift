// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What is drawn between two axes, at any width, as SVG or Vega-Lite.
struct Plot: Sendable {
  /// What is measured along one side.
  struct Axis: Sendable {
    var title: String
    var isLogarithmic = false
    /// Whether values between whole numbers mean nothing.
    var isWhole = false
    /// Whether values are shares that are told in percent.
    var isPercent = false
    /// Names of the rows 0, 1, …, from the top, where the axis has no numbers.
    var rows: [String]?
    /// What must be seen whatever is drawn.
    var includes: [Double] = []
  }

  /// A place, with the interval around it where one is known.
  struct Mark: Sendable {
    var x: Double
    var y: Double
    var xLow: Double?, xHigh: Double?
    var yLow: Double?, yHigh: Double?
    /// What is told where a pointer rests on it.
    var tip = ""
    /// A text beside it.
    var label: String?
  }

  /// Marks that are drawn alike.
  struct Series: Sendable {
    enum Kind: Sendable { case line, dashes, points, bars, rowBars, ticks }

    var name: String
    var colour: Int
    var kind: Kind
    var marks: [Mark]
    /// Whether points stand over a line that joins them.
    var hasPoints = false
  }

  var title: String?
  var x: Axis, y: Axis
  var series: [Series]
  /// Height between the axes; rows have their own.
  var height = 260.0
  /// Whether a legend tells the series apart.
  var hasLegend = true
  /// Lines in small letters below.
  var caption: [String] = []

  /// The height of a row with its name above it.
  static let rowHeight = 36.0

  static let colours = [
    "#1f6fb4", "#d4621c", "#2c8a3d", "#8e4bb0", "#b0323a", "#00798c", "#8a6d1d", "#5b6470",
  ]

  static func colour(_ index: Int) -> String {
    index < 0 ? "#5b6470" : colours[index % colours.count]
  }

  /// Every value along an axis.
  func values(
    _ low: KeyPath<Mark, Double?>, _ value: KeyPath<Mark, Double>,
    _ high: KeyPath<Mark, Double?>
  ) -> [Double] {
    series.flatMap(\.marks).flatMap { [$0[keyPath: low], $0[keyPath: value], $0[keyPath: high]] }
      .compactMap(\.self).filter(\.isFinite)
  }
}

/// Places values between two ends of a side.
package struct PlotScale {
  package let low: Double, high: Double
  let isLogarithmic: Bool
  package let ticks: [Double]
  /// The distance between two ticks; nil of logarithmic ones.
  let step: Double?

  /// Wide enough for these numbers.
  package init(_ values: [Double], isLogarithmic: Bool = false, wanted: Int) {
    self.init(values, Plot.Axis(title: "", isLogarithmic: isLogarithmic), wanted: wanted)
  }

  /// Wide enough for these values.
  init(_ values: [Double], _ axis: Plot.Axis, wanted: Int, fromZero: Bool = false) {
    let all = values + axis.includes
    let positive = all.filter { $0 > 0 }
    isLogarithmic = axis.isLogarithmic && positive.count == all.count && !positive.isEmpty
    if isLogarithmic {
      let (least, most) = (positive.min() ?? 1, positive.max() ?? 1)
      (low, high) = (least / 1.25, most * 1.25)
      (ticks, step) = (Self.powers(low, high), nil)
      return
    }
    var (least, most) = (all.min() ?? 0, all.max() ?? 1)
    if fromZero { (least, most) = (min(least, 0), max(most, 0)) }
    if most - least < 1e-12 { (least, most) = (least - (fromZero ? 0 : 0.5), most + 0.5) }
    let margin = 0.06 * (most - least)
    low = fromZero && least >= 0 ? 0 : least - margin
    high = most + margin
    (ticks, step) = Self.round(low, high, wanted, isWhole: axis.isWhole)
  }

  /// Where a value lies, from 0 to 1.
  package func share(_ value: Double) -> Double {
    isLogarithmic
      ? log(max(value, 1e-300) / low) / log(high / low) : (value - low) / (high - low)
  }

  private static func round(
    _ low: Double, _ high: Double, _ wanted: Int, isWhole: Bool
  ) -> ([Double], Double) {
    let raw = (high - low) / Double(max(wanted, 2))
    let size = pow(10, floor(log10(raw)))
    var step = [1, 2, 5, 10].map { $0 * size }.first { $0 >= raw * 0.999 } ?? raw
    if isWhole { step = max(1, step.rounded()) }
    let first = Int((low / step - 1e-9).rounded(.up)),
      last = Int((high / step + 1e-9).rounded(.down))
    return (first <= last ? (first...last).map { Double($0) * step } : [], step)
  }

  private static func powers(_ low: Double, _ high: Double) -> [Double] {
    let exponents = Int(floor(log10(low)))...Int(ceil(log10(high)))
    let fine = exponents.flatMap { power in [1.0, 2, 5].map { $0 * pow(10, Double(power)) } }
      .filter { low <= $0 && $0 <= high }
    guard fine.count > 8 else { return fine }
    return exponents.map { pow(10, Double($0)) }.filter { low <= $0 && $0 <= high }
  }

  /// A tick as people write it.
  func text(_ value: Double, _ axis: Plot.Axis) -> String {
    if axis.isPercent { return number(100 * value, step: step.map { 100 * $0 }) + " %" }
    return number(value, step: step)
  }

  private func number(_ value: Double, step: Double?) -> String {
    guard let step else { return String(format: "%g", value) }
    let decimals = min(6, max(0, -Int(floor(log10(step) + 1e-9))))
    return String(format: "%.\(decimals)f", value == 0 ? 0 : value)
  }
}
