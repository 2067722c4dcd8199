// SPDX-License-Identifier: Apache-2.0

/// Draws label maps over frames, with what a viewer needs to understand them.
public struct Overlay: Sendable {
  /// Where a frame's labels came from: a border and a tag show it.
  public enum Mark: Sendable, Hashable {
    /// The heavy network ran: a bright border.
    case key
    /// Carried over from a key frame so many frames ago: the older, the dimmer.
    case propagated(age: Int)
  }

  /// The classes' names and colours; void ids are not drawn.
  public var palette: Palette
  /// How much of the class colour covers the picture, from 0 to 1.
  public var opacity = 0.5
  /// Whether the classes that occur are named along the lower edge.
  public var showsLegend = true
  /// A line of text in the upper left corner; ASCII.
  public var title: String?
  /// Pixels of a letter's dot; nil for a size that suits the frame.
  public var textScale: Int?

  /// Half-covering colours with a legend and no title.
  public init(palette: Palette) { self.palette = palette }

  /// The frame with the labels over it.
  ///
  /// A label map of another size is scaled to the frame by the nearest label.
  ///
  /// - Precondition: the frame has three channels and the label map one.
  public func drawn(_ labels: Image?, over frame: Image, mark: Mark? = nil) -> Image {
    precondition(frame.channels == 3, "a frame of \(frame.channels) channels")
    precondition(labels?.channels ?? 1 == 1, "a label map of \(labels?.channels ?? 0) channels")
    return Image(width: frame.width, height: frame.height, channels: 3) { bytes in
      guard let pixels = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
      let canvas = Canvas(width: frame.width, height: frame.height, pixels: pixels)
      var present = [Bool](repeating: false, count: 256)
      if let labels {
        blend(labels, over: frame, onto: canvas, present: &present)
      } else {
        frame.withUnsafeBytes { bytes.copyMemory(from: $0) }
      }
      decorate(canvas, present: present, mark: mark)
    }
  }
}

// MARK: blending

extension Overlay {
  /// For every label: how much of the picture stays, of 256, and what is added to it.
  private func blendTable() -> [SIMD4<UInt16>] {
    let share = Int((min(max(opacity, 0), 1) * 256).rounded())
    return (0..<256).map { index in
      let label = UInt8(index)
      guard index < palette.entries.count, !palette.void.contains(label) else {
        return SIMD4(128, 128, 128, 256)
      }
      let colour = palette.colour(of: label)
      let parts = [colour.blue, colour.green, colour.red].map { UInt16(Int($0) * share + 128) }
      return SIMD4(parts[0], parts[1], parts[2], UInt16(256 - share))
    }
  }

  private func blend(
    _ labels: Image, over frame: Image, onto canvas: Canvas, present: inout [Bool]
  ) {
    let columns = nearest(labels.width, for: frame.width)
    let rows = nearest(labels.height, for: frame.height)
    let table = blendTable()
    labels.withUnsafeBytes { labelBytes in
      frame.withUnsafeBytes { frameBytes in
        for y in 0..<frame.height {
          let row = UnsafeRawBufferPointer(rebasing: labelBytes[(rows[y] * labels.width)...])
          let start = y * frame.width * 3
          let source = UnsafeRawBufferPointer(rebasing: frameBytes[start...])
          blendRow(row, columns, source, canvas.pixels + start, table, &present)
        }
      }
    }
  }

  private func blendRow(
    _ labels: UnsafeRawBufferPointer, _ columns: [Int], _ source: UnsafeRawBufferPointer,
    _ out: UnsafeMutablePointer<UInt8>, _ table: [SIMD4<UInt16>], _ present: inout [Bool]
  ) {
    for x in columns.indices {
      let label = Int(labels[columns[x]])
      let entry = table[label]
      present[label] = true
      let at = 3 * x
      out[at] = UInt8(truncatingIfNeeded: (UInt16(source[at]) &* entry.w &+ entry.x) >> 8)
      out[at + 1] = UInt8(truncatingIfNeeded: (UInt16(source[at + 1]) &* entry.w &+ entry.y) >> 8)
      out[at + 2] = UInt8(truncatingIfNeeded: (UInt16(source[at + 2]) &* entry.w &+ entry.z) >> 8)
    }
  }
}

// MARK: decoration

extension Overlay {
  private static let panel = 168
  private static let keyColour = Palette.Colour(255, 208, 0)
  private static let youngColour = Palette.Colour(0, 170, 255)
  private static let oldColour = Palette.Colour(38, 54, 66)
  /// Frames from a key after which the border is at its dimmest.
  private static let oldAge = 12.0

  /// Pixels of a letter's dot on a frame.
  func letterScale(_ canvas: Canvas) -> Int {
    max(1, textScale ?? min(canvas.width / 480, canvas.height / 300))
  }

  /// Draws legend, title and mark over what is there.
  func decorate(_ canvas: Canvas, present: [Bool], mark: Mark?) {
    let scale = letterScale(canvas)
    let border = mark == nil ? 0 : 3 * scale
    if showsLegend { drawLegend(canvas, present, scale: scale, inset: border) }
    if let title { drawTag(title, on: canvas, scale: scale, inset: border, isRight: false) }
    guard let mark else { return }
    canvas.outline(border, Self.colour(of: mark))
    drawTag(
      Self.text(of: mark), on: canvas, scale: scale, inset: border, isRight: true,
      background: Self.colour(of: mark))
  }

  static func text(of mark: Mark) -> String {
    switch mark {
    case .key: "key"
    case .propagated(let age): "+\(age)"
    }
  }

  static func colour(of mark: Mark) -> Palette.Colour {
    switch mark {
    case .key: keyColour
    case .propagated(let age):
      youngColour.mixed(with: oldColour, Double(max(age, 1) - 1) / oldAge)
    }
  }

  private func drawTag(
    _ text: String, on canvas: Canvas, scale: Int, inset: Int, isRight: Bool,
    background: Palette.Colour? = nil
  ) {
    let width = (text.unicodeScalars.count * BitmapFont.width + 6) * scale
    let x = isRight ? canvas.width - inset - width : inset
    let box = Canvas.Box(
      x: x, y: inset, width: width, height: (BitmapFont.height + 4) * scale)
    canvas.fill(box, background ?? .black, opacity: background == nil ? Self.panel : 256)
    let ink = background.map { $0.isBright ? Palette.Colour.black : .white } ?? .white
    canvas.write(text, x: x + 3 * scale, y: inset + 2 * scale, scale: scale, ink)
  }

  /// Swatches and names along the lower edge, in the order of ids, in as many lines as they need.
  private func drawLegend(_ canvas: Canvas, _ present: [Bool], scale: Int, inset: Int) {
    let labels = present.indices.filter { index in
      present[index] && index < palette.entries.count && !palette.void.contains(UInt8(index))
    }
    let lines = legendLines(labels, width: canvas.width - 2 * inset - 6 * scale, scale: scale)
    let lineHeight = (BitmapFont.height + 2) * scale
    let height = lines.count * lineHeight + (lines.isEmpty ? 0 : 4 * scale)
    let top = canvas.height - inset - height
    canvas.fill(
      Canvas.Box(x: inset, y: top, width: canvas.width - 2 * inset, height: height), .black,
      opacity: Self.panel)
    for (index, line) in lines.enumerated() {
      let y = top + 3 * scale + index * lineHeight
      drawLegendLine(line, canvas, x: inset + 4 * scale, y: y, scale: scale)
    }
  }

  private func legendLines(_ labels: [Int], width: Int, scale: Int) -> [[Int]] {
    var (lines, room) = ([[Int]](), 0)
    for label in labels {
      let needed = legendWidth(label, scale: scale)
      if lines.isEmpty || needed > room {
        lines.append([])
        room = width
      }
      lines[lines.count - 1].append(label)
      room -= needed
    }
    return lines
  }

  private func legendWidth(_ label: Int, scale: Int) -> Int {
    let letters = palette.name(of: UInt8(label)).unicodeScalars.count
    return (letters * BitmapFont.width + 21) * scale
  }

  private func drawLegendLine(_ labels: [Int], _ canvas: Canvas, x: Int, y: Int, scale: Int) {
    var left = x
    for label in labels {
      let colour = palette.colour(of: UInt8(label))
      let swatch = Canvas.Box(x: left, y: y, width: 9 * scale, height: 9 * scale)
      canvas.fill(swatch, .white)
      let inner = Canvas.Box(
        x: left + scale, y: y + scale, width: 7 * scale, height: 7 * scale)
      canvas.fill(inner, colour)
      canvas.write(
        palette.name(of: UInt8(label)), x: left + 12 * scale, y: y, scale: scale, .white)
      left += legendWidth(label, scale: scale)
    }
  }
}

extension Palette.Colour {
  /// Whether black text reads better on it than white.
  var isBright: Bool {
    299 * Int(red) + 587 * Int(green) + 114 * Int(blue) > 128_000
  }
}
