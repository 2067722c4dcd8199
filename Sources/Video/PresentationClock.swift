// SPDX-License-Identifier: Apache-2.0

/// Makes times that never decrease of whatever a container states.
package struct PresentationClock {
  /// Frames whose time was missing, or not later than the one before.
  package private(set) var repairs = 0
  /// Steps that are longer than a frame and the next one's delay explain.
  package private(set) var gaps = 0
  private let nominalStep: Double
  /// Time and length of the last frame, in seconds.
  private var last: (time: Double, duration: Double)?

  package init(nominalRate: FrameRate?) {
    nominalStep = 1 / (nominalRate?.framesPerSecond ?? 25)
  }

  /// The frame's time, and whether frames seem to be missing before it.
  ///
  /// `stated` is what the container says in seconds, before or after 0, or nothing; `length`, how
  /// long the frame is shown, if the container says so. A long step after a frame that lasts as
  /// long is no gap: that is how rates vary.
  package mutating func time(stated: Double?, length: Double?) -> (time: Double, followsGap: Bool) {
    let duration = length ?? nominalStep
    guard let last else {
      if stated == nil { repairs += 1 }
      self.last = (stated ?? 0, duration)
      return (stated ?? 0, false)
    }
    let expected = last.time + max(last.duration, nominalStep)
    let time = max(stated ?? expected, last.time)
    if stated.map({ $0 <= last.time }) ?? true { repairs += 1 }
    self.last = (time, duration)
    let followsGap = time > expected + 1.5 * nominalStep
    gaps += followsGap ? 1 : 0
    return (time, followsGap)
  }

  /// Whether the last frame ended well before the length that the container claims.
  package func endsBefore(_ info: StreamInfo) -> Bool {
    guard let claimed = info.claimedDuration, let last else { return false }
    return last.time + last.duration < claimed - max(1, 0.05 * claimed)
  }
}
