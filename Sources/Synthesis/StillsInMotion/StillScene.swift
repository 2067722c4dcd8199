// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Video

/// A still taken apart, ready to be set in motion.
struct StillScene: Sendable {
  let width: Int, height: Int
  /// The picture with its cut-outs filled.
  let plate: StillTexture
  /// A class for each pixel of the plate, void where it was filled; nil where the still is
  /// unlabelled.
  let labels: [UInt8]?
  /// Of a labelled street; others get a depth of their own for each clip.
  let depth: (camera: StillCamera, surface: StillSurface)?
  let cutouts: [StillCutout]
  /// Mean of the picture's samples.
  let brightness: Float
  private let ground: [Bool]

  /// Bytes it takes up in memory, nearly.
  var byteCount: Int {
    6 * width * height + cutouts.reduce(ground.count) { $0 + $1.byteCount }
  }

  init(_ sample: LabelledSample, roles: StillRoles?, void: UInt8) {
    let picture = sample.frame.pixels
    (width, height) = (picture.width, picture.height)
    brightness = Self.brightness(of: picture)
    guard let map = sample.labels, let roles else {
      (plate, labels) = (StillTexture(picture), sample.labels?.bytes)
      (depth, cutouts, ground) = (nil, [], [])
      return
    }
    let components = StillComponents(of: map, roles: roles)
    let filling = StillFilling(holes: components.marks, width: width, height: height)
    plate = filling.filled(StillTexture(picture))
    let classes = map.bytes
    let depth = StillDepth(
      structure: filling.filled(classes), marks: components.marks, width: width, height: height,
      roles: roles)
    let reach = StillSurface.step(width: width, height: height) / 2
    let surface = StillSurface(width: width, height: height) { depth.nearness(x: $0, y: $1) }
      .fading { depth.isSky(x: $0, y: $1, reach: reach) }
    self.depth = (depth.camera, surface)
    labels = zip(classes, components.marks).map { $1 == 0 ? $0 : void }
    ground = classes.map { roles[$0] == .ground }
    cutouts = StillStanding(depth: depth, components: components, roles: roles)
      .cutouts(from: sample, labels: map)
  }

  private static func brightness(of picture: Image) -> Float {
    let sum = picture.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
    return Float(sum) / Float(picture.width * picture.height * picture.channels)
  }

  /// Whether there is ground at a place of the still.
  func isGround(x: Double, y: Double) -> Bool {
    guard x >= 0, y >= 0, x < Double(width), y < Double(height), !ground.isEmpty else {
      return false
    }
    return ground[Int(y) * width + Int(x)]
  }
}

/// Finds out how near each cut-out stands.
private struct StillStanding {
  let depth: StillDepth
  let components: StillComponents
  let roles: StillRoles

  func cutouts(from sample: LabelledSample, labels: Image) -> [StillCutout] {
    let patches = components.found
    let own = patches.indices.map { nearness(of: patches[$0], UInt16($0 + 1)) }
    return patches.indices.map { index in
      var near = own[index]
      // A sign is as near as the pole that carries it.
      if roles[patches[index].group] == .fixture {
        let touching = patches.indices.filter { roles[patches[$0].group] == .fixture }
          .filter { touches(patches[index], patches[$0]) }
        near.middle = touching.map { own[$0].middle }.max() ?? near.middle
      }
      return StillCutout(
        patches[index], mark: UInt16(index + 1), of: components, from: sample, labels: labels,
        nearness: near, isMover: near.slope == 0 && isMover(patches[index], in: labels))
    }
  }

  /// As near as the ground under its foot, but nearer than what is behind it.
  ///
  /// A wide patch, such as a row of parked cars, slants as its lower edge does.
  private func nearness(of patch: StillComponent, _ mark: UInt16) -> (middle: Double, slope: Double)
  {
    let (x, y) = (Double(patch.left + patch.right) / 2, Double(patch.top + patch.bottom) / 2)
    let behind = depth.nearness(x: x, y: min(y, depth.camera.centre.y)) * 1.06
    let foot = depth.camera.nearnessOfGround(atRow: Double(patch.bottom))
    let isWide = patch.right - patch.left > max(patch.bottom - patch.top, components.width / 12)
    guard isWide, let line = lowerEdge(of: patch, mark) else { return (max(foot, behind), 0) }
    let middle = max(depth.camera.nearnessOfGround(atRow: line.row), behind)
    // Neither end may come nearer than the foot, or be farther than a fifth of the middle.
    let most = min(foot - middle, 0.8 * middle) / (Double(patch.right - patch.left + 1) / 2)
    guard most > 0 else { return (max(foot, behind), 0) }
    return (middle, min(max(line.slope / depth.camera.focal, -most), most))
  }

  /// The line through the lowest pixel of each column, by least squares: its row in the middle, and
  /// how it falls with each column.
  private func lowerEdge(of patch: StillComponent, _ mark: UInt16) -> (row: Double, slope: Double)?
  {
    let middle = Double(patch.left + patch.right) / 2
    var (count, rows, squares, product) = (0.0, 0.0, 0.0, 0.0)
    for x in patch.left...patch.right {
      let column = (patch.top...patch.bottom).last {
        components.marks[$0 * components.width + x] == mark
      }
      guard let row = column.map(Double.init) else { continue }
      let across = Double(x) - middle
      (count, rows) = (count + 1, rows + row)
      (squares, product) = (squares + across * across, product + across * row)
    }
    return count > 1 && squares > 0 ? (rows / count, product / squares) : nil
  }

  private func touches(_ one: StillComponent, _ other: StillComponent) -> Bool {
    let gap = 3
    return one.left <= other.right + gap && other.left <= one.right + gap
      && one.top <= other.bottom + gap && other.top <= one.bottom + gap
  }

  /// Whole, large enough and compact.
  private func isMover(_ patch: StillComponent, in labels: Image) -> Bool {
    let (width, height) = (patch.right - patch.left + 1, patch.bottom - patch.top + 1)
    let isWhole =
      patch.left > 1 && patch.right < labels.width - 2 && patch.top > 1
      && patch.bottom < labels.height - 2
    let foot = depth.camera.nearnessOfGround(atRow: Double(patch.bottom))
    return roles[patch.group] == .mover && isWhole
      && patch.area * 1000 > labels.width * labels.height
      && patch.area * 3 > width * height && width < labels.width / 2 && foot > 0.03
  }
}
