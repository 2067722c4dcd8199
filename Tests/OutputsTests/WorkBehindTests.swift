// SPDX-License-Identifier: Apache-2.0

import Foundation
import Outputs
import Synchronization
import TestSupport
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
    Thread.detachNewThread {
      for _ in 0..<10 {
        try? work.add { gate.pass() }
        given.add(1)
      }
      ended.signal()
    }
    #expect(eventually { given.all.count >= 3 })
    #expect(ended.wait(timeout: .now() + 0.1) == .timedOut)
    #expect(given.all.count == 3)
    gate.open()
    #expect(ended.wait(timeout: .now() + 120) == .success)
    try work.finish()
  }

  // Room is waited for while the piece that will fail is under way, and twice more after it.
  @Test func whoWaitsForRoomIsToldOfAFailure() throws {
    let (work, gate, done) = (WorkBehind("test", depth: 2), Gate(), Notes())
    let (told, ended) = (Notes(), DispatchSemaphore(value: 0))
    try work.add {
      gate.pass()
      throw Refused()
    }
    try work.add { done.add(1) }
    Thread.detachNewThread {
      for _ in 0..<3 {
        do { try work.add { done.add(2) } } catch { told.add(1) }
      }
      ended.signal()
    }
    #expect(ended.wait(timeout: .now() + 0.1) == .timedOut, "there is no room yet")
    gate.open()
    #expect(ended.wait(timeout: .now() + 120) == .success)
    #expect(told.all.count == 3)
    #expect(throws: Refused.self) { try work.finish() }
    #expect(done.all.isEmpty, "nothing is done after a failure")
  }
}
