// SPDX-License-Identifier: Apache-2.0

internal import Tracking
public import Video

/// A box with an identity, of which nothing else matters to a measurement.
public struct IdentifiedBox: Sendable, Hashable {
  /// The same number for the same object in every frame of a clip.
  public var identity: Int
  /// The position of its class in the list of classes.
  public var category: Int
  /// In pixels of the frame.
  public var box: BoundingBox

  /// A box of an object.
  public init(identity: Int, category: Int = 0, box: BoundingBox) {
    (self.identity, self.category, self.box) = (identity, category, box)
  }
}

/// How well objects are found and kept apart over the frames of one clip: MOTA, IDF1 and HOTA.
///
/// Equal to TrackEval (Luiten and Hoffhues, 2020) for boxes: CLEAR (Bernardin and Stiefelhagen,
/// 2008) and IDF1 (Ristani et al., ECCV Workshops 2016) from an overlap of 0.5, HOTA (Luiten et
/// al., IJCV 2021) over nineteen overlaps from 0.05 to 0.95. Boxes are compared within a class; an
/// object whose class changes counts as another one, and figures are of all classes together.
///
/// Truths without an identity cannot be counted. Those that are ignored neither count nor cost, and
/// neither do boxes that are theirs by the best assignment from an overlap of 0.5, as in
/// MOTChallenge.
public struct TrackingAccuracy: Sendable {
  struct Name: Hashable {
    let identity: Int, category: Int
  }

  /// What one frame holds: positions of names, and the overlaps of each truth with each box.
  struct FrameBoxes {
    var truths: [Int], boxes: [Int]
    var overlaps: [Double]
    let age: Int

    func overlap(_ truth: Int, _ box: Int) -> Double { overlaps[truth * boxes.count + box] }
  }

  private var frames: [FrameBoxes] = []
  private var truthNames = Names(), boxNames = Names()

  /// Nothing is counted yet.
  public init() {}

  /// Counts one frame; `age` is how many frames ago the key frame was.
  public mutating func add(_ boxes: [IdentifiedBox], truth: [GroundTruthBox], age: Int = 0) {
    let named = truth.filter { $0.identity != nil || $0.isIgnored }
    let shown = boxes.removing(partnersOfIgnored: named)
    let counted = named.filter { !$0.isIgnored }
    frames.append(
      FrameBoxes(
        truths: counted.map {
          truthNames.position(of: Name(identity: $0.identity ?? 0, category: $0.category))
        },
        boxes: shown.map {
          boxNames.position(of: Name(identity: $0.identity, category: $0.category))
        },
        overlaps: counted.flatMap { truth in
          shown.map {
            $0.category == truth.category ? truth.box.intersectionOverUnion(with: $0.box) : 0
          }
        }, age: age))
  }

  /// The sums from which the figures of one clip, or of several, are made.
  public var outcome: TrackingOutcome {
    var outcome = TrackingOutcome()
    countClear(into: &outcome)
    countIdentities(into: &outcome)
    countAssociations(into: &outcome)
    return outcome
  }

  private struct Names: Sendable {
    var positions: [Name: Int] = [:]

    mutating func position(of name: Name) -> Int {
      if let known = positions[name] { return known }
      positions[name] = positions.count
      return positions.count - 1
    }
  }
}

// MARK: counting

extension TrackingAccuracy {
  private static let least = 0.5 - Double.ulpOfOne

  /// CLEAR: pairs of the frame before are kept where they still overlap.
  private func countClear(into outcome: inout TrackingOutcome) {
    var last = [Int: Int](), lastFrame = [Int: Int]()
    for frame in frames {
      var counts = TrackingOutcome.Clear()
      defer { outcome.clear[frame.age, default: TrackingOutcome.Clear()] += counts }
      guard !frame.truths.isEmpty, !frame.boxes.isEmpty else {
        (counts.misses, counts.extras) = (frame.truths.count, frame.boxes.count)
        continue
      }
      let gains = frame.truths.indices.flatMap { truth in
        frame.boxes.indices.map { box -> Double in
          let overlap = frame.overlap(truth, box)
          guard overlap >= Self.least else { return 0 }
          let isKept = lastFrame[frame.truths[truth]] == frame.boxes[box]
          return overlap + (isKept ? 1000 : 0)
        }
      }
      lastFrame = [:]
      let partners = bestAssignment(
        gains: gains, rows: frame.truths.count, columns: frame.boxes.count)
      for (truth, partner) in partners.enumerated() {
        guard let partner else { continue }
        let (name, found) = (frame.truths[truth], frame.boxes[partner])
        counts.hits += 1
        counts.overlap += frame.overlap(truth, partner)
        if let before = last[name], before != found { counts.switches += 1 }
        (last[name], lastFrame[name]) = (found, found)
      }
      counts.misses = frame.truths.count - counts.hits
      counts.extras = frame.boxes.count - counts.hits
    }
  }

  /// IDF1: one identity of the tracker for each true one, over the whole clip.
  private func countIdentities(into outcome: inout TrackingOutcome) {
    let (rows, columns) = (truthNames.positions.count, boxNames.positions.count)
    var together = [Double](repeating: 0, count: rows * columns)
    for frame in frames {
      outcome.truths += frame.truths.count
      outcome.boxes += frame.boxes.count
      for (truth, row) in frame.truths.enumerated() {
        for (box, column) in frame.boxes.enumerated() where frame.overlap(truth, box) >= 0.5 {
          together[row * columns + column] += 1
        }
      }
    }
    let partners = bestAssignment(gains: together, rows: rows, columns: columns)
    for (row, partner) in partners.enumerated() {
      outcome.identityHits += partner.map { Int(together[row * columns + $0]) } ?? 0
    }
  }

  /// HOTA: boxes are paired once, by overlap and by how well identities agree over the clip.
  private func countAssociations(into outcome: inout TrackingOutcome) {
    let (rows, columns) = (truthNames.positions.count, boxNames.positions.count)
    let (likeness, truthCounts, boxCounts) = likenessOfIdentities(rows, columns)
    var pairs = [[Double]](
      repeating: [Double](repeating: 0, count: rows * columns),
      count: TrackingOutcome.overlaps.count)
    for frame in frames {
      let gains = frame.truths.enumerated().flatMap { truth, row in
        frame.boxes.enumerated().map { box, column in
          likeness[row * columns + column] * frame.overlap(truth, box)
        }
      }
      let partners = bestAssignment(
        gains: gains, rows: frame.truths.count, columns: frame.boxes.count)
      for (level, least) in TrackingOutcome.overlaps.enumerated() {
        for (truth, partner) in partners.enumerated() {
          guard let partner, frame.overlap(truth, partner) >= least - .ulpOfOne else { continue }
          outcome.levels[level].hits += 1
          outcome.levels[level].overlap += frame.overlap(truth, partner)
          pairs[level][frame.truths[truth] * columns + frame.boxes[partner]] += 1
        }
      }
    }
    for level in pairs.indices {
      for row in 0..<rows {
        for column in 0..<columns {
          let count = pairs[level][row * columns + column]
          guard count > 0 else { continue }
          outcome.levels[level].association +=
            count * count / max(1, truthCounts[row] + boxCounts[column] - count)
        }
      }
    }
  }

  /// How well each pair of identities agrees: an overlap over all frames.
  private func likenessOfIdentities(
    _ rows: Int, _ columns: Int
  ) -> (likeness: [Double], truths: [Double], boxes: [Double]) {
    var shared = [Double](repeating: 0, count: rows * columns)
    var truths = [Double](repeating: 0, count: rows)
    var boxes = [Double](repeating: 0, count: columns)
    for frame in frames {
      for row in frame.truths { truths[row] += 1 }
      for column in frame.boxes { boxes[column] += 1 }
      let perTruth = frame.truths.indices.map { truth in
        frame.boxes.indices.reduce(0) { $0 + frame.overlap(truth, $1) }
      }
      let perBox = frame.boxes.indices.map { box in
        frame.truths.indices.reduce(0) { $0 + frame.overlap($1, box) }
      }
      for (truth, row) in frame.truths.enumerated() {
        for (box, column) in frame.boxes.enumerated() {
          let overlap = frame.overlap(truth, box)
          let all = perTruth[truth] + perBox[box] - overlap
          if all > .ulpOfOne { shared[row * columns + column] += overlap / all }
        }
      }
    }
    for row in 0..<rows {
      for column in 0..<columns {
        let both = shared[row * columns + column]
        shared[row * columns + column] = both / (truths[row] + boxes[column] - both)
      }
    }
    return (shared, truths, boxes)
  }
}

extension [IdentifiedBox] {
  /// What is left without the boxes that belong to ignored truths.
  fileprivate func removing(partnersOfIgnored truths: [GroundTruthBox]) -> [IdentifiedBox] {
    guard truths.contains(where: \.isIgnored) else { return self }
    let gains = truths.flatMap { truth in
      map { box -> Double in
        let overlap = truth.box.intersectionOverUnion(with: box.box)
        return overlap >= 0.5 - .ulpOfOne && (box.category == truth.category || truth.isIgnored)
          ? overlap : 0
      }
    }
    let partners = bestAssignment(gains: gains, rows: truths.count, columns: count)
    let removed = Set(zip(truths, partners).filter { $0.0.isIgnored }.compactMap { $0.1 })
    return indices.filter { !removed.contains($0) }.map { self[$0] }
  }
}
