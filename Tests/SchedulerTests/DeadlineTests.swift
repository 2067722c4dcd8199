// SPDX-License-Identifier: Apache-2.0

import Frames
import Scheduler
import Testing
import Video

/// Streams by an injected clock, with stage times that are made up.
@Suite struct DeadlineTests {
  /// Frames every 40 ms, the newest first; keyframes each `interval` labelled frames.
  ///
  /// What became of each frame that was begun: K or ., - where it was left out, p where its
  /// keyframe was put off.
  private func schedule(
    limit: Double, key: (Int) -> Double, propagated: (Int) -> Double, interval: Int = 5,
    putsOff: Bool = true, count: Int = 60
  ) -> (drawing: String, misses: Int) {
    var deadline = Deadline(.milliseconds(limit))
    var (now, drawing, since, misses, isDue) = (0.0, "", Int.max, 0, false)
    for step in 0..<count {
      let captured = (now / 40).rounded(.down) * 40
      let age = now - captured
      deadline.begin(age: .milliseconds(age))
      var role: FrameRole = isDue || since >= interval ? .key : .propagated
      let isLate = step > 0 && deadline.isLate(role, age: .milliseconds(age))
      if isLate { deadline.leftOut(role) }
      if isLate && !putsOff {
        drawing += "-"
        now = captured + 40
        continue
      }
      if isLate && role == .propagated { drawing += "-" }
      if isLate && role == .key { (role, isDue) = (.propagated, true) }
      let time = role == .key ? key(step) : propagated(step)
      drawing += isLate ? "p" : role == .key ? "K" : "."
      if role == .key { (since, isDue) = (0, false) }
      since = since == .max ? 1 : since + 1
      deadline.took(.milliseconds(time), as: role)
      now += time
      misses += now - captured > limit ? 1 : 0
      // The next frame that is captured, where none waits.
      now = max(now, captured + 40)
    }
    return (drawing, misses)
  }

  @Test func nothingIsLateWhereThereIsTime() {
    let (drawing, misses) = schedule(limit: 100, key: { _ in 35 }, propagated: { _ in 8 })
    #expect(drawing.allSatisfy { $0 == "K" || $0 == "." } && misses == 0)
  }

  // A keyframe that never meets the deadline is not put off for ever, nor now and then.
  @Test func whatNoFreshFrameWouldMeetIsDoneAsEver() {
    for putsOff in [true, false] {
      let (drawing, misses) = schedule(
        limit: 30, key: { _ in 35 }, propagated: { _ in 8 }, putsOff: putsOff)
      #expect(drawing.hasPrefix("K....K....K....K....K"), "\(drawing)")
      #expect(misses == drawing.count { $0 == "K" })
    }
  }

  // One slow frame, as where a network compiles, changes nothing for long.
  @Test func oneSlowFrameIsForgotten() {
    let (drawing, _) = schedule(
      limit: 60, key: { $0 == 0 ? 3000 : 35 }, propagated: { _ in 8 }, putsOff: false)
    #expect(drawing.dropFirst(25).contains("K"))
    #expect(drawing.dropFirst(12).allSatisfy { $0 == "K" || $0 == "." }, "\(drawing)")
  }

  @Test func noMoreThanTenInARowAreLeftOut() {
    var deadline = Deadline(.milliseconds(50))
    deadline.begin(age: .zero)
    deadline.took(.milliseconds(40), as: .key)
    var late = 0
    for _ in 0..<30 {
      deadline.begin(age: .milliseconds(20))
      guard deadline.isLate(.key, age: .milliseconds(20)) else { break }
      deadline.leftOut(.key)
      late += 1
    }
    #expect(late == 9, "ten begins later no fresh frame is remembered")
    deadline.begin(age: .zero)
    #expect(deadline.isLate(.key, age: .milliseconds(20)))
    deadline.leftOut(.key)
    #expect(!deadline.isLate(.key, age: .milliseconds(20)), "ten in a row")
    deadline.took(.milliseconds(40), as: .key)
    #expect(deadline.isLate(.key, age: .milliseconds(20)))
  }

  private func context(_ since: Int) -> FrameContext {
    FrameContext(ofBatch: since, from: GivenAnswers())
  }

  @Test func aKeyframeThatIsPutOffComesOnceItMay() throws {
    let gate = KeyframeGate(.putOff)
    var scheduler = PuttingOff(.every(3), gate: gate)
    #expect(try scheduler.decision(at: context(2)).role == .propagated)
    gate.isClosed = true
    #expect(try scheduler.decision(at: context(2)).reason != PuttingOff.lateness)
    for since in 3..<6 {
      let decision = try scheduler.decision(at: context(since))
      #expect(decision.role == .propagated && decision.reason == PuttingOff.lateness)
    }
    gate.isClosed = false
    // Whatever the scheduler itself would say by now.
    #expect(try scheduler.decision(at: context(1)).role == .key)
    #expect(try scheduler.decision(at: context(1)).role == .propagated)
  }

  @Test func aKeyframeThatIsRefusedLeavesTheFrameOut() throws {
    let gate = KeyframeGate(.refuse)
    var scheduler = PuttingOff(.every(3), gate: gate)
    gate.isClosed = true
    #expect(throws: FrameIsLate.self) { try scheduler.decision(at: context(3)) }
    #expect(try scheduler.decision(at: context(2)).role == .propagated)
    gate.isClosed = false
    #expect(try scheduler.decision(at: context(3)).role == .key)
  }
}
