// SPDX-License-Identifier: Apache-2.0

public import Pipeline
public import Video

/// Mean IoU of the pixels near a border between two classes, also called trimap mIoU (Kohli,
/// Ladický and Torr, IJCV 2009; Chen and others, DeepLab, 2018): `boundary_mIoU`.
///
/// A pixel counts where the square of 2 · `pixels` + 1 around it holds another class in the truth.
/// Void is no class: a border with it alone does not count, and one that runs through it does.
public struct BoundaryAccuracy: Metric {
  /// How far from the border a pixel counts, along either axis.
  public let pixels: Int
  private var matrix: ConfusionMatrix

  /// The name of the figure: `boundary_mIoU`, with the pixels behind it where they are not 3.
  public var figure: String { pixels == 3 ? "boundary_mIoU" : "boundary_mIoU_\(pixels)" }

  /// Nothing counted yet.
  ///
  /// - Precondition: there are 1 to 255 classes, and pixels at a distance of at least 1 count.
  public init(pixels: Int = 3, classes: Int) {
    precondition(pixels >= 1, "a border of \(pixels) pixels")
    self.pixels = pixels
    matrix = ConfusionMatrix(classes: classes)
  }

  /// Counts a frame; one without labels is left out.
  public mutating func add(_ prediction: Image, target: Image?, trace: FrameTrace) {
    _ = counts(adding: prediction, target: target, trace: trace)
  }

  /// Counts a frame, and tells how often each class was taken for each other one near borders.
  public mutating func counts(
    adding prediction: Image, target: Image?, trace _: FrameTrace
  ) -> [String: FigureCounts] {
    guard let target else { return [:] }
    var frame = ConfusionMatrix(classes: matrix.classCount)
    frame.add(predicted: prediction.scaledLabels(to: target.size), truth: band(of: target))
    matrix += frame
    return [figure: .confusion(frame)]
  }

  /// The figure; empty before a pixel was counted.
  public var values: [String: Double] {
    matrix.meanIoU.map { [figure: $0] } ?? [:]
  }

  /// The labels near borders between classes, and void elsewhere.
  func band(of truth: Image) -> Image {
    let (width, height, classes) = (truth.width, truth.height, matrix.classCount)
    let ids = truth.bytes
    // Void is above all classes for the lowest of a square, and below them for the highest.
    let lowest = extreme(ids.map { $0 < classes ? $0 + 1 : 255 }, width, height, min)
    let highest = extreme(ids.map { $0 < classes ? $0 + 1 : 0 }, width, height, max)
    return Image(width: width, height: height, channels: 1) { bytes in
      for at in ids.indices {
        bytes[at] = ids[at] < classes && lowest[at] < highest[at] ? ids[at] : 255
      }
    }
  }

  /// The lowest or highest of each pixel's square: along rows, then along columns.
  private func extreme(
    _ values: [UInt8], _ width: Int, _ height: Int, _ choose: (UInt8, UInt8) -> UInt8
  ) -> [UInt8] {
    var (rows, squares) = (values, values)
    for shift in 1...pixels where shift < width {
      for row in 0..<height {
        let (first, end) = (row * width, (row + 1) * width)
        for at in first..<(end - shift) {
          rows[at] = choose(rows[at], values[at + shift])
          rows[at + shift] = choose(rows[at + shift], values[at])
        }
      }
    }
    squares = rows
    for shift in 1...pixels where shift < height {
      let distance = shift * width
      for at in 0..<(height * width - distance) {
        squares[at] = choose(squares[at], rows[at + distance])
        squares[at + distance] = choose(squares[at + distance], rows[at])
      }
    }
    return squares
  }
}
