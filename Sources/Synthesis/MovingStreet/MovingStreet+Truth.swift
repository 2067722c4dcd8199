// SPDX-License-Identifier: Apache-2.0

public import Video

/// What is true of a frame of `MovingStreet`, pixel by pixel and object by object.
public struct StreetTruth: Sendable {
  /// One class id a pixel, those of `ClassList.camVid`.
  public let labels: Image
  /// Metres along the optical axis; see `MovingStreet.depth(at:)`.
  public let depth: DepthMap
  /// Cars, pedestrians and bicyclists; see `MovingStreet.boxes(at:)`.
  public let boxes: [GroundTruthBox]
}

extension MovingStreet {
  /// How far what is seen at each pixel of frame `index` is: metres along the optical axis.
  ///
  /// Depth is that of what the ray through the centre of the pixel meets, exact to the accuracy of
  /// single-precision geometry. It is 0 for the sky. Leaves and railings have holes, as in the
  /// labels.
  public func depth(at index: Int) -> DepthMap {
    let drawing = drawing(at: index)
    let record = StreetRecord(drawing, depth: true, boxes: false)
    drawing.label(into: nil, record: record)
    return record.depth
  }

  /// The cars, pedestrians and bicyclists of which at least one pixel of frame `index` is seen.
  ///
  /// A box is tight around the pixels at whose centres the object is seen; what hides it, and what
  /// is outside of the picture, is not in it. Categories are those of `ClassList.streetObjects`. An
  /// identity is the same in every frame of a seed, and no other object of that seed has it; boxes
  /// are in the order of identities.
  ///
  /// `isIgnored` holds where fewer than 40 pixels are seen at 480×360 (scaled with the area at
  /// other sizes), or less than a quarter of what would be seen inside the picture if nothing hid
  /// it.
  public func boxes(at index: Int) -> [GroundTruthBox] {
    let drawing = drawing(at: index)
    let record = StreetRecord(drawing, depth: false, boxes: true)
    drawing.label(into: nil, record: record)
    return record.boxes
  }

  /// The objects of `boxes(at:)`, each with the pixels at whose centres it is seen.
  public func masks(at index: Int) -> [GroundTruthBox] {
    let drawing = drawing(at: index)
    let record = StreetRecord(drawing, depth: false, boxes: true, masks: true)
    drawing.label(into: nil, record: record)
    return record.boxes
  }

  /// Classes, depth and boxes of frame `index`, traced in one go.
  public func truth(at index: Int) -> StreetTruth {
    let drawing = drawing(at: index)
    let record = StreetRecord(drawing, depth: true, boxes: true)
    let labels = Image(width: width, height: height, channels: 1) { bytes in
      drawing.label(into: bytes, record: record)
    }
    return StreetTruth(labels: labels, depth: record.depth, boxes: record.boxes)
  }

  /// The picture of frame `index`, and its classes, depth and boxes, drawn in one go.
  public func viewWithTruth(at index: Int) -> (image: Image, truth: StreetTruth) {
    let drawing = drawing(at: index)
    let record = StreetRecord(drawing, depth: true, boxes: true)
    let view = view(at: index, drawing, record: record)
    return (
      view.image, StreetTruth(labels: view.labels, depth: record.depth, boxes: record.boxes)
    )
  }
}
