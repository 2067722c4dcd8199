// SPDX-License-Identifier: Apache-2.0

/// A clip as a policy learns on it: what each frame is worth when it is propagated to from each key
/// before it, and what the policy sees of it then.
///
/// With it any schedule can be played through without running anything.
public struct PolicyEpisode: Sendable, Codable, Hashable {
  /// By key, then by distance from it, 0 first; as far as the horizon or the stream goes; beyond
  /// the horizon the last stays.
  public let scores: [[Float]]
  /// By key, then by distance from it, 1 first.
  public let sights: [[[Float]]]

  /// A clip of one row for each frame that could be key, as the properties order them.
  ///
  /// - Precondition: there is a frame; every key has its own score, and as many sights as frames
  ///   after it.
  public init(scores: [[Float]], sights: [[PolicyObservation]]) {
    self.init(scores, sights.map { $0.map(\.numbers) })
    precondition(isSound, "\(scores.count) keys do not fit their frames")
  }

  private init(_ scores: [[Float]], _ sights: [[[Float]]]) {
    (self.scores, self.sights) = (scores, sights)
  }

  /// Whether every key has its own score, and a sight for each further one: to be asked of what was
  /// read from a file.
  public var isSound: Bool {
    !scores.isEmpty && scores.count == sights.count
      && zip(scores, sights).enumerated().allSatisfy { key, pair in
        let (scores, sights) = pair
        return (1...self.scores.count - key).contains(scores.count)
          && sights.count == scores.count - 1
          && sights.allSatisfy { $0.count == PolicyObservation.count && $0.allSatisfy(\.isFinite) }
          && scores.allSatisfy(\.isFinite)
      }
  }

  /// How many frames the clip has.
  public var count: Int { scores.count }

  /// What frame `frame` is worth when it is propagated to from `key`, at or before it.
  public func score(_ frame: Int, from key: Int) -> Float {
    scores[key][min(frame - key, scores[key].count - 1)]
  }

  /// What is seen of `frame`, after `key`; of one that follows a key with nothing after it, no
  /// change.
  public func sight(_ frame: Int, from key: Int) -> PolicyObservation {
    let row = sights[key]
    return row.isEmpty ? .nothing : PolicyObservation(row[min(frame - key, row.count) - 1])
  }

  /// Whether nothing can be propagated to the frame, because the stream breaks before it.
  public func isBreak(_ frame: Int) -> Bool {
    frame > 0 && frame < count && scores[frame - 1].count == 1
  }
}
