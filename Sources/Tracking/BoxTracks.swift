// SPDX-License-Identifier: Apache-2.0

public import Video

/// The objects of a stream: found on key frames, carried in between, each with an identity.
///
/// On every frame `advance(along:)` carries the boxes; on a key frame `take(_:)` then matches the
/// network's detections to them: identities go on, tracks start and end. A value: a copy forks the
/// stream, and there is nothing to reset. The same frames and detections give the same boxes and
/// identities.
///
/// Matching is the best assignment by overlap, in the spirit of SORT (Bewley et al., ICIP 2016),
/// with boxes carried by optical flow in place of a Kalman filter's. What is left without a partner
/// is matched by the distance of the centres, for small and fast things that no longer overlap.
///
/// Masks and key points that the network finds go along: each mask by a motion of its own
/// (`CarriedMask`), each point by the flow where it is (`CarriedPoints`).
public struct BoxTracks: Sendable {
  /// One object.
  struct Track: Sendable {
    let identity: Int
    var detection: Detection
    var motion: BoxMotion
    /// Its mask and its key points, where the network finds some.
    var mask: CarriedMask?
    var points: CarriedPoints?
    /// What is left of the score's worth, from 0 to 1.
    var worth = 1.0
    /// Key frames in a row on which the network did not find it.
    var missed = 0

    init(_ found: Detection, identity: Int, settings: BoxMotion.Settings) {
      (self.identity, detection) = (identity, found)
      motion = BoxMotion(box: found.box, settings: settings)
      take(found)
    }

    /// Takes up what a key frame's network found of it, but for the motion.
    mutating func take(_ found: Detection) {
      detection = found
      mask = found.mask.map { CarriedMask($0) }
      points = found.points.isEmpty ? nil : CarriedPoints(found.points)
      (worth, missed) = (1, 0)
    }

    /// Brings the object to the later frame of a step.
    mutating func advance(along step: MotionStep) {
      let (last, box) = (motion.uncutBox, detection.box)
      motion.advance(along: step)
      switch motion.settings.way {
      case .flow:
        mask?.advance(along: step, from: last, to: motion.uncutBox)
        points?.advance(along: step)
      case .velocity:
        mask?.move(from: box, to: motion.uncutBox)
        points?.move(from: box, to: motion.uncutBox)
      case .rest: break
      }
    }
  }

  /// How tracks start, go on and end.
  public let settings: Settings
  private(set) var tracks: [Track] = []
  private var nextIdentity = 1

  /// Nothing is known yet.
  public init(settings: Settings = Settings()) { self.settings = settings }

  /// The objects of the present frame, in the order of their identities.
  ///
  /// What lies outside of the picture, and what the last key frame's network did not find, is not
  /// among them.
  public var boxes: [TrackedBox] {
    tracks.filter { $0.missed == 0 && $0.motion.box.area > 0 }.map { track in
      var detection = track.detection
      detection.box = track.motion.box
      detection.mask = track.mask?.mask
      detection.points = track.points?.points ?? []
      return TrackedBox(
        detection: detection, identity: track.identity, age: track.motion.age,
        confidence: min(max(detection.score, 0), 1) * track.worth)
    }
  }

  /// What the motion of a track knows, by identity, for change scores and overlays.
  public var motions: [(identity: Int, motion: BoxMotion)] {
    tracks.map { ($0.identity, $0.motion) }
  }

  /// Carries all boxes to the later frame of a step; those that leave the picture end.
  public mutating func advance(along step: MotionStep) {
    for index in tracks.indices {
      tracks[index].advance(along: step)
      let support = tracks[index].motion.support
      tracks[index].worth *= settings.decay * (0.8 + 0.2 * support)
    }
    tracks.removeAll { $0.motion.isOutside(leastShare: settings.leastVisible) }
  }

  /// Takes the detections of a key frame, to which the boxes have been carried.
  ///
  /// Detections without a finite box that has an inside are left out.
  ///
  /// - Returns: What became of each track and detection.
  @discardableResult
  public mutating func take(_ detections: [Detection]) -> KeyMatches {
    let usable = detections.filter { $0.box.isUsable && !$0.score.isNaN }
    let partners = partners(of: usable)
    var matches = KeyMatches()
    var isTaken = [Bool](repeating: false, count: usable.count)
    for (index, partner) in partners.enumerated() {
      guard let partner else {
        tracks[index].missed += 1
        continue
      }
      isTaken[partner] = true
      if tracks[index].missed == 0 && tracks[index].motion.age > 0 {
        matches.continued.append(
          KeyMatches.Pair(
            identity: tracks[index].identity, carried: tracks[index].motion.box,
            found: usable[partner].box))
      }
      tracks[index].motion.restart(at: usable[partner].box)
      tracks[index].take(usable[partner])
    }
    matches.ended = tracks.filter { $0.missed > settings.patience }.map(\.identity)
    tracks.removeAll { $0.missed > settings.patience }
    for (index, detection) in usable.enumerated()
    where !isTaken[index] && detection.score >= settings.startScore {
      matches.started.append(nextIdentity)
      tracks.append(Track(detection, identity: nextIdentity, settings: settings.motion))
      nextIdentity += 1
    }
    return matches
  }

  /// Ends all tracks where the stream breaks; identities are not used again.
  public mutating func endAll() { tracks.removeAll() }
}

/// What became of tracks and detections on a key frame.
public struct KeyMatches: Sendable, Hashable {
  /// A track that the network found again.
  public struct Pair: Sendable, Hashable {
    /// The track.
    public let identity: Int
    /// Where it was carried to, and where the network found it.
    public let carried: BoundingBox, found: BoundingBox

    /// How far the box jumps: 1 − the overlap of the two, from 0 to 1.
    public var jump: Double { 1 - carried.intersectionOverUnion(with: found) }
  }

  /// Tracks that go on, by identity; those that were not shown before are not among them.
  public internal(set) var continued: [Pair] = []
  /// Identities that are new, and those that are over.
  public internal(set) var started: [Int] = [], ended: [Int] = []
}

extension BoxTracks {
  /// How tracks start, go on and end.
  public struct Settings: Sendable, Hashable {
    /// How boxes are carried.
    public var motion: BoxMotion.Settings
    /// The overlap from which a detection may be a carried box, from 0 to 1.
    public var leastOverlap: Double
    /// How far, in mean sides of the two boxes, centres may be apart where boxes overlap less.
    public var farthest: Double
    /// The score that starts a track.
    public var startScore: Double
    /// Key frames in a row on which a track may be missed before it ends; it is not shown
    /// meanwhile.
    public var patience: Int
    /// What a frame leaves of the confidence.
    public var decay: Double
    /// The share of a box that must lie in the picture, or its track ends.
    public var leastVisible: Double

    /// Settings for a key frame about every fifth to tenth frame.
    ///
    /// - Precondition: shares and overlaps are from 0 to 1, distances and counts not negative.
    public init(
      motion: BoxMotion.Settings = BoxMotion.Settings(), leastOverlap: Double = 0.3,
      farthest: Double = 0.7, startScore: Double = 0, patience: Int = 1, decay: Double = 0.98,
      leastVisible: Double = 0.1
    ) {
      precondition(
        [leastOverlap, decay, leastVisible].allSatisfy((0...1).contains) && farthest >= 0
          && patience >= 0, "an overlap, a share or a count that is none")
      (self.motion, self.leastOverlap, self.farthest) = (motion, leastOverlap, farthest)
      (self.startScore, self.patience) = (startScore, patience)
      (self.decay, self.leastVisible) = (decay, leastVisible)
    }
  }

  /// The detection of each track: by overlap, then, of what is left, by distance.
  private func partners(of detections: [Detection]) -> [Int?] {
    var partners = [Int?](repeating: nil, count: tracks.count)
    for gain in [overlapGain, distanceGain] {
      let rows = tracks.indices.filter { partners[$0] == nil }
      let taken = Set(partners.compactMap { $0 })
      let columns = detections.indices.filter { !taken.contains($0) }
      let gains = rows.flatMap { row in
        columns.map { column in
          tracks[row].detection.category == detections[column].category
            ? gain(tracks[row].motion, detections[column].box) : 0
        }
      }
      let found = bestAssignment(gains: gains, rows: rows.count, columns: columns.count)
      for (row, column) in zip(rows, found) { partners[row] = column.map { columns[$0] } }
    }
    return partners
  }

  private func overlapGain(_ motion: BoxMotion, _ found: BoundingBox) -> Double {
    let overlap = motion.box.intersectionOverUnion(with: found)
    return overlap >= settings.leastOverlap ? overlap : 0
  }

  /// Near and of like size.
  private func distanceGain(_ motion: BoxMotion, _ found: BoundingBox) -> Double {
    let box = motion.uncutBox
    let side = ((box.area.squareRoot() + found.area.squareRoot()) / 2)
    let distance = (box.centre - found.centre).squaredLength.squareRoot() / max(1, side)
    let ratio = box.area / found.area
    guard distance <= settings.farthest, (0.25...4).contains(ratio) else { return 0 }
    return 1 + settings.farthest - distance
  }
}

extension BoxMotion {
  /// Whether less than a share of it lies in the picture.
  func isOutside(leastShare share: Double) -> Bool {
    box.area <= 0 || box.area < share * uncutBox.area
  }
}
