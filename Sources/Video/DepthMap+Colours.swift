// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension DepthMap {
  /// The depths as colours, blue, green, red: near is bright yellow, far is dark violet.
  ///
  /// Colours run evenly with the logarithm of depth over `range`, in metres, and are the same past
  /// its ends. They are those of viridis (Smith and van der Walt, 2015). Unknown depths are black.
  ///
  /// - Precondition: the range begins above 0.
  public func coloured(range: ClosedRange<Float> = 2...80) -> Image {
    let scale = DepthColours(range)
    return Image(width: width, height: height, channels: 3) { bytes in
      metres.withUnsafeBufferPointer { metres in
        for index in metres.indices {
          let colour = metres[index] > 0 ? scale.colour(of: metres[index]) : .black
          bytes[3 * index] = colour.blue
          bytes[3 * index + 1] = colour.green
          bytes[3 * index + 2] = colour.red
        }
      }
    }
  }
}

/// Colours for depths, looked up.
struct DepthColours {
  private let range: ClosedRange<Float>
  private let table: [Palette.Colour]

  init(_ range: ClosedRange<Float>) {
    precondition(range.lowerBound > 0, "depths from \(range.lowerBound) m on have no logarithm")
    self.range = range
    table = (0..<256).map { Self.viridis(Double($0) / 255) }
  }

  /// Of a depth above 0.
  func colour(of metres: Float) -> Palette.Colour {
    let whole = log(range.upperBound / range.lowerBound)
    let share = whole > 0 ? log(range.upperBound / metres) / whole : 1
    return table[Int(min(max(share, 0), 1) * 255 + 0.5)]
  }

  /// A polynomial through viridis, from dark violet at 0 to yellow at 1; within four levels of 255.
  private static func viridis(_ share: Double) -> Palette.Colour {
    // The highest power first; red, green, blue from 0 to 1.
    let coefficients: [SIMD3<Double>] = [
      SIMD3(-5.435455855934631, 4.645852612178535, 26.3123524573246),
      SIMD3(4.776384997670288, -13.74514537774601, -65.35303263337234),
      SIMD3(6.228269936347081, 14.17993336680509, 56.69055260068105),
      SIMD3(-4.634230498983486, -5.799100973351585, -19.33244095627987),
      SIMD3(-0.3308618287255563, 0.214847559468213, 0.09509516302823659),
      SIMD3(0.1050930431085774, 1.404613529898575, 1.384590162594685),
      SIMD3(0.2777273272234177, 0.005407344544966578, 0.3340998053353061),
    ]
    let colour = coefficients.reduce(SIMD3()) { $0 * share + $1 } * 255
    let bytes = colour.clamped(lowerBound: SIMD3(), upperBound: SIMD3(repeating: 255)).rounded(
      .toNearestOrAwayFromZero)
    return Palette.Colour(UInt8(bytes.x), UInt8(bytes.y), UInt8(bytes.z))
  }
}
