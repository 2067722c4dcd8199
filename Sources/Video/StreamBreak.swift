// SPDX-License-Identifier: Apache-2.0

/// Why a frame does not go on from the one before it, so that nothing remembered from earlier
/// frames should be carried across.
public enum StreamBreak: String, Sendable, Hashable, CaseIterable, Codable {
  /// Another clip begins: another folder, another name, another sequence of a data set.
  case sequence
  /// Times or numbers begin anew.
  case reset
  /// The picture has another size than the one before.
  case size
  /// Pictures were lost or damaged.
  case damage
  /// Frames are missing: a hole in the times or in the numbers.
  case gap
}

extension StreamBreak {
  /// The kind to tell of where several come together; nil for none.
  static func chief(_ kinds: StreamBreak?...) -> StreamBreak? {
    allCases.first { kinds.contains($0) }
  }
}

/// How frames follow each other, for a stream of any source: where times or numbers leave a hole or
/// begin anew, and when each frame is shown.
///
/// A hole is a step of more than `tolerance` times the usual one, which is the median of the last
/// steps; a step like the one before it is none, since then the rate has changed. A frame that is
/// stated to be shown so long explains a step of up to ten usual ones.
package struct BreakDetector: Sendable {
  /// How many times the usual step is more than steps vary.
  let tolerance: Double
  /// The usual step before there were enough to tell; nil where nobody knows.
  private let stated: Double?
  /// Whether a long step may be a clock that was set anew.
  private let restarts: Bool
  /// Whether times are the sums of how long frames are shown, so that there are no holes.
  private let hasDelays: Bool
  private var steps: [Double] = []
  private var place = 0
  private var last: Last?
  private var first = 0.0
  /// Frames whose time was missing, or not later than the one before.
  package private(set) var repairs = 0

  private struct Last {
    /// As stated and as given out.
    var stated: Double, time: Double
    var length: Double?
    var step: Double?
  }

  /// When a frame is shown, for how long, and whether the stream broke before it.
  package struct Step: Sendable {
    package let time: Double
    /// Nil where nobody knows.
    package let duration: Double?
    package let streamBreak: StreamBreak?
  }

  package init(
    usually step: Double? = nil, restarts: Bool = false, hasDelays: Bool = false,
    tolerance: Double = 2.5
  ) {
    (stated, self.restarts, self.hasDelays) = (step, restarts, hasDelays)
    self.tolerance = tolerance
  }

  /// The step of the next frame.
  ///
  /// `time` is what its source says in seconds, before or after 0, or nothing; `length`, how long
  /// the frame is shown, if the source says so. Times that are given out never decrease: they go on
  /// where the source's begin anew.
  package mutating func next(time: Double?, length: Double? = nil) -> Step {
    guard let last else {
      if time == nil { repairs += 1 }
      first = time ?? 0
      self.last = Last(stated: first, time: first, length: length)
      return Step(time: first, duration: duration(length), streamBreak: nil)
    }
    let usual = usualStep
    let pause = duration(last.length) ?? 1.0 / 25
    guard let time else {
      repairs += 1
      return note(last.stated + pause, at: last.time + pause, length, nil)
    }
    let step = time - last.stated
    if step <= 0 { repairs += 1 }
    let isFar = restarts && step > 10 && step > tolerance * (usual ?? pause)
    if step < -1.5 * (usual ?? pause) || isFar {
      return note(time, at: last.time + pause, length, .reset)
    }
    guard step > 0 else { return note(last.stated, at: last.time, length, nil) }
    let isHole = isHole(step, usual: usual, after: last)
    add(step)
    return note(time, at: last.time + step, length, isHole ? .gap : nil, step)
  }

  private mutating func note(
    _ stated: Double, at time: Double, _ length: Double?, _ kind: StreamBreak?,
    _ step: Double? = nil
  ) -> Step {
    last = Last(stated: stated, time: time, length: length, step: step ?? last?.step)
    return Step(time: time, duration: duration(length), streamBreak: kind)
  }

  private mutating func add(_ step: Double) {
    if steps.count < Self.window { steps.append(step) } else { steps[place] = step }
    place = (place + 1) % Self.window
  }

  private static let window = 9

  /// Nil where it is too early to tell.
  private var usualStep: Double? {
    let median = Self.median(of: steps)
    return steps.count < 3 ? stated.map { max($0, median ?? 0) } : median
  }

  static func median(of steps: some Collection<Double>) -> Double? {
    steps.isEmpty ? nil : steps.sorted()[steps.count / 2]
  }

  private func isHole(_ step: Double, usual: Double?, after last: Last) -> Bool {
    guard let usual, !hasDelays else { return false }
    if let length = last.length, step <= 1.05 * length, step <= 10 * max(usual, last.step ?? 0) {
      return false
    }
    return Self.isHole(step, usual: usual, before: last.step, tolerance: tolerance)
  }

  /// Whether frames are missing in a step, after the one `before` it.
  static func isHole(
    _ step: Double, usual: Double, before: Double?, tolerance: Double
  ) -> Bool {
    guard step > tolerance * usual else { return false }
    return before.map { step > 1.25 * $0 || step < 0.8 * $0 } ?? true
  }

  /// What is stated where it may be true, else the usual step.
  private func duration(_ length: Double?) -> Double? {
    guard let usual = usualStep ?? stated else { return length }
    guard let length, hasDelays || (0.25 * usual...10 * usual).contains(length) else {
      return usual
    }
    return length
  }

  /// Whether the last frame ended well before the length that the container claims.
  package func endsBefore(_ claimed: Double?) -> Bool {
    guard let claimed, let last else { return false }
    let end = max(last.stated, last.time, last.time - first) + (duration(last.length) ?? 0)
    return end < claimed - max(1, 0.05 * claimed)
  }
}
