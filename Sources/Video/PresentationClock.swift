// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg

/// Makes times that never decrease of whatever a container states.
struct PresentationClock {
  private(set) var repairs = 0
  private(set) var gaps = 0
  private let nominalStep: Double
  /// Time and length of the last frame, in seconds.
  private var last: (time: Double, duration: Double)?

  init(nominalRate: FrameRate?) {
    nominalStep = 1 / (nominalRate?.framesPerSecond ?? 25)
  }

  /// The frame's time, and whether frames seem to be missing before it.
  mutating func time(of frame: cff_frame_info) -> (time: Double, followsGap: Bool) {
    let duration = frame.duration.isFinite ? frame.duration : nominalStep
    defer { last?.duration = duration }
    guard let last else {
      if !frame.time.isFinite { repairs += 1 }
      let first = frame.time.isFinite ? frame.time : 0
      self.last = (first, duration)
      return (first, false)
    }
    let expected = last.time + max(last.duration, nominalStep)
    let stated = frame.time.isFinite ? frame.time : expected
    if !frame.time.isFinite || stated <= last.time { repairs += 1 }
    let time = max(stated, last.time)
    self.last = (time, duration)
    let followsGap = time > expected + 1.5 * nominalStep
    gaps += followsGap ? 1 : 0
    return (time, followsGap)
  }

  /// Whether the last frame ended well before the length that the container claims.
  func endsBefore(_ info: StreamInfo) -> Bool {
    guard let claimed = info.claimedDuration, let last else { return false }
    return last.time + last.duration < claimed - max(1, 0.05 * claimed)
  }
}
