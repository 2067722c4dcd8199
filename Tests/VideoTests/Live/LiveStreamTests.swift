// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import Testing
import Video

/// A clock that stands still but for whoever sleeps by it.
final class StandingClock: StreamClock {
  private let time = Mutex(Duration.seconds(1000))
  var now: Duration { time.withLock(\.self) }
  func sleep(_ duration: Duration) { time.withLock { $0 += max(duration, .zero) } }
}

/// What a connection gives, one thing after the other.
enum Event: Sendable {
  /// A frame of that time, after so long.
  case frame(Double, after: Double = 0)
  /// Nothing, for as long as is waited.
  case silence
  case failure
}

/// Pixels of which the first says which frame of its connection it is.
final class Scripted: FrameSource {
  let info: StreamInfo
  var report = StreamReport()
  private var events: [Event]
  private let watch: LiveWatch
  private let clock: StandingClock

  init(_ events: [Event], _ watch: LiveWatch, _ clock: StandingClock, width: Int = 2) {
    (self.events, self.watch, self.clock) = (events, watch, clock)
    info = StreamInfo(width: width, height: 2, frameRate: nil, codec: "made")
  }

  func next() throws(VideoError) -> Frame? {
    guard !events.isEmpty else { return nil }
    switch events.removeFirst() {
    case .failure: throw VideoError(.unreadable, at: "made", "it broke")
    case .silence: return try wait(nil)
    case .frame(let time, let delay):
      _ = try wait(.seconds(delay))
      defer { report.decoded += 1 }
      return Frame(
        index: report.decoded, time: time,
        pixels: Image(
          width: info.width, height: 2, channels: 3, repeating: UInt8(report.decoded)))
    }
  }

  private func wait(_ delay: Duration?) throws(VideoError) -> Frame? {
    let end = delay.map { clock.now + $0 }
    while end.map({ clock.now < $0 }) ?? true {
      if watch.givesUp { throw VideoError(.timedOut, at: "made", "nothing came in time") }
      clock.sleep(.milliseconds(100))
    }
    return nil
  }
}

@Suite struct LiveStreamTests {
  let clock = StandingClock()
  let watch: LiveWatch

  init() { watch = LiveWatch(clock: clock) }

  /// What each opening gives; nil where it fails.
  private func stream(
    _ connections: [[Event]?], reopens: Bool = true, waits: Bool = false, maxOutage: Double = 60,
    widths: [Int] = [], opened: @escaping (Duration) -> Void = { _ in }
  ) throws -> LiveStream {
    var patience = LivePatience()
    patience.maxOutage = .seconds(maxOutage)
    var (left, widths) = (connections, widths)
    return try LiveStream(
      "made", recovery: .init(reopens: reopens, waitsOutStalls: waits), patience: patience,
      watch: watch
    ) { [clock] watch throws(VideoError) in
      opened(clock.now)
      let events = left.isEmpty ? nil : left.removeFirst()
      let width = widths.isEmpty ? 2 : widths.removeFirst()
      guard let events else { throw VideoError(.unreadable, at: "made", "refused") }
      return Scripted(events, watch, clock, width: width)
    }
  }

  private func frames(of stream: LiveStream) throws -> [Frame] {
    var frames: [Frame] = []
    while let frame = try stream.next() { frames.append(frame) }
    return frames
  }

  @Test func aSteadyStreamIsHandedOnAsItIs() throws {
    let stream = try stream([[.frame(0), .frame(0.1, after: 4.9), .frame(0.2)]], reopens: false)
    let frames = try frames(of: stream)
    #expect(frames.map(\.time) == [0, 0.1, 0.2] && frames.map(\.index) == [0, 1, 2])
    #expect(frames.allSatisfy { $0.streamBreak == nil })
    #expect(stream.outages == LiveOutages() && stream.report.decoded == 3)
  }

  @Test func pausesBeforeConnectingAgainGrowToHalfAMinute() throws {
    var attempts: [Duration] = []
    let stream = try stream([[.frame(0)]], maxOutage: 200) { attempts.append($0) }
    _ = try stream.next()
    let lost = clock.now
    let error = try #require(throws: VideoError.self) { try stream.next() }
    #expect(error.code == .outage)
    let seconds = attempts.dropFirst().map { Int((($0 - lost) / .seconds(1)).rounded()) }
    #expect(seconds == [1, 3, 7, 15, 31, 61, 91, 121, 151, 181])
    #expect(try stream.next() == nil)
  }

  @Test func aStallIsLeftAndWhatComesBackFollowsABreak() throws {
    let stream = try stream([
      [.frame(7), .frame(7.1), .silence], nil, [.frame(500), .frame(500.1)], [.frame(0)],
    ])
    let frames = try (0..<5).map { _ in try #require(try stream.next()) }
    #expect(frames.map(\.index) == [0, 1, 2, 3, 4])
    #expect(frames.map(\.streamBreak) == [nil, nil, .gap, nil, .gap])
    // Five seconds of silence, pauses of one and two; then an end, and one second.
    #expect(frames[0].time == 7 && frames[1].time == 7.1)
    #expect((15...15.4).contains(frames[2].time), "\(frames[2].time)")
    #expect(abs(frames[3].time - frames[2].time - 0.1) < 1e-9)
    #expect((1...1.2).contains(frames[4].time - frames[3].time))
    #expect(stream.outages.stalls == 1 && stream.outages.reconnections == 2)
    #expect(stream.report.breaks == [.gap: 2] && stream.report.decoded == 5)
    #expect((9...9.6).contains(stream.outages.time / .seconds(1)))
  }

  // Frames must come before pauses are short again: a camera that answers and gives nothing.
  @Test func aConnectionWithoutFramesIsNoReturn() throws {
    var attempts: [Duration] = []
    let stream = try stream(
      [[.frame(0)], [.failure], [], [.frame(3), .failure], [.frame(5)]]
    ) { attempts.append($0) }
    let begin = clock.now
    for _ in 0..<3 { #expect(try stream.next() != nil) }
    #expect(attempts.map { Int((($0 - begin) / .seconds(1)).rounded()) } == [0, 1, 3, 7, 8])
    #expect(stream.outages.reconnections == 2)
  }

  @Test func aPipeIsWaitedForAndNeverClosed() throws {
    var count = 0
    let stream = try stream(
      [[.frame(0), .frame(0.1, after: 7), .frame(0.2, after: 4), .silence]], reopens: false,
      waits: true
    ) { _ in count += 1 }
    let frames = try (0..<3).map { _ in try #require(try stream.next()) }
    #expect(frames.map(\.streamBreak) == [nil, .gap, nil])
    #expect(frames.map(\.time) == [0, 0.1, 0.2])
    #expect(stream.outages.stalls == 1 && stream.outages.reconnections == 0 && count == 1)
    let begin = clock.now
    let error = try #require(throws: VideoError.self) { try stream.next() }
    #expect(error.code == .outage)
    #expect((60...60.3).contains((clock.now - begin) / .seconds(1)))
  }

  @Test func aStreamThatCannotBeOpenedAtFirstIsAnErrorAtOnce() throws {
    let begin = clock.now
    let error = #expect(throws: VideoError.self) { try stream([nil, [.frame(0)]]) }
    #expect(error?.code == .unreadable && clock.now == begin)
  }

  @Test func stoppingEndsAnyWait() throws {
    let stream = try stream([[.frame(0)]]) { [watch] _ in watch.stop() }
    #expect(try stream.next() == nil)
  }

  @Test func picturesOfALaterConnectionHaveTheSizeOfTheFirst() throws {
    let stream = try stream([[.frame(0)], [.frame(0)]], widths: [2, 6])
    for _ in 0..<2 { #expect(try stream.next()?.pixels.width == 2) }
  }
}

@Suite struct CaptureClockTests {
  // The quickest frame arrives at once; others are as old as they are later than it.
  @Test func agesAreAgainstTheQuickestFrame() {
    var clock = CaptureClock()
    let arrivals: [(time: Double, at: Double, captured: Double)] = [
      (0, 100.5, 100.5), (1, 101.2, 101.2), (2, 102.2, 102.2), (3, 104.2, 103.2),
      (4, 106.2, 104.2),
    ]
    for arrival in arrivals {
      let captured = clock.captured(arrival.time, arriving: .seconds(arrival.at))
      #expect(abs(captured / .seconds(1) - arrival.captured) < 0.001)
    }
    // Times begin anew: nothing that was known of them holds.
    #expect(clock.captured(50, arriving: .seconds(200), anew: true) == .seconds(200))
    #expect(clock.captured(.nan, arriving: .seconds(300)) <= .seconds(300))
  }

  // A sender whose clock is slow by 50 parts in a million: ages do not grow with the hours.
  @Test func clocksThatRunApartAreFollowed() {
    var (clock, age) = (CaptureClock(), Duration.zero)
    for second in 0..<36_000 {
      let now = Duration.seconds(Double(second) * 1.00005)
      age = now - clock.captured(Double(second), arriving: now)
    }
    #expect(age < .milliseconds(1))
  }
}

@Suite struct LiveQueueTests {
  private func queue(_ policy: LiveQueue.Policy, count: Int) throws -> (LiveQueue, LiveWatch) {
    let (clock, watch) = (StandingClock(), nil as LiveWatch?)
    let made = watch ?? LiveWatch(clock: clock)
    let events = (0..<count).map { Event.frame(Double($0) / 10, after: 0.1) }
    var connections = [events]
    let stream = try LiveStream(
      "made", recovery: .init(reopens: false, waitsOutStalls: true), watch: made
    ) { watch throws(VideoError) in Scripted(connections.removeFirst(), watch, clock) }
    return (LiveQueue(stream, policy: policy, watch: made), made)
  }

  @Test func theNewestFrameIsHandedOutAndTheOthersAreCounted() throws {
    let (queue, _) = try queue(.newest, count: 50)
    #expect(eventually { queue.progress.report.decoded == 50 && queue.progress.dropped == 49 })
    let arrival = try #require(try queue.next())
    #expect(arrival.frame.index == 49 && arrival.frame.time == 4.9)
    #expect(arrival.frame.pixels[x: 0, y: 0] == 49)
    #expect(try queue.next() == nil)
    #expect(queue.progress.dropped == 49)
  }

  @Test func everyFrameIsHandedOutAndFewWait() throws {
    let (queue, _) = try queue(.everyFrame, count: 50)
    #expect(eventually { queue.progress.report.decoded >= 4 })
    MachineClock().sleep(.milliseconds(30))
    #expect(queue.progress.report.decoded == 4)
    var indices: [Int] = []
    while let arrival = try queue.next() { indices.append(arrival.frame.index) }
    #expect(indices == Array(0..<50) && queue.progress.dropped == 0)
  }

  @Test(arguments: [LiveQueue.Policy.newest, .everyFrame])
  func cancellingEndsReading(policy: LiveQueue.Policy) throws {
    let (queue, watch) = try queue(policy, count: 10_000_000)
    _ = try queue.next()
    queue.cancel()
    #expect(watch.isStopped)
    // The frame that was being read may still come.
    let stands = eventually {
      let count = queue.progress.report.decoded
      MachineClock().sleep(.milliseconds(20))
      return queue.progress.report.decoded == count
    }
    #expect(stands && queue.progress.report.decoded < 10_000_000)
  }

  @Test func waitingEndsWhereNobodyWantsMore() throws {
    let (queue, _) = try queue(.newest, count: 1)
    _ = try queue.next()
    #expect(try queue.next(while: { false }) == nil)
  }
}

@Suite struct LiveAddressTests {
  @Test func textsTellKinds() throws {
    #expect(try LiveAddress("-") == .standardInput)
    #expect(try LiveAddress("0") == .camera("/dev/video0"))
    #expect(try LiveAddress("/dev/video97") == .camera("/dev/video97"))
    #expect(try LiveAddress("RTSP://10.0.0.1/a") == .network("RTSP://10.0.0.1/a"))
    #expect(try LiveAddress(#filePath) == .file(#filePath))
    for (text, code) in [
      ("file:///etc/hostname", VideoError.Code.refusedFormat), ("concat://a", .refusedFormat),
      ("ftp://host/a", .refusedFormat), ("nothing/there", .missingFile), ("/tmp", .unreadable),
      ("concat:a|b", .missingFile),
    ] {
      let error = #expect(throws: VideoError.self) { try LiveAddress(text) }
      #expect(error?.code == code, "\(text)")
    }
  }

  @Test func passwordsAreNotTold() throws {
    #expect(try LiveAddress("rtsp://me:secret@host/a").name == "rtsp://…@host/a")
    #expect(try LiveAddress("rtsp://host/a@b").name == "rtsp://host/a@b")
  }

  @Test func rawFormsAreSizeLayoutAndRate() throws {
    let raw = try #require(RawVideo("640x480:rgb24@29.97"))
    #expect((raw.width, raw.height, raw.pixelFormat) == (640, 480, "rgb24"))
    #expect(abs(raw.rate.framesPerSecond - 29.97) < 0.001)
    for text in [
      "", "640x480", "640x480:rgb24", "640x480@30", "0x480:rgb24@30", "640x-1:rgb24@30",
      "640x480:rgb24@0", "640x480:rgb24@nan", "999999x999999:rgb24@30", "640x480:a=b@30",
      "640x480x3:rgb24@30", "x:y@z",
    ] { #expect(RawVideo(text) == nil, "\(text)") }
  }
}
