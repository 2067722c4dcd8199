// SPDX-License-Identifier: Apache-2.0

internal import Video

/// How near everything in a labelled street still is, told from its classes.
///
/// The ground is a plane; what is upright stands where it meets the ground in its column, as in the
/// pop-up of Hoiem, Efros and Hebert (SIGGRAPH 2005); the sky is as far as can be.
struct StillDepth {
  let camera: StillCamera
  /// Classes where nothing is cut out: what is cut out shows what is around it.
  private let structure: [UInt8]
  private let roles: StillRoles
  private let width: Int, height: Int
  /// For each column, the row in which the upright meets the ground.
  private let contacts: [Double]

  /// `structure` holds the classes with all cut-outs filled, `marks` is not 0 where there were any.
  init(structure: [UInt8], marks: [UInt16], width: Int, height: Int, roles: StillRoles) {
    (self.structure, self.roles) = (structure, roles)
    (self.width, self.height) = (width, height)
    // A row of little ground may hold a mistake of the labels.
    let highest = (0..<height).first { row in
      let ground = structure[row * width..<(row + 1) * width].count { roles[$0] == .ground }
      return ground * 25 >= width
    }
    let above = highest.map { Double($0) - 2 } ?? Double(height) / 2
    let horizon = min(max(above, 0.36 * Double(height)), 0.55 * Double(height))
    camera = StillCamera(
      focal: 0.9 * Double(max(width, height * 4 / 3)), centre: (Double(width - 1) / 2, horizon))
    contacts = Self.contacts(structure, marks, width: width, height: height, roles: roles)
      .map { max($0, horizon + 0.02 * Double(height)) }
  }

  /// One over the depth of what is seen at a place of the still, or beyond its edges; nothing is
  /// cut out.
  func nearness(x: Double, y: Double) -> Double {
    let column = Int(min(max(x, 0), Double(width - 1)).rounded())
    return camera.nearnessOfGround(atRow: max(y, contacts[column]))
  }

  /// Whether there is nothing but sky within `reach` pixels.
  func isSky(x: Double, y: Double, reach: Int) -> Bool {
    let (column, row) = (
      Int(min(max(x, 0), Double(width - 1))), Int(min(max(y, 0), Double(height - 1)))
    )
    for y in max(0, row - reach)...min(height - 1, row + reach) {
      for x in max(0, column - reach)...min(width - 1, column + reach)
      where roles[structure[y * width + x]] != .sky { return false }
    }
    return true
  }

  /// The lowest upright row of each column, smoothed; columns in which a cut-out hides where the
  /// upright ends are bridged.
  private static func contacts(
    _ structure: [UInt8], _ marks: [UInt16], width: Int, height: Int, roles: StillRoles
  ) -> [Double] {
    var seen: [(column: Int, row: Double)] = []
    for x in 0..<width {
      let lowest = (0..<height).last { roles[structure[$0 * width + x]] == .upright }
      guard let lowest, lowest < height - 1 else { continue }
      let isHidden = (lowest...min(lowest + 2, height - 1)).contains { marks[$0 * width + x] != 0 }
      if !isHidden { seen.append((x, Double(lowest))) }
    }
    guard !seen.isEmpty else { return [Double](repeating: 0.5 * Double(height), count: width) }
    var bridged: [Double] = []
    var next = 0
    for x in 0..<width {
      while next < seen.count - 1 && seen[next].column < x { next += 1 }
      let (one, other) = (seen[max(next - 1, 0)], seen[next])
      let span = Double(other.column - one.column)
      let share = span > 0 ? min(max(Double(x - one.column) / span, 0), 1) : 0
      bridged.append(one.row + (other.row - one.row) * share)
    }
    return smoothed(bridged, reach: max(1, width / 40))
  }

  /// Medians, then means, of what lies within `reach` places.
  private static func smoothed(_ values: [Double], reach: Int) -> [Double] {
    func around(_ index: Int, _ values: [Double]) -> ArraySlice<Double> {
      values[max(0, index - reach)...min(values.count - 1, index + reach)]
    }
    let medians = values.indices.map { index in
      let sorted = around(index, values).sorted()
      return sorted[sorted.count / 2]
    }
    return values.indices.map { index in
      let near = around(index, medians)
      return near.reduce(0, +) / Double(near.count)
    }
  }
}
