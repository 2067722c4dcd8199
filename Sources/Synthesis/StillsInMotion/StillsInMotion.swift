// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Video

/// Stills set in motion: of each, short clips with labels, exact motion and occlusion.
///
/// What FlyingChairs (Dosovitskiy et al., ICCV 2015) did for flow, for stills of streets: a camera
/// drives into the still along a smooth way, is shaken, pans and rolls a little. Depth is told from
/// the classes: the ground is a plane, what is upright stands on it, the sky is far away, and
/// poles, signs, cars and people are cut out by their labels and stand before what is behind them.
/// Cars, people and riders of *other* stills are pasted in and move by themselves. How far things
/// move resembles CamVid at 15 Hz.
///
/// A place that a cut-out leaves is filled with the nearest colours around it and is **void**:
/// nobody knows what is there. So is what lies beyond the still. Neither the colours nor the motion
/// are claimed there. Stills without labels, or with classes that are not a street's, get a smooth
/// depth by chance and no cut-outs.
///
/// Clip `index` of a seed is always the same, whatever was made before and by how many threads. As
/// many clips in a row as there are stills show each of them once.
public struct StillsInMotion: Sendable {
  /// `stills/`, and the name of the clip that the stills are from.
  public let name: String
  /// What the ids of the labels stand for.
  public let classes: ClassList
  /// What every clip's camera, window and pasted things follow from.
  public let seed: UInt64
  private let store: StillStore

  /// Sets the samples of `stills` in motion; up to `room` bytes of them are kept in memory, ready
  /// for use.
  ///
  /// A still of CamVid's takes about 1.5 MB.
  ///
  /// - Precondition: there is at least one still.
  public init(stills: some LabelledClip, seed: UInt64, room: Int = 1 << 30) {
    precondition(stills.count > 0, "there are no stills in \(stills.name)")
    (name, classes, self.seed) = ("stills/\(stills.name)", stills.classes, seed)
    store = StillStore(stills, room: room)
  }

  /// How many stills there are.
  public var stillCount: Int { store.count }

  /// The files that stills and labels are read from.
  public var files: [String] { store.files }

  /// A clip of `count` frames, each `gap` frames at 15 Hz after the one before.
  ///
  /// Its window of `size` pixels, the still's own size where nil, lies at a place by chance in the
  /// still, which is first scaled by a factor by chance out of `scale`. Between ½ and 2 it looks as
  /// it should.
  ///
  /// - Precondition: `index` is not negative; `count`, `gap`, `size` and `scale` are positive, and
  ///   `scale` at most 64.
  public func clip(
    _ index: Int, count: Int, gap: Int = 1, size: PixelSize? = nil,
    scale: ClosedRange<Double> = 1...1
  ) throws -> StillClip {
    precondition(index >= 0 && count > 0 && gap > 0, "clip \(index): \(count) frames, gap \(gap)")
    precondition(
      scale.lowerBound > 0 && scale.upperBound <= 64, "stills cannot be scaled by \(scale)")
    let plan = try StillPlan(
      store, seed: seed, index: index, count: count, gap: gap, size: size, scale: scale)
    return StillClip(plan, name: "\(name)/\(index)", classes: classes, void: store.void)
  }

  /// Two frames `gap` frames at 15 Hz apart, the later one's motion to the earlier one, and their
  /// labels.
  public func pair(
    _ index: Int, gap: Int = 1, size: PixelSize? = nil, scale: ClosedRange<Double> = 1...1
  ) throws -> MotionPair {
    try clip(index, count: 2, gap: gap, size: size, scale: scale).pair(from: 1, to: 0)
  }
}
