// SPDX-License-Identifier: Apache-2.0

internal import Video

/// The depths and objects of a frame, noted band by band while its bands are traced.
// Threads that write to the same record must be given bands of their own.
final class StreetRecord {
  private let scene: StreetScene
  private let width: Int, height: Int
  private let objects: StreetObjects?
  private let bands: Int
  /// Metres, one a pixel; none where depth is not asked for.
  private let depths: UnsafeMutableBufferPointer<Float>
  /// One for each object in each band, band by band.
  private let tallies: UnsafeMutableBufferPointer<StreetTally>
  /// The position of the object that is seen, one a pixel, −1 for none; none where masks are not
  /// asked for.
  private let seen: UnsafeMutableBufferPointer<Int32>

  /// Room for what is asked for.
  init(_ drawing: StreetDrawing, depth: Bool, boxes: Bool, masks: Bool = false) {
    (scene, width, height) = (drawing.scene, drawing.width, drawing.height)
    objects = boxes ? StreetObjects(drawing.scene) : nil
    bands = (height + StreetDrawing.bandHeight - 1) / StreetDrawing.bandHeight
    depths = .allocate(capacity: depth ? width * height : 0)
    tallies = .allocate(capacity: bands * (objects?.list.count ?? 0))
    tallies.initialize(repeating: StreetTally())
    seen = .allocate(capacity: masks ? width * height : 0)
    seen.initialize(repeating: -1)
  }

  deinit {
    depths.deallocate()
    tallies.deallocate()
    seen.deallocate()
  }

  // MARK: Noting

  /// Notes what is seen in the rows of pixels of a traced band.
  func note(_ rows: Range<Int>, _ band: StreetVisibility) {
    if !depths.isEmpty { noteDepths(rows, band) }
    if let objects { noteObjects(objects, rows, band) }
  }

  private func noteDepths(_ rows: Range<Int>, _ band: StreetVisibility) {
    for y in rows {
      for x in 0..<width {
        let at = band.index(2 * x + 1, 2 * y + 1)
        depths[y * width + x] = band.surfaces[at] == 0 ? 0 : 1 / band.depths[at]
      }
    }
  }

  private func noteObjects(
    _ objects: StreetObjects, _ rows: Range<Int>, _ band: StreetVisibility
  ) {
    let own = tallies(of: rows, objects)
    objects.owners.withUnsafeBufferPointer { owners in
      for y in rows {
        for x in 0..<width {
          let owner = Int(owners[Int(band.surfaces[band.index(2 * x + 1, 2 * y + 1)])])
          if owner >= 0 { own[owner].see(x, y) }
          if !seen.isEmpty { seen[y * width + x] = Int32(owner) }
        }
      }
    }
  }

  /// Counts the pixels of each object on its own in the rows of pixels; `band` is drawn over.
  func measure(_ rows: Range<Int>, with band: StreetVisibility) {
    guard let objects else { return }
    let own = tallies(of: rows, objects)
    for (index, object) in objects.list.enumerated() where !object.surfaces.isEmpty {
      let top = max(rows.lowerBound, Int(max(object.top, -1).rounded(.down)))
      let bottom = min(rows.upperBound - 1, Int(min(object.bottom, Float(height)).rounded(.up)))
      let left = max(0, Int(max(object.left, -1).rounded(.down)))
      let right = min(width - 1, Int(min(object.right, Float(width)).rounded(.up)))
      guard top <= bottom, left <= right else { continue }
      let pixels = band.count(
        scene, of: object.surfaces, rows: 2 * top..<2 * bottom + 2, columns: left...right)
      own[index].see(alone: pixels)
    }
  }

  private func tallies(
    of rows: Range<Int>, _ objects: StreetObjects
  ) -> UnsafeMutableBufferPointer<StreetTally> {
    let first = rows.lowerBound / StreetDrawing.bandHeight * objects.list.count
    return UnsafeMutableBufferPointer(rebasing: tallies[first..<first + objects.list.count])
  }

  // MARK: Reading

  /// Once all bands are noted with depth.
  var depth: DepthMap { DepthMap(width: width, height: height, metres: Array(depths)) }

  /// Once all bands are noted and measured with boxes; in the order of identities.
  var boxes: [GroundTruthBox] {
    guard let objects else { return [] }
    let count = objects.list.count
    let found = objects.list.indices.compactMap { index -> GroundTruthBox? in
      let object = objects.list[index]
      var tally = StreetTally()
      for band in 0..<bands { tally += tallies[band * count + index] }
      return tally.box.map {
        GroundTruthBox(
          box: $0, category: object.category, identity: object.identity,
          isIgnored: tally.isHardlySeen(of: width * height), mask: mask(of: index, in: $0))
      }
    }
    return found.sorted { ($0.identity ?? 0) < ($1.identity ?? 0) }
  }

  /// The pixels of one object; nil where masks are not asked for.
  private func mask(of object: Int, in box: BoundingBox) -> ObjectMask? {
    if seen.isEmpty { return nil }
    let (left, top) = (Int(box.x), Int(box.y))
    let (columns, rows) = (left..<left + Int(box.width), top..<top + Int(box.height))
    return ObjectMask(
      size: PixelSize(width: width, height: height), left: left, top: top, width: columns.count,
      cells: rows.flatMap { y in columns.map { seen[y * width + $0] == Int32(object) ? 1 : 0 } })
  }
}
