// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Some of the pixels of a rectangle in a picture: every so manieth across and down.
struct PixelRegion: Sendable {
  /// The first of them, and how many there are across and down.
  let left: Int, top: Int, width: Int, height: Int
  /// How far each is from the next.
  let stride: Int

  var count: Int { width * height }

  init(empty _: Void) { (left, top, width, height, stride) = (0, 0, 0, 0, 1) }

  init(left: Int, top: Int, right: Int, bottom: Int, of size: PixelSize) {
    (self.left, self.top) = (min(max(0, left), size.width), min(max(0, top), size.height))
    width = max(0, min(size.width, right) - self.left)
    height = width == 0 ? 0 : max(0, min(size.height, bottom) - self.top)
    stride = 1
  }

  /// Where a mask may be after its object moved and grew as its box did.
  init(around mask: ObjectMask, from last: BoundingBox, to now: BoundingBox, reach: Double) {
    func bounded(_ value: Double, _ rule: FloatingPointRoundingRule) -> Int {
      Int(min(max(value.rounded(rule), -1e6), 1e6))
    }
    let scale = now.size / last.size
    let first = (SIMD2(mask.box.x, mask.box.y) - last.centre) * scale + now.centre - reach
    let end = first + mask.box.size * scale + 2 * reach
    self.init(
      left: bounded(first.x, .down), top: bounded(first.y, .down), right: bounded(end.x, .up),
      bottom: bounded(end.y, .up), of: mask.size)
  }

  /// The pixels that a box touches.
  init(covering box: BoundingBox, of size: PixelSize) {
    let box = box.cut(to: size)
    self.init(
      left: Int(box.x.rounded(.down)), top: Int(box.y.rounded(.down)),
      right: Int((box.x + box.width).rounded(.up)),
      bottom: Int((box.y + box.height).rounded(.up)), of: size)
  }

  private init(of whole: PixelRegion, every stride: Int) {
    func spread(_ first: Int, _ count: Int) -> (first: Int, count: Int) {
      let skipped = min(stride / 2, max(0, count - 1))
      return (first + skipped, (count - skipped + stride - 1) / stride)
    }
    (left, width) = spread(whole.left, whole.width)
    (top, height) = spread(whole.top, whole.height)
    self.stride = stride
  }

  /// Of a region of all pixels, those in the middle of squares of `stride` pixels.
  func every(_ stride: Int) -> PixelRegion { PixelRegion(of: self, every: stride) }

  /// The column and row of a pixel in the picture.
  @inline(__always)
  func pixel(_ cell: Int) -> SIMD2<Int> {
    let row = cell / width
    return SIMD2(left + stride * (cell - row * width), top + stride * row)
  }

  /// The middle of a pixel in the picture.
  @inline(__always)
  func centre(of cell: Int) -> SIMD2<Float> { SIMD2<Float>(pixel(cell)) + 0.5 }
}

/// How far from each pixel of a region its place in the key frame is.
struct PixelWays: Sendable {
  let region: PixelRegion
  private(set) var offsets: [SIMD2<Float>]

  /// Every pixel is where it was.
  init(_ region: PixelRegion) {
    self.region = region
    offsets = [SIMD2<Float>](repeating: .zero, count: region.count)
  }

  private init(_ region: PixelRegion, _ offsets: [SIMD2<Float>]) {
    (self.region, self.offsets) = (region, offsets)
  }

  /// The place in the key frame of a place in the frame, read bilinearly; beyond the region the
  /// offset is that of its nearest pixel.
  @inline(__always)
  func place(_ place: SIMD2<Float>) -> SIMD2<Float> {
    guard region.count > 0 else { return place }
    let share = 1 / Float(region.stride)
    let x = min(max((place.x - Float(region.left) - 0.5) * share, 0), Float(region.width - 1))
    let y = min(max((place.y - Float(region.top) - 0.5) * share, 0), Float(region.height - 1))
    let (column, row) = (Int(x), Int(y))
    let right = column + 1 < region.width ? 1 : 0
    let down = row + 1 < region.height ? region.width : 0
    let (first, across, along) = (row * region.width + column, x - Float(column), y - Float(row))
    let upper = offsets[first] + across * (offsets[first + right] - offsets[first])
    let lower =
      offsets[first + down] + across * (offsets[first + down + right] - offsets[first + down])
    return place + upper + along * (lower - upper)
  }

  /// The ways from a later frame's region, whose pixels lie `steps` away in this one's frame.
  func composed(with steps: [SIMD2<Float>], over later: PixelRegion) -> PixelWays {
    PixelWays(
      later,
      steps.indices.map { cell in
        let centre = later.centre(of: cell)
        return place(centre + steps[cell]) - centre
      })
  }
}
