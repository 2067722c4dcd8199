// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Video

extension StillFrame {
  /// Where what is seen at each pixel here is in another frame of the same clip.
  ///
  /// Unknown where it is hidden there or outside, and where nothing is known to be seen here; what
  /// is hidden has its motion all the same.
  func motion(to reference: StillFrame) -> MotionField {
    let (width, height) = (size.width, size.height)
    var known = [UInt8](repeating: 0, count: width * height)
    let count = 2 * width * height
    let displacements = [Float](unsafeUninitializedCapacity: count) { values, filled in
      values.initialize(repeating: 0)
      reference.surface.corners.withUnsafeBufferPointer { corners in
        guard let corners = corners.baseAddress else { return }
        for pixel in 0..<(width * height) where shown[pixel] != Self.nothing {
          let place = place(of: pixel, in: reference, corners)
          guard place.w != 0 else { continue }
          values[2 * pixel] = place.x - Float(pixel % width)
          values[2 * pixel + 1] = place.y - Float(pixel / width)
          if reference.shows(pixel, of: self, at: place) { known[pixel] = 1 }
        }
      }
      filled = count
    }
    return MotionField(
      width: width, height: height, displacements: displacements,
      known: known.contains(0) ? known : nil)
  }

  /// Where a pixel's thing is in the reference: x, y, one over its depth; then 0 if it is behind.
  @inline(__always)
  private func place(
    of pixel: Int, in reference: StillFrame, _ corners: UnsafePointer<SIMD4<Float>>
  ) -> SIMD4<Float> {
    let (x, y) = (sourceX[pixel], sourceY[pixel])
    if shown[pixel] == 0 {
      let place = reference.surface.place(ofX: x, y: y, corners)
      return place.w > 0.999 ? place : .zero
    }
    guard let layer = reference.layers[Int(shown[pixel]) - 1] else { return .zero }
    let place = layer.place(ofX: x, y: y)
    return SIMD4(place.x, place.y, 0, 1)
  }

  /// Whether the pixel of this frame that lies nearest to a place shows what `pixel` of `current`
  /// shows.
  @inline(__always)
  private func shows(_ pixel: Int, of current: StillFrame, at place: SIMD4<Float>) -> Bool {
    guard place.x >= -0.5, place.y >= -0.5, place.x < Float(size.width) - 0.5,
      place.y < Float(size.height) - 0.5
    else { return false }
    let there = Int(place.y + 0.5) &* size.width &+ Int(place.x + 0.5)
    guard shown[there] == current.shown[pixel] else { return false }
    guard shown[there] == 0 else { return true }
    // A fold of the mesh hides what lies behind it.
    let reach: Float = 3
    return nearness[there] <= place.z * 1.15 + 0.004
      && abs(sourceX[there] - current.sourceX[pixel]) <= reach
      && abs(sourceY[there] - current.sourceY[pixel]) <= reach
  }
}
