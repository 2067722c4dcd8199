// SPDX-License-Identifier: Apache-2.0

public import Flow
internal import Foundation
public import Video

/// How much a sample is changed before a network sees it: alike for the picture, its labels and its
/// motion, but for the colours.
public struct Augmentation: Hashable, Sendable {
  /// The size of what comes out.
  public var crop: PixelSize
  /// How much larger things become; drawn evenly in the logarithm.
  public var scale: ClosedRange<Double>
  /// The longest rotation either way, in degrees.
  public var rotation: Double
  /// Whether every other sample is mirrored.
  public var flips: Bool
  /// How far brightness, contrast and saturation stray from 1, and each channel by a third of it.
  public var colour: Double

  /// Crops of a size, mirrored half of the time and otherwise unchanged unless said so.
  public init(
    crop: PixelSize, scale: ClosedRange<Double> = 1...1, rotation: Double = 0, flips: Bool = true,
    colour: Double = 0
  ) {
    (self.crop, self.scale, self.rotation) = (crop, scale, rotation)
    (self.flips, self.colour) = (flips, colour)
  }

  /// What is done to one sample of `size`.
  ///
  /// The crop lies anywhere inside the picture or, with `focus`, so that this pixel is somewhere
  /// within its inner half.
  public func draw(
    for size: PixelSize, focus: (x: Int, y: Int)? = nil, from random: inout RandomStream
  ) -> View {
    let scale = exp(
      random.draw(in: log(self.scale.lowerBound)...log(self.scale.upperBound)))
    let angle = random.draw(in: -rotation...rotation) * .pi / 180
    let isFlipped = random.unit() < 0.5 && flips
    // The middle of the crop, in the source; where the crop is the larger, that of the source.
    func middle(_ source: Int, _ crop: Int, near pixel: Int?) -> Double {
      let half = Double(crop) / scale / 2
      let (low, high) = (half - 0.5, Double(source) - half - 0.5)
      let place = random.unit()
      guard low < high else { return Double(source - 1) / 2 }
      guard let pixel else { return low + (high - low) * place }
      return min(max(Double(pixel) + (place - 0.5) * half, low), high)
    }
    let centre = SIMD2(
      middle(size.width, crop.width, near: focus?.x),
      middle(size.height, crop.height, near: focus?.y))
    let (cosine, sine) = (cos(angle) / scale, sin(angle) / scale)
    let mirror: Double = isFlipped ? -1 : 1
    return View(
      size: crop, across: SIMD2(cosine * mirror, sine * mirror), down: SIMD2(-sine, cosine),
      centre: centre, colours: ColourChange(straying: colour, from: &random))
  }

  /// An affine view of a picture: which place of the source each pixel shows, and in which colours.
  public struct View: Sendable {
    let size: PixelSize
    /// What one pixel to the right, and one down, are in the source.
    let across: SIMD2<Double>, down: SIMD2<Double>
    let centre: SIMD2<Double>
    let colours: ColourChange?

    /// The place in the source of the middle of pixel (x, y).
    func place(_ x: Int, _ y: Int) -> SIMD2<Double> {
      centre + across * (Double(x) - Double(size.width - 1) / 2)
        + down * (Double(y) - Double(size.height - 1) / 2)
    }

    /// The same view in other colours.
    public func with(colours: ColourChange?) -> View {
      View(size: size, across: across, down: down, centre: centre, colours: colours)
    }
  }
}

extension Augmentation.View {
  /// The picture in this view, bilinear; what is outside repeats the edge.
  public func image(_ source: Image) -> Image {
    Image(width: size.width, height: size.height, channels: 3) { out in
      source.withUnsafeBytes { bytes in
        for y in 0..<size.height {
          for x in 0..<size.width {
            var colour = Self.sample(bytes, source.size, at: place(x, y))
            if let colours { colour = colours(colour) }
            let rounded = (colour + 0.5).clamped(
              lowerBound: .zero, upperBound: .init(repeating: 255))
            let to = 3 * (y * size.width + x)
            for channel in 0..<3 { out[to + channel] = UInt8(rounded[channel]) }
          }
        }
      }
    }
  }

  /// The colour between the four pixels around a place.
  @inline(__always)
  private static func sample(
    _ bytes: UnsafeRawBufferPointer, _ size: PixelSize, at place: SIMD2<Double>
  ) -> SIMD4<Float> {
    let (column, right) = split(place.x, size.width)
    let (row, below) = split(place.y, size.height)
    let next = column + 1 < size.width ? 3 : 0
    let under = row + 1 < size.height ? 3 * size.width : 0
    let at = 3 * (row * size.width + column)
    var colour = SIMD4<Float>.zero
    for i in at..<at + 3 {
      let top = Float(bytes[i]) * (1 - right) + Float(bytes[i + next]) * right
      let bottom = Float(bytes[i + under]) * (1 - right) + Float(bytes[i + under + next]) * right
      colour[i - at] = top * (1 - below) + bottom * below
    }
    return colour
  }

  /// Labels in this view, from the nearest pixel; `void` outside.
  public func labels(_ source: Image, void: UInt8) -> Image {
    let (width, height) = (source.width, source.height)
    return Image(width: size.width, height: size.height, channels: 1) { out in
      source.withUnsafeBytes { bytes in
        for y in 0..<size.height {
          for x in 0..<size.width {
            let place = (place(x, y) + 0.5).rounded(.down)
            let isInside =
              place.x >= 0 && place.y >= 0 && place.x < Double(width) && place.y < Double(height)
            out[y * size.width + x] =
              isInside ? bytes[Int(place.y) * width + Int(place.x)] : void
          }
        }
      }
    }
  }

  /// Motion in this view, from the nearest pixel; unknown outside.
  ///
  /// Both frames are seen in the same view, so that displacements turn and shrink with it.
  public func motion(_ source: MotionField) -> MotionField {
    let determinant = across.x * down.y - across.y * down.x
    let (width, height, displacements) = (source.width, source.height, source.displacements)
    var cells = [Float](repeating: 0, count: 2 * size.width * size.height)
    var known = [UInt8](repeating: 0, count: size.width * size.height)
    for y in 0..<size.height {
      for x in 0..<size.width {
        let place = (place(x, y) + 0.5).rounded(.down)
        guard place.x >= 0, place.y >= 0, place.x < Double(width), place.y < Double(height)
        else { continue }
        let from = Int(place.y) * width + Int(place.x), to = y * size.width + x
        guard source.known?[from] != 0 else { continue }
        let (dx, dy) = (Double(displacements[2 * from]), Double(displacements[2 * from + 1]))
        cells[2 * to] = Float((dx * down.y - dy * down.x) / determinant)
        cells[2 * to + 1] = Float((across.x * dy - across.y * dx) / determinant)
        known[to] = 1
      }
    }
    return MotionField(
      width: size.width, height: size.height, displacements: cells, known: known)
  }

  /// The pixel at or before a place, kept inside, and how far the place is beyond it.
  @inline(__always)
  private static func split(_ place: Double, _ count: Int) -> (Int, Float) {
    let inside = min(max(place, 0), Double(count - 1))
    let whole = inside.rounded(.down)
    return (Int(whole), Float(inside - whole))
  }
}

/// An affine change of colours: brightness, contrast, saturation and hue in one matrix.
public struct ColourChange: Hashable, Sendable {
  /// What blue, green and red of the source add to each channel, and what is added to all.
  private let columns: (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>)
  private let offset: SIMD4<Float>

  /// Draws factors within `amount` of 1; nil where nothing may change.
  public init?(straying amount: Double, from random: inout RandomStream) {
    guard amount > 0 else { return nil }
    let brightness = Float(random.draw(in: 1 - amount...1 + amount))
    let contrast = Float(random.draw(in: 1 - amount...1 + amount))
    let saturation = Float(random.draw(in: 1 - amount...1 + amount))
    let tint = SIMD3(
      Float(random.draw(in: 1 - amount / 3...1 + amount / 3)),
      Float(random.draw(in: 1 - amount / 3...1 + amount / 3)),
      Float(random.draw(in: 1 - amount / 3...1 + amount / 3)))
    let grey = SIMD3<Float>(0.114, 0.587, 0.299)
    func column(_ channel: Int) -> SIMD4<Float> {
      var column = SIMD4<Float>.zero
      for row in 0..<3 {
        let mixed = (1 - saturation) * grey[channel] + (row == channel ? saturation : 0)
        column[row] = mixed * contrast * brightness * tint[row]
      }
      return column
    }
    columns = (column(0), column(1), column(2))
    var offset = SIMD4<Float>.zero
    for row in 0..<3 { offset[row] = (1 - contrast) * 110 * brightness * tint[row] }
    self.offset = offset
  }

  @inline(__always)
  func callAsFunction(_ bgr: SIMD4<Float>) -> SIMD4<Float> {
    columns.0 * bgr.x + columns.1 * bgr.y + columns.2 * bgr.z + offset
  }

  /// Whether both change every colour alike.
  public static func == (lhs: Self, rhs: Self) -> Bool {
    lhs.columns == rhs.columns && lhs.offset == rhs.offset
  }

  /// Hashes what is added to all colours, which nearly always tells changes apart.
  public func hash(into hasher: inout Hasher) { hasher.combine(offset) }
}
