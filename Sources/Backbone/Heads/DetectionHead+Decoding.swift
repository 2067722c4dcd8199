// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Tensors
public import Video

extension DetectionHead {
  /// What a detection head consists of, and which detections it keeps.
  public struct Settings: Hashable, Sendable {
    /// The classes; a detection's category is the position of its own.
    public var classes: ClassList
    /// Channels of every hidden map.
    public var channels: Int
    /// How many blocks of 3×3 convolution, normalisation and rectifier each tower has.
    public var blocks: Int
    /// The stride of the grid on which objects are found; nil for that of the finest input.
    public var stride: Int?
    /// Whether each cell is told its place in the picture; see `FeatureFusion`.
    public var hasCoordinates: Bool
    /// Detections whose score is lower are dropped.
    public var scoreThreshold: Double
    /// Overlap with a better detection of the same class above which one is dropped.
    public var overlapThreshold: Double
    /// The most candidates that are compared with each other, and the most detections that are
    /// kept.
    public var candidateLimit: Int, detectionLimit: Int

    /// Settings of a head; thresholds and limits are FCOS's unless told otherwise.
    public init(
      classes: ClassList, channels: Int = 64, blocks: Int = 2, stride: Int? = nil,
      hasCoordinates: Bool = false, scoreThreshold: Double = 0.05, overlapThreshold: Double = 0.6,
      candidateLimit: Int = 1000, detectionLimit: Int = 100
    ) {
      (self.classes, self.channels, self.blocks) = (classes, channels, blocks)
      (self.stride, self.hasCoordinates) = (stride, hasCoordinates)
      (self.scoreThreshold, self.overlapThreshold) = (scoreThreshold, overlapThreshold)
      (self.candidateLimit, self.detectionLimit) = (candidateLimit, detectionLimit)
    }
  }

  /// Where a cell looks from: the centre of cell (column, row) of a grid of `stride`, in pixels.
  public static func location(column: Int, row: Int, stride: Int) -> (x: Double, y: Double) {
    ((Double(column) + 0.5) * Double(stride), (Double(row) + 0.5) * Double(stride))
  }

  /// The detections that the maps of one frame of `size` tell, the most certain first.
  ///
  /// - Throws: `BackboneError` where there are maps of several frames.
  public func detections(in maps: Maps, size: PixelSize) throws -> [Detection] {
    guard maps.classes.shape[0] == 1 else {
      throw BackboneError(.badOutput, "maps of \(maps.classes.shape[0]) frames, not of one")
    }
    let candidates = try candidates(in: maps, size: size)
    return nonMaximumSuppression(
      candidates, threshold: settings.overlapThreshold, limit: settings.detectionLimit)
  }

  /// The best detections of single cells, before they are compared with each other.
  private func candidates(in maps: Maps, size: PixelSize) throws -> [Detection] {
    let (height, width) = (maps.classes.shape[2], maps.classes.shape[3])
    let logits = try maps.classes.floats(), centreness = try maps.centreness.floats()
    let distances = try maps.distances.floats(), cells = height * width
    // A frame of another size than the features': boxes grow with it.
    let scale = (
      x: Self.scale(cells: width, stride: stride, pixels: size.width),
      y: Self.scale(cells: height, stride: stride, pixels: size.height)
    )
    // The root of p · c is at most that of p, which spares most cells the exponentials.
    let least = settings.scoreThreshold * settings.scoreThreshold
    let leastLogit = least > 0 ? Float(log(least / (1 - least))) : -.infinity
    var found: [Detection] = []
    for index in logits.indices where logits[index] >= leastLogit {
      let (category, cell) = index.quotientAndRemainder(dividingBy: cells)
      let score = (Self.sigmoid(logits[index]) * Self.sigmoid(centreness[cell])).squareRoot()
      guard score >= settings.scoreThreshold else { continue }
      let sides = (0..<4).map { exp(Double(distances[$0 * cells + cell])) * Double(stride) }
      let place = Self.location(column: cell % width, row: cell / width, stride: stride)
      let box = BoundingBox(
        left: (place.x - sides[0]) * scale.x, top: (place.y - sides[1]) * scale.y,
        right: (place.x + sides[2]) * scale.x, bottom: (place.y + sides[3]) * scale.y, within: size)
      if box.area > 0 { found.append(Detection(box: box, category: category, score: score)) }
    }
    guard found.count > settings.candidateLimit else { return found }
    return Array(found.sorted { $0.score > $1.score }.prefix(settings.candidateLimit))
  }

  private static func sigmoid(_ logit: Float) -> Double { 1 / (1 + exp(-Double(logit))) }

  /// What boxes are multiplied by: 1 where the grid is that of the frame's size.
  static func scale(cells: Int, stride: Int, pixels: Int) -> Double {
    (pixels + stride - 1) / stride == cells ? 1 : Double(pixels) / Double(cells * stride)
  }
}

extension BoundingBox {
  /// A box by its edges, cut off at those of a picture.
  fileprivate init(
    left: Double, top: Double, right: Double, bottom: Double, within size: PixelSize
  ) {
    func clamped(_ edge: Double, _ count: Int) -> Double { min(max(edge, 0), Double(count)) }
    let (x, y) = (clamped(left, size.width), clamped(top, size.height))
    self.init(
      x: x, y: y, width: clamped(right, size.width) - x, height: clamped(bottom, size.height) - y)
  }
}
