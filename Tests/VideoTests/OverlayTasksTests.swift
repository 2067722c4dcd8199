// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Video

/// Boxes and depth over a frame.
@Suite struct OverlayTasksTests {
  private let palette = Palette(
    [.init("car", .init(0, 100, 50)), .init("person", .init(0, 0, 0))], void: [])

  private func grey(_ width: Int, _ height: Int) -> Image {
    Image(width: width, height: height, channels: 3, repeating: 90)
  }

  private func detection(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, category: Int = 0,
    score: Double = 0.9
  ) -> Detection {
    Detection(
      box: BoundingBox(x: x, y: y, width: width, height: height), category: category, score: score)
  }

  private func pixel(_ image: Image, _ x: Int, _ y: Int) -> [UInt8] {
    (0..<3).map { image[x: x, y: y, channel: $0] }
  }

  /// Half of the colour over half of the grey where the mask is; a dot at a point that is seen.
  @Test func masksAreTintedAndPointsAreDots() {
    let size = PixelSize(width: 200, height: 150)
    var found = detection(30, 40, 50, 60)
    found.mask = ObjectMask(
      size: size, left: 40, top: 70, width: 10, cells: [UInt8](repeating: 1, count: 100))
    found.points = [
      KeyPoint(x: 65.5, y: 85.5, confidence: 0.9), KeyPoint(x: 70.5, y: 75.5, confidence: 0.1),
      KeyPoint(x: 900, y: 5), KeyPoint(x: .nan, y: 5),
    ]
    var overlay = Overlay(palette: palette)
    overlay.opacity = 0.5
    let drawn = overlay.drawn(boxes: [found], names: ["car"], over: grey(200, 150))
    for y in 68..<82 {
      for x in 38..<52 {
        let isInside = (40..<50).contains(x) && (70..<80).contains(y)
        // (90 + 127) / 2, (90 + 255) / 2 and (90 + 0) / 2.
        #expect(pixel(drawn, x, y) == (isInside ? [109, 173, 45] : [90, 90, 90]), "(\(x), \(y))")
      }
    }
    #expect(pixel(drawn, 65, 85) == [127, 255, 0] && pixel(drawn, 70, 75) == [90, 90, 90])
    // A mask of another size is not drawn.
    found.mask = ObjectMask(
      size: PixelSize(width: 60, height: 90), left: 40, top: 70, width: 10,
      cells: [UInt8](repeating: 1, count: 100))
    let other = overlay.drawn(boxes: [found], names: ["car"], over: grey(200, 150))
    #expect(pixel(other, 45, 75) == [90, 90, 90])
  }

  /// The lower three quarters of a box, where its tag cannot be: a line of two pixels, and nothing
  /// else.
  @Test func aBoxIsALineInsideItsEdgesInTheBrightColourOfItsClass() {
    let overlay = Overlay(palette: palette)
    let drawn = overlay.drawn(
      boxes: [detection(30, 40, 50, 60)], names: ["car"], over: grey(200, 150))
    for y in 40..<150 {
      for x in 0..<200 {
        let isInside = (30..<80).contains(x) && (40..<100).contains(y)
        let isInner = (32..<78).contains(x) && (42..<98).contains(y)
        let expected: [UInt8] = isInside && !isInner ? [127, 255, 0] : [90, 90, 90]
        #expect(pixel(drawn, x, y) == expected, "(\(x), \(y))")
      }
    }
  }

  @Test func theTagLiesOnTheBoxAndSaysClassAndScore() {
    let overlay = Overlay(palette: palette)
    let names = ["car", "person"]
    let drawn = { (category: Int, score: Double) in
      overlay.drawn(
        boxes: [detection(30, 40, 50, 60, category: category, score: score)], names: names,
        over: grey(200, 150))
    }
    // "car 90%" is seven letters of 6 × 10 and a rim of one.
    let tag = drawn(0, 0.9)
    let inked = (0..<40).flatMap { y in
      (0..<200).filter { pixel(tag, $0, y) != [90, 90, 90] }.map { (x: $0, y: y) }
    }
    #expect(inked.map(\.x).min() == 30 && inked.map(\.x).max() == 30 + 43)
    #expect(inked.map(\.y).min() == 28 && inked.count == 44 * 12)
    let ink = inked.filter { pixel(tag, $0.x, $0.y) == [0, 0, 0] }.count
    #expect(ink > 40 && ink < 200)
    #expect(drawn(0, 0.9) != drawn(0, 0.8) && drawn(0, 0.9) != drawn(1, 0.9))
    #expect(drawn(0, 0.901) == drawn(0, 0.899))
  }

  @Test func aBoxTooSmallForItsTextHasNone() {
    let overlay = Overlay(palette: palette)
    for (height, isTagged) in [(23.0, false), (24, true)] {
      let drawn = overlay.drawn(
        boxes: [detection(30, 40, 50, height)], names: ["car"], over: grey(200, 150))
      #expect((pixel(drawn, 31, 39) != [90, 90, 90]) == isTagged)
      #expect(pixel(drawn, 31, 41) == [127, 255, 0])
    }
  }

  /// A thinner line of another box crosses where the tag is.
  @Test func tagsAreOnTopOfLines() {
    let tagged = detection(30, 40, 50, 60, score: 0.2)
    let drawn = Overlay(palette: palette).drawn(
      boxes: [tagged, detection(20, 30, 100, 20, category: 1, score: 0.9)], names: ["car"],
      over: grey(200, 150))
    #expect(pixel(drawn, 25, 30) == [255, 255, 255] && pixel(drawn, 30, 30) == [127, 255, 0])
  }

  @Test func theTagStaysInTheFrame() {
    let drawn = Overlay(palette: palette).drawn(
      boxes: [detection(180, 2, 30, 60)], names: ["car"], over: grey(200, 150))
    // No room above: the tag covers the upper edge of the box, and reaches to the right of the
    // frame.
    #expect(pixel(drawn, 156, 2) == [127, 255, 0] && pixel(drawn, 155, 2) == [90, 90, 90])
    #expect(pixel(drawn, 199, 13) == [127, 255, 0] && pixel(drawn, 160, 14) == [90, 90, 90])
  }

  @Test func theSurestBoxIsOnTop() {
    let overlay = Overlay(palette: palette)
    let (car, person) = (
      detection(30, 40, 50, 60, score: 0.5), detection(30, 40, 50, 60, category: 1, score: 0.6)
    )
    for boxes in [[car, person], [person, car]] {
      let drawn = overlay.drawn(boxes: boxes, names: ["car", "person"], over: grey(200, 150))
      #expect(pixel(drawn, 30, 70) == [255, 255, 255])
    }
  }

  @Test func linesGrowWithTheFrame() {
    let drawn = Overlay(palette: palette).drawn(
      boxes: [detection(300, 300, 400, 300)], names: ["car"], over: grey(960, 720))
    #expect(pixel(drawn, 302, 450) == [127, 255, 0] && pixel(drawn, 303, 450) == [90, 90, 90])
  }

  @Test(arguments: [(1, 1), (3, 200), (200, 3), (480, 360)])
  func boxesOfAnyKindAreDrawnOrLeftOut(width: Int, height: Int) {
    let frame = noise(width: width, height: height)
    let overlay = Overlay(palette: palette)
    let outside = [
      detection(-50, 0, 20, 9), detection(0, 1e9, 5, 5), detection(1, 1, 0, 4),
      detection(.nan, 0, 4, 4), detection(2, 2, -1, 3),
    ]
    #expect(overlay.drawn(boxes: outside, names: [], over: frame) == frame)
    let large = [
      detection(-1e12, -1e12, 1e13, 1e13, category: 700), detection(0, 0, 1, 1, score: .nan),
      detection(-5, -5, .infinity, 8, category: -1),
    ]
    let drawn = overlay.drawn(boxes: large, names: ["é"], over: frame, mark: .key)
    #expect(drawn.size == frame.size)
  }

  @Test func depthRunsFromYellowToVioletAndTheUnknownIsBlack() {
    let map = DepthMap(width: 6, height: 1, metres: [1, 4, 16, 64, 900, 0])
    let colours = map.coloured(range: 4...64)
    // Viridis at 1, 1/2 and 0, as matplotlib 3 gives it.
    let anchors = [[253, 231, 37], [253, 231, 37], [33, 145, 140], [68, 1, 84], [68, 1, 84]]
    for (x, anchor) in anchors.enumerated() {
      let found = pixel(colours, x, 0).reversed().map(Int.init)
      #expect(zip(found, anchor).allSatisfy { abs($0 - $1) <= 4 }, "\(found) for \(anchor)")
    }
    #expect(pixel(colours, 5, 0) == [0, 0, 0])
  }

  @Test func nearerIsBrighter() {
    let depths = (1...200).map { Float($0) * 0.5 }
    let colours = DepthMap(width: 200, height: 1, metres: depths).coloured()
    let light = (0..<200).map { x in
      let p = pixel(colours, x, 0).map(Int.init)
      return 114 * p[0] + 587 * p[1] + 299 * p[2]
    }
    #expect(light == light.sorted(by: >) && Set(light).count > 100)
  }

  @Test func depthCoversThePictureAsMuchAsIsAskedForAndNotWhereItIsUnknown() {
    let frame = noise(width: 4, height: 2)
    let depth = DepthMap(width: 2, height: 1, metres: [5, 0])
    var overlay = Overlay(palette: palette)
    overlay.opacity = 1
    let whole = overlay.drawn(depth: depth, over: frame)
    let colour = depth.coloured()
    overlay.opacity = 0.5
    let half = overlay.drawn(depth: depth, over: frame)
    for y in 0..<2 {
      for x in 0..<4 {
        let (seen, full) = (pixel(frame, x, y), pixel(colour, 0, 0))
        #expect(pixel(whole, x, y) == (x < 2 ? full : seen))
        for (channel, value) in pixel(half, x, y).enumerated() {
          let mean = (Double(seen[channel]) + Double(full[channel])) / 2
          #expect(x < 2 ? abs(Double(value) - mean) <= 0.5 : value == seen[channel])
        }
      }
    }
    overlay.opacity = 0
    #expect(overlay.drawn(depth: depth, over: frame) == frame)
  }

  @Test func aMarkFramesBoxesAndDepthAsItFramesLabels() {
    let overlay = Overlay(palette: palette)
    let frame = grey(120, 80)
    let marked = overlay.drawn(nil, over: frame, mark: .propagated(age: 3))
    #expect(overlay.drawn(boxes: [], names: [], over: frame, mark: .propagated(age: 3)) == marked)
    let unknown = DepthMap(width: 1, height: 1, metres: [0])
    #expect(overlay.drawn(depth: unknown, over: frame, mark: .propagated(age: 3)) == marked)
  }
}
