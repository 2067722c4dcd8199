// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Video

@Suite struct PrefetchingTests {
  /// Lives as long as the source that holds it.
  private final class Token: Sendable {}

  /// Frames that are made up, then perhaps an error.
  private final class Counting: FrameSource {
    let info = StreamInfo(width: 2, height: 2, frameRate: nil, codec: "made")
    var report = StreamReport()
    let count: Int
    let fails: Bool
    let token: Token

    init(count: Int, fails: Bool = false, token: Token = Token()) {
      (self.count, self.fails, self.token) = (count, fails, token)
    }

    func next() throws(VideoError) -> Frame? {
      guard report.decoded < count else {
        if fails { throw VideoError(.damagedData, at: "made", "no more") }
        return nil
      }
      defer { report.decoded += 1 }
      let pixels = Image(width: 2, height: 2, channels: 3, repeating: UInt8(report.decoded))
      return Frame(index: report.decoded, time: 0, pixels: pixels)
    }
  }

  @Test(arguments: [1, 3, 100])
  func framesComeInOrderAndEnd(depth: Int) throws {
    let source = Prefetching(Counting(count: 50), depth: depth)
    #expect(try frames(of: source).map(\.index) == Array(0..<50))
    #expect(try source.next() == nil)
    #expect(source.report.decoded == 50)
  }

  @Test func errorsComeAfterTheFramesBeforeThem() throws {
    let source = Prefetching(Counting(count: 3, fails: true), depth: 8)
    for index in 0..<3 { #expect(try source.next()?.index == index) }
    let error = try #require(throws: VideoError.self) { try source.next() }
    #expect(error.code == .damagedData)
    #expect(try source.next() == nil)
  }

  @Test func theReportIsThatOfTheFrameInHand() throws {
    let source = Prefetching(Counting(count: 9), depth: 8)
    for index in 0..<9 {
      _ = try source.next()
      #expect(source.report.decoded == index + 1)
    }
  }

  @Test func aLookAheadTakesNothing() throws {
    let source = Prefetching(Counting(count: 3), depth: 2)
    #expect(eventually { source.peek()?.index == 0 })
    #expect(source.report.decoded == 0)
    for index in 0..<3 { #expect(try source.next()?.index == index) }
    #expect(try source.next() == nil)
    #expect(source.peek() == nil)
  }

  @Test func lettingGoEarlyEndsTheOtherThread() throws {
    weak var watched: Token?
    try {
      let token = Token()
      watched = token
      let source = Prefetching(Counting(count: .max, token: token), depth: 2)
      _ = try source.next()
    }()
    #expect(eventually { watched == nil })
  }
}
