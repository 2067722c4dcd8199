// SPDX-License-Identifier: Apache-2.0

extension Overlay {
  /// The frame with boxes over it, each with the name of its class, its identity where it has one,
  /// and its score.
  ///
  /// Boxes are in the frame's pixels. Masks are tinted in the colour of their box, as `opacity`
  /// says; key points that are more likely seen than not are dots. A line is as thick as suits the
  /// frame and lies inside its box, in the colour that the palette gives the category, as bright as
  /// that hue can be. Names and scores are on top of all lines, the surest above the rest; a box
  /// less than twice as high as its text has none. `names` are by category; one that is not in it
  /// is called by its number. Boxes without a pixel in the frame are left out.
  ///
  /// - Precondition: the frame has three channels.
  public func drawn(
    boxes: [Detection], names: [String], over frame: Image, mark: Mark? = nil
  ) -> Image {
    painted(over: frame) { canvas in
      let sorted = boxes.enumerated().sorted {
        let (a, b) = ($0.element.score, $1.element.score)
        return a == b ? $0.offset > $1.offset : a < b
      }
      let placed = sorted.compactMap { _, detection in
        Self.pixels(of: detection.box, on: canvas).map { (box: $0, detection: detection) }
      }
      for (_, detection) in placed { tint(detection, on: canvas) }
      for (box, detection) in placed { outline(box, detection, on: canvas) }
      for (_, detection) in placed { dot(detection, on: canvas) }
      for (box, detection) in placed {
        let category = detection.category
        let name = names.indices.contains(category) ? names[category] : "\(category)"
        let identity = detection.identity.map { " \($0)" } ?? ""
        drawTag("\(name)\(identity) \(Self.percent(detection.score))", box, detection, on: canvas)
      }
      decorate(canvas, present: [Bool](repeating: false, count: 256), mark: mark)
    }
  }

  /// The frame with the depth over it in colours; see `DepthMap.coloured(range:)`.
  ///
  /// `opacity` says how much the colours cover the picture; where depth is unknown, the picture
  /// shows. A map of another size is scaled to the frame by the nearest depth.
  ///
  /// - Precondition: the frame has three channels; the range, in metres, begins above 0.
  public func drawn(
    depth: DepthMap, over frame: Image, range: ClosedRange<Float> = 2...80, mark: Mark? = nil
  ) -> Image {
    let metres = depth.resized(to: frame.size).metres
    let (colours, share) = (DepthColours(range), Int((min(max(opacity, 0), 1) * 256).rounded()))
    return painted(over: frame) { canvas in
      for (index, depth) in metres.enumerated() where depth > 0 {
        let dot = Canvas.Box(x: index % frame.width, y: index / frame.width, width: 1, height: 1)
        canvas.fill(dot, colours.colour(of: depth), opacity: share)
      }
      decorate(canvas, present: [Bool](repeating: false, count: 256), mark: mark)
    }
  }

  /// A copy of the frame that `body` has drawn on.
  private func painted(over frame: Image, _ body: (Canvas) -> Void) -> Image {
    precondition(frame.channels == 3, "a frame of \(frame.channels) channels")
    return Image(width: frame.width, height: frame.height, channels: 3) { bytes in
      frame.withUnsafeBytes { bytes.copyMemory(from: $0) }
      guard let pixels = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
      body(Canvas(width: frame.width, height: frame.height, pixels: pixels))
    }
  }

  /// A mask of another size than the frame's is left out.
  private func tint(_ detection: Detection, on canvas: Canvas) {
    let size = PixelSize(width: canvas.width, height: canvas.height)
    guard let mask = detection.mask, mask.size == size else { return }
    let colour = boxColour(of: detection.category)
    let share = Int((min(max(opacity, 0), 1) * 256).rounded())
    for (index, cell) in mask.cells.enumerated() where cell != 0 {
      let place = Canvas.Box(
        x: mask.left + index % mask.width, y: mask.top + index / mask.width, width: 1, height: 1)
      canvas.fill(place, colour, opacity: share)
    }
  }

  private func dot(_ detection: Detection, on canvas: Canvas) {
    let (scale, colour) = (letterScale(canvas), boxColour(of: detection.category))
    for point in detection.points where point.confidence >= 0.5 {
      guard (0..<Double(canvas.width)).contains(point.x),
        (0..<Double(canvas.height)).contains(point.y)
      else { continue }
      let (x, y) = (Int(point.x), Int(point.y))
      let side = 2 * scale + 1
      canvas.fill(
        Canvas.Box(x: x - side / 2, y: y - side / 2, width: side, height: side), colour)
    }
  }

  private func outline(_ box: Canvas.Box, _ detection: Detection, on canvas: Canvas) {
    let most = (min(box.width, box.height) + 1) / 2
    canvas.outline(
      box, thickness: min(letterScale(canvas) + 1, most), boxColour(of: detection.category))
  }

  private func drawTag(
    _ text: String, _ box: Canvas.Box, _ detection: Detection, on canvas: Canvas
  ) {
    let (scale, colour) = (letterScale(canvas), boxColour(of: detection.category))
    let width = (text.unicodeScalars.count * BitmapFont.width + 2) * scale
    let height = (BitmapFont.height + 2) * scale
    guard box.height >= 2 * height else { return }
    // Above the box; inside of it where there is no room.
    let tag = Canvas.Box(
      x: max(0, min(box.x, canvas.width - width)), y: box.y >= height ? box.y - height : box.y,
      width: width, height: height)
    canvas.fill(tag, colour)
    canvas.write(
      text, x: tag.x + scale, y: tag.y + scale, scale: scale, colour.isBright ? .black : .white)
  }

  private static func percent(_ score: Double) -> String {
    score.isNaN ? "?" : "\(Int((min(max(score, 0), 1) * 100).rounded()))%"
  }

  /// The palette's colour, scaled so that its strongest part is full; white for black.
  func boxColour(of category: Int) -> Palette.Colour {
    let colour = UInt8(exactly: category).map { palette.colour(of: $0) } ?? .black
    let strongest = max(colour.red, colour.green, colour.blue)
    if strongest == 0 { return .white }
    func scaled(_ part: UInt8) -> UInt8 { UInt8(Int(part) * 255 / Int(strongest)) }
    return Palette.Colour(scaled(colour.red), scaled(colour.green), scaled(colour.blue))
  }

  /// The pixels that a box covers, edges rounded to the nearest pixel; nil for none.
  private static func pixels(of box: BoundingBox, on canvas: Canvas) -> Canvas.Box? {
    func edge(_ value: Double, _ limit: Int) -> Int? {
      value.isNaN ? nil : Int(min(max(value.rounded(), 0), Double(limit)))
    }
    guard let left = edge(box.x, canvas.width), let right = edge(box.x + box.width, canvas.width),
      let top = edge(box.y, canvas.height), let bottom = edge(box.y + box.height, canvas.height),
      left < right, top < bottom
    else { return nil }
    return Canvas.Box(x: left, y: top, width: right - left, height: bottom - top)
  }
}
