// SPDX-License-Identifier: Apache-2.0

/// A cut-out in a clip: where it stands in the still's space, and how it moves by itself.
struct StillLayer: Sendable {
  let cutout: StillCutout
  /// From homogeneous pixels of the texture to those of the still.
  let placing: StillMatrix
  /// One over the depth at the foot.
  let nearness: Double
  /// In heights of the camera a frame at 15 Hz.
  let velocity: Vector
  /// One over the depth grows by this with each pixel of the still to the right, from the foot on.
  private let slope: Double
  private let footColumn: Double

  /// A cut-out where it was.
  init(standing cutout: StillCutout) {
    self.cutout = cutout
    placing = .scale(1, 1, shift: (Double(cutout.origin.x), Double(cutout.origin.y)))
    (nearness, slope, footColumn) = (cutout.nearness.middle, cutout.nearness.slope, cutout.foot.x)
    velocity = .zero
  }

  /// A cut-out with its foot somewhere else, larger or smaller, perhaps mirrored.
  init(
    _ cutout: StillCutout, foot: (x: Double, y: Double), nearness: Double, scale: Double,
    isMirrored: Bool, velocity: Vector
  ) {
    (self.cutout, self.velocity, self.nearness) = (cutout, velocity, nearness)
    (slope, footColumn) = (0, foot.x)
    let across = isMirrored ? -scale : scale
    let own = (
      x: cutout.foot.x - Double(cutout.origin.x), y: cutout.foot.y - Double(cutout.origin.y)
    )
    placing = .scale(across, scale, shift: (foot.x - across * own.x, foot.y - scale * own.y))
  }

  /// Where it is seen, `time` frames after the still was taken; nil where it is not before the
  /// camera.
  func seen(
    through view: StillMatrix, from pose: StillPose, at time: Double, of camera: StillCamera
  ) -> SeenLayer? {
    let place = pose.place - velocity * time
    // The depth's inverse is linear in the ray, so that all of it goes by one matrix.
    let plane = Vector(slope * camera.focal, 0, nearness + slope * (camera.centre.x - footColumn))
    let approach = StillMatrix(
      Vector(1, 0, 0) - plane * place.x, Vector(0, 1, 0) - plane * place.y,
      Vector(0, 0, 1) - plane * place.z)
    let toCamera = pose.rotation * approach * camera.rays * placing
    let toPixels = view * camera.pixels * toCamera
    guard let fromPixels = toPixels.inverse else { return nil }
    let (right, bottom) = (Double(cutout.texture.width - 1), Double(cutout.texture.height - 1))
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)].map {
      Vector($0.0, $0.1, 1)
    }
    guard corners.allSatisfy({ (toCamera * $0).z > 0.08 }) else { return nil }
    let pixels = corners.map { toPixels * $0 }.map { (x: $0.x / $0.z, y: $0.y / $0.z) }
    let middle = toCamera * Vector(right / 2, bottom / 2, 1)
    return SeenLayer(
      cutout: cutout, toPixels: toPixels, fromPixels: fromPixels, nearness: nearness / middle.z,
      columns: Self.bounds(pixels.map(\.x)), rows: Self.bounds(pixels.map(\.y)))
  }

  private static func bounds(_ places: [Double]) -> ClosedRange<Double> {
    let (low, high) = (places.min() ?? 0, places.max() ?? 0)
    return low...max(low, high)
  }
}

/// A cut-out as one camera sees it.
struct SeenLayer: Sendable {
  let cutout: StillCutout
  /// Between homogeneous pixels of the texture and of the frame.
  let toPixels: StillMatrix, fromPixels: StillMatrix
  /// One over the depth: the nearer hides the farther.
  let nearness: Double
  /// Where in the frame it may be seen.
  let columns: ClosedRange<Double>, rows: ClosedRange<Double>

  /// Where a place of the texture is seen.
  func place(ofX x: Float, y: Float) -> (x: Float, y: Float) {
    let pixel = toPixels * Vector(Double(x), Double(y), 1)
    return (Float(pixel.x / pixel.z), Float(pixel.y / pixel.z))
  }
}
