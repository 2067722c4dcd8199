// SPDX-License-Identifier: Apache-2.0

internal import Engines
internal import Layers
internal import Tensors
public import Video

/// Reads depths off a map that a network gives: the last stage's, N × 1 × H × W.
public struct DepthReadingHead: Head {
  /// How numbers become metres.
  public let reading: DepthReading
  /// None: it reads the last stage's map.
  public var inputs: [String] { [] }

  /// A head that reads a map in this way.
  public init(_ reading: DepthReading) { self.reading = reading }

  /// Depths in metres, within the range of the reading, of a frame of `size`.
  ///
  /// The map's numbers are interpolated, not the depths: of inverse depths that keeps planes plane.
  ///
  /// - Throws: `BackboneError` where there is more than one plane, or a number is not finite.
  public func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> DepthMap {
    let map = try features.only()
    guard map.rank == 4, map.shape[0] == 1, map.shape[1] == 1 else {
      throw BackboneError(.badOutput, "a depth network gives 1 × 1 × H × W, not \(map.shape)")
    }
    let numbers = try withoutGradients {
      try map.cast(to: .float32).resized(height: size.height, width: size.width, in: .inference)
    }
    let depths = try numbers.withUnsafeBytes { bytes in
      DepthMap(
        size, reading: bytes.bindMemory(to: Float.self), isInverse: reading.isInverse,
        scale: Float(reading.scale), shift: Float(reading.shift),
        range: Float(reading.range.lowerBound)...Float(reading.range.upperBound))
    }
    guard let depths else {
      throw BackboneError(.badOutput, "the depth network gives numbers that are NaN or infinite")
    }
    return depths
  }
}

/// Reads boxes off a detector's outputs, drops those that better ones of their class cover, and
/// reads the masks of the others where there are some.
public struct DecodedDetectionHead: Head {
  /// How outputs are read.
  public let decoder: any DetectionDecoder
  /// The stages that give them: all of the network's outputs.
  public let inputs: [String]
  /// What a detection's category is the place in.
  public let classes: ClassList
  private let inputSize: PixelSize?
  private let fit: PictureFit

  /// Whether it reads maps that can be warped along the flow.
  public var readsMaps: Bool { decoder.readsMaps }

  /// Whether it gives masks beside boxes.
  public var findsMasks: Bool { (decoder as? any InstanceDecoder)?.readsMasks ?? false }

  /// A head for a network whose input has `inputSize`, or the frame's size where that is nil.
  public init(
    _ decoder: any DetectionDecoder, outputs: [String], classes: ClassList, inputSize: PixelSize?,
    fit: PictureFit = .stretch
  ) {
    (self.decoder, inputs, self.classes) = (decoder, outputs, classes)
    (self.inputSize, self.fit) = (inputSize, fit)
  }

  /// What is found in a frame of `size`, the most certain first; boxes end at the frame's edges,
  /// and masks at those of their boxes.
  ///
  /// - Throws: `BackboneError` where outputs do not have the shapes that the decoder reads.
  public func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> [Detection] {
    let outputs = try inputs.map { name in
      let tensor = try features.map(after: name)
      return DetectorOutput(name: name, shape: tensor.shape.dimensions, values: try tensor.floats())
    }
    let input = inputSize ?? size
    let placed = FittedPicture(size, into: input, fit)
    let instances = try (decoder as? any InstanceDecoder)?
      .instances(in: outputs, input: input, classes: classes.count)
    let found =
      try instances?.detections
      ?? decoder.detections(in: outputs, input: input, classes: classes.count)
    return kept(of: found).compactMap { position in
      var detection = found[position]
      detection.box = placed.box(detection.box)
      guard detection.box.area > 0 else { return nil }
      detection.points = detection.points.map { placed.point($0) }
      detection.mask = instances.map { placed.mask($0.mask(position), in: detection.box) }
      // As Ultralytics does: what has no pixel is not there.
      return detection.mask?.isEmpty == true ? nil : detection
    }
  }

  /// The positions of those that are kept, the most certain first.
  ///
  /// Boxes are compared as the network gives them, before the picture's edges cut them off.
  private func kept(of found: [Detection]) -> [Int] {
    let usable = found.indices.filter {
      found[$0].box.area > 0 && found[$0].box.area.isFinite && found[$0].score.isFinite
    }
    let best = usable.sorted { (-found[$0].score, $0) < (-found[$1].score, $1) }
      .prefix(DetectionThresholds.candidates)
    let thresholds = decoder.thresholds
    guard let overlap = thresholds.overlap else { return Array(best.prefix(thresholds.limit)) }
    let places = Array(best)
    return keptPositions(
      of: places.map { found[$0] }, threshold: overlap, limit: thresholds.limit
    ).map { places[$0] }
  }
}
