// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Outputs
import Synchronization
import Testing

@Suite struct WorkBehindTests {
  private struct Refused: Error {}

  /// A gate that work waits at until it is opened.
  private final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    func pass() {
      opened.wait()
      opened.signal()
    }
    func open() { opened.signal() }
  }

  private final class Notes: Sendable {
    private let notes = Mutex<[Int]>([])
    var all: [Int] { notes.withLock(\.self) }
    func add(_ note: Int) { notes.withLock { $0.append(note) } }
  }

  @Test func workIsDoneInOrderAndWaitedFor() throws {
    let (work, done) = (WorkBehind("test", depth: 3), Notes())
    for index in 0..<40 { try work.add { done.add(index) } }
    try work.finish()
    #expect(done.all == Array(0..<40))
  }

  // Whoever gives work waits for room: what is held is bounded, however slow the work.
  @Test func noMoreThanTheDepthIsHeld() throws {
    let (work, gate) = (WorkBehind("test", depth: 3), Gate())
    let (given, ended) = (Notes(), DispatchSemaphore(value: 0))
    DispatchQueue.global().async {
      for _ in 0..<10 {
        try? work.add { gate.pass() }
        given.add(1)
      }
      ended.signal()
    }
    let limit = ContinuousClock.now + .seconds(20)
    while given.all.count < 3, ContinuousClock.now < limit {
      _ = ended.wait(timeout: .now() + 0.01)
    }
    #expect(ended.wait(timeout: .now() + 0.1) == .timedOut)
    #expect(given.all.count == 3)
    gate.open()
    #expect(ended.wait(timeout: .now() + 20) == .success)
    try work.finish()
  }

  @Test func whoWaitsForRoomIsToldOfAFailureAtOnce() throws {
    let (work, gate, done) = (WorkBehind("test", depth: 2), Gate(), Notes())
    try work.add {
      gate.pass()
      throw Refused()
    }
    try work.add { done.add(1) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { gate.open() }
    let begin = ContinuousClock.now
    #expect(throws: Refused.self) { while true { try work.add { done.add(2) } } }
    #expect(throws: Refused.self) { try work.finish() }
    #expect(ContinuousClock.now - begin < .seconds(1))
    #expect(done.all.isEmpty, "nothing is done after a failure")
  }
}
