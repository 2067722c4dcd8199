// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct OverlayTests {
  private func plain(opacity: Double) -> Overlay {
    var overlay = Overlay(palette: .camVid)
    (overlay.opacity, overlay.showsLegend) = (opacity, false)
    return overlay
  }

  @Test func noOpacityLeavesTheFrame() {
    let frame = noise(width: 31, height: 17)
    let labels = noise(width: 31, height: 17, channels: 1)
    #expect(plain(opacity: 0).drawn(labels, over: frame) == frame)
    #expect(plain(opacity: 0.5).drawn(nil, over: frame) == frame)
  }

  @Test func fullOpacityShowsThePaletteAndVoidShowsThePicture() {
    let frame = noise(width: 12, height: 1)
    let labels = Image(width: 12, height: 1, channels: 1, bytes: (0..<12).map(UInt8.init))
    let drawn = plain(opacity: 1).drawn(labels, over: frame)
    for x in 0..<11 {
      let colour = Palette.camVid.entries[x].colour
      #expect(drawn.bytes[(3 * x)..<(3 * x + 3)] == [colour.blue, colour.green, colour.red])
    }
    #expect(drawn.bytes[33...] == frame.bytes[33...])
  }

  @Test func blendingRoundsToTheNearestValue() {
    let frame = noise(width: 64, height: 64)
    let labels = Image(width: 64, height: 64, channels: 1, repeating: 3)
    let drawn = plain(opacity: 0.25).drawn(labels, over: frame).bytes
    let colour = [128.0, 64, 128]
    for (index, value) in frame.bytes.enumerated() {
      let exact = Double(value) * 0.75 + colour[index % 3] * 0.25
      #expect(abs(Double(drawn[index]) - exact) <= 0.5)
    }
  }

  @Test func smallLabelMapsGrowByTheNearestLabel() {
    let frame = Image(width: 4, height: 4, channels: 3, repeating: 0)
    let labels = Image(width: 2, height: 2, channels: 1, bytes: [0, 1, 2, 3])
    let large = Image(
      width: 4, height: 4, channels: 1, bytes: [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3])
    let overlay = plain(opacity: 1)
    #expect(overlay.drawn(labels, over: frame) == overlay.drawn(large, over: frame))
  }

  @Test func bordersTellKeysFromPropagatedFramesAndFade() {
    let frame = Image(width: 120, height: 80, channels: 3, repeating: 90)
    let overlay = plain(opacity: 1)
    let corner = { (mark: Overlay.Mark) in
      Array(overlay.drawn(nil, over: frame, mark: mark).bytes.prefix(3)).map(Int.init)
    }
    let brightness = [
      Overlay.Mark.key, .propagated(age: 1), .propagated(age: 5), .propagated(age: 12),
    ]
    .map { corner($0).reduce(0, +) }
    #expect(brightness == brightness.sorted(by: >) && Set(brightness).count == 4)
  }

  @Test(arguments: [(1, 1), (3, 200), (200, 3), (480, 360)])
  func everySizeCanBeDrawn(width: Int, height: Int) {
    var overlay = Overlay(palette: .cityscapes)
    overlay.title = "DFF, every 10 – ä"
    let frame = noise(width: width, height: height)
    let labels = noise(width: max(width / 2, 1), height: max(height / 2, 1), channels: 1)
    let drawn = overlay.drawn(labels, over: frame, mark: .propagated(age: 1234))
    #expect((drawn.width, drawn.height) == (width, height))
  }

  @Test func theLegendNamesOnlyWhatOccurs() {
    var overlay = Overlay(palette: .camVid)
    overlay.opacity = 0
    let frame = Image(width: 300, height: 100, channels: 3, repeating: 200)
    let void = Image(width: 300, height: 100, channels: 1, repeating: 11)
    #expect(overlay.drawn(void, over: frame) == frame)
    let road = Image(width: 300, height: 100, channels: 1, repeating: 3)
    #expect(overlay.drawn(road, over: frame) != frame)
  }

  @Test(
    .enabled(if: ProcessInfo.processInfo.environment["INBETWEEN_LOOK"] != nil, "for looking only"))
  func aDrivingSceneToLookAt() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["INBETWEEN_LOOK"])
    let camVid = try #require(sharedData).path + "/camvid/"
    let frame = try Image(contentsOf: camVid + "val/0016E5_07959.webp")
    let labels = try Image.labels(contentsOf: camVid + "valannot/0016E5_07959.png")
    var overlay = Overlay(palette: .camVid)
    overlay.title = "Deep Feature Flow, key every 10"
    try overlay.drawn(labels, over: frame, mark: .key).writePNG(to: folder + "/key.png")
    try overlay.drawn(labels, over: frame, mark: .propagated(age: 7)).writePNG(
      to: folder + "/aged.png")
    let start = ContinuousClock.now
    for _ in 0..<100 { _ = overlay.drawn(labels, over: frame, mark: .key) }
    print("overlay at 480×360:", (ContinuousClock.now - start) / 100)
  }
}
