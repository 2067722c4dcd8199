// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// How often each class is the label of a pixel, counted over a data set, and what to weigh it by.
public struct LabelFrequencies: Sendable, Hashable {
  /// Pixels with each class's label.
  public private(set) var pixels: [Int]
  /// Labelled pixels of the pictures in which the class occurs.
  public private(set) var pixelsOfItsPictures: [Int]

  /// No label counted yet, of so many classes.
  public init(classes: Int) {
    pixels = Array(repeating: 0, count: classes)
    pixelsOfItsPictures = pixels
  }

  /// Counts one picture's labels; numbers that are no class are void.
  public mutating func add(_ labels: [UInt8]) {
    var counts = [Int](repeating: 0, count: 256)
    for label in labels { counts[Int(label)] += 1 }
    let labelled = counts.prefix(pixels.count).reduce(0, +)
    for index in pixels.indices where counts[index] > 0 {
      pixels[index] += counts[index]
      pixelsOfItsPictures[index] += labelled
    }
  }

  /// 1 / ln(offset + p) of a class's share p of all labelled pixels, from 1.4 to 50 (ENet; Paszke
  /// et al., 2016, section 5.2).
  public func logarithmicWeights(offset: Double = 1.02) -> [Float] {
    precondition(offset > 1, "with an offset of \(offset) a weight may be negative")
    let total = Double(max(pixels.reduce(0, +), 1))
    return pixels.map { Float(1 / log(offset + Double($0) / total)) }
  }

  /// The median frequency over a class's own, where a frequency is over the pictures in which the
  /// class occurs (Eigen and Fergus, ICCV 2015, section 6.3; SegNet).
  ///
  /// To the power of `exponent`: ½ is the square root, which spares the rare ones the largest
  /// weights. A class that never occurs weighs nothing.
  public func medianWeights(exponent: Double = 1) -> [Float] {
    let frequencies = zip(pixels, pixelsOfItsPictures).map { Double($0) / Double(max($1, 1)) }
    let occurring = frequencies.filter { $0 > 0 }.sorted()
    guard !occurring.isEmpty else { return frequencies.map { _ in 0 } }
    let middle = (occurring[(occurring.count - 1) / 2] + occurring[occurring.count / 2]) / 2
    return frequencies.map { $0 > 0 ? Float(pow(middle / $0, exponent)) : 0 }
  }
}
