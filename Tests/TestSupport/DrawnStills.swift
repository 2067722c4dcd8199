// SPDX-License-Identifier: Apache-2.0

public import Datasets
import Foundation
public import Video

/// Made-up stills of a street: sky, two rows of houses, a road, and things that stand on it.
///
/// Colours are smooth in themselves, so that they can be read between pixels, and tell places and
/// things apart.
public struct DrawnStills: LabelledClip {
  /// What results call the clip.
  public let name = "drawn"
  /// CamVid's eleven classes; 11 is void.
  public let classes = ClassList.camVid
  /// How many stills there are.
  public let count: Int
  /// Columns and rows of every still.
  public var size = PixelSize(width: 200, height: 150)
  /// Whether there are labels.
  public var isLabelled = true
  /// Whether anything stands on the road of a still.
  public var hasThings: @Sendable (_ index: Int) -> Bool = { _ in true }

  /// Stills of a size, all with things on the road unless `hasThings` says otherwise.
  public init(
    count: Int, size: PixelSize = PixelSize(width: 200, height: 150), isLabelled: Bool = true,
    hasThings: @escaping @Sendable (_ index: Int) -> Bool = { _ in true }
  ) {
    (self.count, self.size, self.isLabelled) = (count, size, isLabelled)
    self.hasThings = hasThings
  }

  private struct Thing {
    let label: UInt8, columns: Range<Int>, rows: Range<Int>, colour: Int
  }

  private func things(_ index: Int) -> [Thing] {
    guard hasThings(index) else { return [] }
    let shift = 7 * index % 30
    return [
      Thing(label: 2, columns: 40..<44, rows: 20..<112, colour: 90),
      Thing(label: 6, columns: 36..<49, rows: 18..<30, colour: 150),
      Thing(label: 8, columns: (80 + shift)..<(112 + shift), rows: 80..<104, colour: 200),
      Thing(label: 9, columns: (140 + shift)..<(150 + shift), rows: 70..<108, colour: 60),
    ]
  }

  private func label(_ index: Int, _ x: Int, _ y: Int) -> (label: UInt8, colour: Int) {
    for thing in things(index).reversed() where thing.columns ~= x && thing.rows ~= y {
      return (thing.label, thing.colour)
    }
    let slope = abs(x - size.width / 2) * size.height / size.width
    if y < size.height * 6 / 10 - slope { return (0, 40) }
    if y < size.height / 2 + slope / 2 { return (1, 120) }
    return (3, 0)
  }

  /// A still, drawn anew.
  public func frame(at index: Int) throws -> Frame {
    let picture = Image(width: size.width, height: size.height, channels: 3) { bytes in
      for y in 0..<size.height {
        for x in 0..<size.width {
          let base = Double(label(index, x, y).colour) / 3
          let (u, v) = (Double(x) / 9, Double(y) / 7)
          let at = 3 * (y * size.width + x)
          bytes[at] = UInt8(90 + 60 * sin(u + Double(index)) + base)
          bytes[at + 1] = UInt8(90 + 60 * sin(v + 0.3 * u) + base)
          bytes[at + 2] = UInt8(110 + 50 * cos(0.6 * u - 0.8 * v) + base)
        }
      }
    }
    return Frame(index: index, time: Double(index), pixels: picture)
  }

  /// The labels of a still, drawn anew; nil where they are not wanted.
  public func labels(at index: Int) throws -> Image? {
    guard isLabelled else { return nil }
    return Image(width: size.width, height: size.height, channels: 1) { bytes in
      for y in 0..<size.height {
        for x in 0..<size.width { bytes[y * size.width + x] = label(index, x, y).label }
      }
    }
  }
}

public extension Image {
  /// A sample between pixels, clamped to the picture: slow and plain.
  func bilinear(_ x: Double, _ y: Double, _ channel: Int) -> Double {
    let (x, y) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (fx, fy) = (x - Double(left), y - Double(top))
    let read = { (x: Int, y: Int) in Double(self[x: x, y: y, channel: channel]) }
    let upper = read(left, top) * (1 - fx) + read(right, top) * fx
    let lower = read(left, bottom) * (1 - fx) + read(right, bottom) * fx
    return upper * (1 - fy) + lower * fy
  }

  /// Whether another label lies within `reach` pixels.
  func isEdge(_ x: Int, _ y: Int, reach: Int) -> Bool {
    for j in max(0, y - reach)...min(height - 1, y + reach) {
      for i in max(0, x - reach)...min(width - 1, x + reach)
      where self[x: i, y: j] != self[x: x, y: y] { return true }
    }
    return false
  }
}
