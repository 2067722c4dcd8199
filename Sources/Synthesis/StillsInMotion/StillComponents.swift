// SPDX-License-Identifier: Apache-2.0

internal import Video

/// A connected patch of one cut-out group.
struct StillComponent: Sendable {
  /// Columns and rows it lies in, the last ones included.
  var left: Int, right: Int, top: Int, bottom: Int
  var area = 0
  let group: UInt8
}

/// The connected patches of a label map that are cut out of it.
struct StillComponents {
  /// The largest, in the order in which they were found.
  let found: [StillComponent]
  /// For each pixel, 1 + its patch's position in `found`; 0 where nothing is cut out.
  let marks: [UInt16]
  let width: Int

  /// Patches smaller than 1/8000 of the picture stay where they are, and so do all but the largest.
  init(of labels: Image, roles: StillRoles, atMost limit: Int = 48) {
    let (width, height) = (labels.width, labels.height)
    self.width = width
    let groups = labels.withUnsafeBytes { $0.map { roles.group(of: $0) ?? 255 } }
    var marks = [UInt16](repeating: 0, count: width * height)
    var all: [StillComponent] = []
    var waiting: [Int] = []
    for start in groups.indices where groups[start] != 255 && marks[start] == 0 {
      guard all.count < Int(UInt16.max) else { break }
      let mark = UInt16(all.count + 1)
      all.append(
        Self.grow(
          from: start, mark: mark, groups: groups, width: width, marks: &marks, waiting: &waiting))
    }
    let large = all.indices.filter { all[$0].area * 8000 >= width * height }
    let kept = large.sorted { (all[$0].area, $1) > (all[$1].area, $0) }.prefix(limit).sorted()
    var renamed = [UInt16](repeating: 0, count: all.count + 1)
    for (position, index) in kept.enumerated() { renamed[index + 1] = UInt16(position + 1) }
    found = kept.map { all[$0] }
    self.marks = marks.map { renamed[Int($0)] }
  }

  /// Marks all pixels that hang together with `start`, corners included.
  private static func grow(
    from start: Int, mark: UInt16, groups: [UInt8], width: Int, marks: inout [UInt16],
    waiting: inout [Int]
  ) -> StillComponent {
    let (group, height) = (groups[start], groups.count / width)
    var patch = StillComponent(
      left: width, right: 0, top: height, bottom: 0, group: group)
    marks[start] = mark
    waiting.append(start)
    while let pixel = waiting.popLast() {
      let (x, y) = (pixel % width, pixel / width)
      patch.area += 1
      (patch.left, patch.right) = (min(patch.left, x), max(patch.right, x))
      (patch.top, patch.bottom) = (min(patch.top, y), max(patch.bottom, y))
      for row in max(0, y - 1)...min(height - 1, y + 1) {
        for column in max(0, x - 1)...min(width - 1, x + 1) {
          let other = row * width + column
          guard groups[other] == group, marks[other] == 0 else { continue }
          marks[other] = mark
          waiting.append(other)
        }
      }
    }
    return patch
  }
}
