// SPDX-License-Identifier: Apache-2.0

internal import Video

/// The countable objects of a scene, and which surfaces are theirs.
struct StreetObjects {
  /// One car, pedestrian or bicyclist.
  struct Object {
    let identity: Int
    /// The position of its class in `ClassList.streetObjects`.
    let category: Int
    /// Its surfaces' numbers, the nearest first.
    var surfaces: [Int32] = []
    /// Bounds on screen, in pixels.
    var left = Float.infinity, right = -Float.infinity
    var top = Float.infinity, bottom = -Float.infinity
  }

  private(set) var list: [Object]
  /// The position in `list` of the object that a surface belongs to; −1 for none.
  let owners: [Int32]

  init(_ scene: StreetScene) {
    list = scene.actors.map { Object(identity: $0.identity, category: $0.look.category) }
    owners = scene.surfaces.map { $0.part < 0 ? -1 : scene.owners[Int($0.part)] }
    for number in scene.order {
      let (owner, surface) = (Int(owners[Int(number)]), scene.surfaces[Int(number)])
      guard owner >= 0 else { continue }
      list[owner].surfaces.append(number)
      list[owner].left = min(list[owner].left, surface.left)
      list[owner].right = max(list[owner].right, surface.right)
      list[owner].top = min(list[owner].top, surface.top)
      list[owner].bottom = max(list[owner].bottom, surface.bottom)
    }
  }
}

extension StreetActor.Look {
  /// The position of its class in `ClassList.streetObjects`.
  fileprivate var category: Int {
    switch self {
    case .car: 0
    case .walker: 1
    case .cyclist: 2
    }
  }
}

/// What is seen of one object.
struct StreetTally {
  /// The first and last column and row of its visible pixels.
  private var left = Int32.max, right = Int32.min, top = Int32.max, bottom = Int32.min
  /// Pixels in which it is seen, and in which it would be seen if it were alone.
  private(set) var visible: Int32 = 0, whole: Int32 = 0

  @inline(__always)
  mutating func see(_ x: Int, _ y: Int) {
    let (x, y) = (Int32(truncatingIfNeeded: x), Int32(truncatingIfNeeded: y))
    (left, right) = (min(left, x), max(right, x))
    (top, bottom) = (min(top, y), max(bottom, y))
    visible &+= 1
  }

  mutating func see(alone pixels: Int) { whole += Int32(pixels) }

  static func += (sum: inout Self, other: Self) {
    (sum.left, sum.right) = (min(sum.left, other.left), max(sum.right, other.right))
    (sum.top, sum.bottom) = (min(sum.top, other.top), max(sum.bottom, other.bottom))
    (sum.visible, sum.whole) = (sum.visible + other.visible, sum.whole + other.whole)
  }

  /// Tight around the visible pixels; nil where there are none.
  var box: BoundingBox? {
    guard visible > 0 else { return nil }
    return BoundingBox(
      x: Double(left), y: Double(top), width: Double(right - left + 1),
      height: Double(bottom - top + 1))
  }

  /// Whether so little is seen that finding it should neither count nor cost.
  ///
  /// That is fewer than 40 pixels of a picture of 480×360, as many in proportion of another; or
  /// less than a quarter of what would be seen of it inside the picture if it were alone.
  func isHardlySeen(of pixels: Int) -> Bool {
    Int(visible) * 480 * 360 < 40 * pixels || 4 * visible < whole
  }
}
