// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Gathers the elements of a picture.
struct SVGCanvas {
  private(set) var lines: [String] = []

  static let font = "font-family=\"Helvetica, Arial, sans-serif\""

  static func place(_ value: Double) -> String { String(format: "%.1f", value) }

  mutating func add(_ line: String) { lines.append(line) }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ stroke: String, more: String = ""
  ) {
    let places = [x1, y1, x2, y2].map(Self.place)
    add(
      "<line x1=\"\(places[0])\" y1=\"\(places[1])\" x2=\"\(places[2])\" y2=\"\(places[3])\" "
        + "stroke=\"\(stroke)\"\(more)/>")
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, tip: String = "",
    more: String = ""
  ) {
    let places = [x, y, max(width, 0), max(height, 0)].map(Self.place)
    add(
      "<rect x=\"\(places[0])\" y=\"\(places[1])\" width=\"\(places[2])\" "
        + "height=\"\(places[3])\" fill=\"\(fill)\"\(more)>\(Self.title(tip))</rect>")
  }

  mutating func circle(_ x: Double, _ y: Double, _ radius: Double, fill: String, tip: String) {
    add(
      "<circle cx=\"\(Self.place(x))\" cy=\"\(Self.place(y))\" r=\"\(Self.place(radius))\" "
        + "fill=\"\(fill)\">\(Self.title(tip))</circle>")
  }

  mutating func text(
    _ x: Double, _ y: Double, _ words: String, anchor: String = "start", size: Double = 12,
    colour: String = "#222", more: String = ""
  ) {
    add(
      "<text x=\"\(Self.place(x))\" y=\"\(Self.place(y))\" \(Self.font) font-size=\"\(size)\" "
        + "fill=\"\(colour)\" text-anchor=\"\(anchor)\"\(more)>\(escaped(words))</text>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], _ stroke: String, more: String = "") {
    let places = points.map { "\(Self.place($0.x)),\(Self.place($0.y))" }.joined(separator: " ")
    add("<polyline points=\"\(places)\" fill=\"none\" stroke=\"\(stroke)\"\(more)/>")
  }

  private static func title(_ tip: String) -> String {
    tip.isEmpty ? "" : "<title>\(escaped(tip))</title>"
  }

  /// The picture as a document; the title is for those who cannot see it.
  func document(width: Double, height: Double, title: String) -> String {
    let (across, down) = (Self.place(width), Self.place(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(across)" height="\(down)" \
      viewBox="0 0 \(across) \(down)" role="img">
      <title>\(escaped(title))</title>
      <rect width="\(across)" height="\(down)" fill="#fff"/>
      \(lines.joined(separator: "\n"))
      </svg>

      """
  }

  /// About how wide a text is.
  static func width(_ text: String, size: Double = 12) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E80 ? 1.05 : 0.53) * size }
  }

  /// A text in lines, broken between words.
  static func wrapped(_ text: String, to width: Double, size: Double) -> [String] {
    text.split(separator: " ").reduce(into: [String]()) { lines, word in
      guard let last = lines.last, Self.width(last + " " + word, size: size) <= width else {
        return lines.append(String(word))
      }
      lines[lines.count - 1] = last + " " + word
    }
  }

  /// The beginning of a text that is too long.
  static func fitted(_ text: String, to width: Double, size: Double = 12) -> String {
    guard Self.width(text, size: size) > width else { return text }
    var text = text
    while !text.isEmpty, Self.width(text + "…", size: size) > width { text.removeLast() }
    return text + "…"
  }
}

/// A text as XML and HTML have it; characters that may not stand there are left out.
package func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    case _ where scalar.value < 0x20 || scalar.value == 0x7F: continue
    case _ where scalar.value == 0xFFFE || scalar.value == 0xFFFF: continue
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
