// SPDX-License-Identifier: Apache-2.0

/// What was counted of tracks, in one clip or in several, and the figures that come of it.
public struct TrackingOutcome: Sendable, Hashable, Codable {
  /// The overlaps of HOTA: 0.05, 0.1, … 0.95.
  public static let overlaps: [Double] = (1...19).map { Double($0) * 0.05 }

  /// Counts of CLEAR, from an overlap of 0.5.
  struct Clear: Sendable, Hashable, Codable {
    var hits = 0, misses = 0, extras = 0, switches = 0
    var overlap = 0.0

    static func += (lhs: inout Self, rhs: Self) {
      lhs.hits += rhs.hits
      lhs.misses += rhs.misses
      lhs.extras += rhs.extras
      lhs.switches += rhs.switches
      lhs.overlap += rhs.overlap
    }

    /// Nil where nothing is there to be found.
    var accuracy: Double? {
      hits + misses > 0 ? Double(hits - extras - switches) / Double(hits + misses) : nil
    }
  }

  /// Counts of HOTA at one overlap.
  struct Level: Sendable, Hashable, Codable {
    var hits = 0.0, overlap = 0.0
    /// Of each hit, how well its identities agree over the clip.
    var association = 0.0
  }

  /// By frames since the key frame.
  var clear: [Int: Clear] = [:]
  var levels = [Level](repeating: Level(), count: overlaps.count)
  var truths = 0, boxes = 0, identityHits = 0

  /// Nothing is counted yet.
  public init() {}

  /// Adds what was counted in another clip, whose identities have nothing to do with these.
  public static func += (lhs: inout Self, rhs: Self) {
    lhs.clear.merge(rhs.clear) { one, other in
      var sum = one
      sum += other
      return sum
    }
    for index in lhs.levels.indices {
      lhs.levels[index].hits += rhs.levels[index].hits
      lhs.levels[index].overlap += rhs.levels[index].overlap
      lhs.levels[index].association += rhs.levels[index].association
    }
    lhs.truths += rhs.truths
    lhs.boxes += rhs.boxes
    lhs.identityHits += rhs.identityHits
  }

  /// `MOTA`, `MOTP`, `switches`, `IDF1`, `HOTA`, `DetA`, `AssA` and `LocA`, as TrackEval defines
  /// them; empty where nothing is there to be found.
  public var values: [String: Double] {
    guard truths > 0 else { return [:] }
    var all = Clear()
    for counts in clear.values { all += counts }
    var sums = (hota: 0.0, detection: 0.0, association: 0.0, location: 0.0)
    for level in levels {
      let detection = level.hits / max(1, Double(truths + boxes) - level.hits)
      let association = level.association / max(1, level.hits)
      sums.hota += (detection * association).squareRoot()
      sums.detection += detection
      sums.association += association
      sums.location += level.hits > 0 ? level.overlap / level.hits : 1
    }
    let count = Double(levels.count)
    return [
      "MOTA": all.accuracy ?? 0, "MOTP": all.overlap / Double(max(1, all.hits)),
      "switches": Double(all.switches),
      "IDF1": 2 * Double(identityHits) / Double(truths + boxes),
      "HOTA": sums.hota / count, "DetA": sums.detection / count,
      "AssA": sums.association / count, "LocA": sums.location / count,
    ]
  }

  /// MOTA, and the mean overlap of what was found, of the frames so many after their key frame.
  ///
  /// A switch counts at the frame on which it shows. Nil where no such frame had anything to find.
  public func byAge(_ age: Int) -> (mota: Double, overlap: Double)? {
    guard let counts = clear[age], let accuracy = counts.accuracy else { return nil }
    return (accuracy, counts.overlap / Double(max(1, counts.hits)))
  }

  /// The distances from the key frame of which anything was counted.
  public var ages: [Int] { clear.keys.sorted() }
}

extension TrackingAccuracy {
  /// The figures of this clip alone.
  public var values: [String: Double] { outcome.values }
}
