// SPDX-License-Identifier: Apache-2.0

/// How a live stream is waited for, and connected to again.
public struct LivePatience: Sendable, Hashable {
  /// How long a frame is waited for before the stream counts as stalled.
  public var timeout = Duration.seconds(5)
  /// The first pause before connecting again; each one after it is twice as long.
  public var firstPause = Duration.seconds(1)
  /// The longest pause before connecting again.
  public var longestPause = Duration.seconds(30)
  /// How long a stream may stay away before it is given up.
  public var maxOutage = Duration.seconds(60)

  /// Five seconds, pauses of 1, 2, 4 … 30 seconds, a minute.
  public init() {}
}

/// What became of a live stream so far.
public struct LiveOutages: Sendable, Hashable {
  /// How often no frame came in time.
  public var stalls = 0
  /// How often it was connected to again, and frames came.
  public var reconnections = 0
  /// How long nothing came, in all.
  public var time = Duration.zero

  /// None.
  public init() {}
}

/// Frames of a source that may stall, vanish and come back.
///
/// Where no frame comes in time, or the stream ends that should not, it is opened again, after
/// pauses that grow, until frames come or it has been away too long. A source that waits by itself,
/// as a pipe does, is not opened again: it has only stalled. Either way the next frame follows a
/// break, so that nothing is propagated across, and times go on by the clock.
public final class LiveStream: FrameSource {
  /// What opens the source: anew each time, from the same watch.
  public typealias Opening = (LiveWatch) throws(VideoError) -> any FrameSource

  /// What the stream said of itself when it was opened first.
  public let info: StreamInfo
  /// How reading has gone, over all connections.
  public private(set) var report = StreamReport()
  /// What became of the stream so far.
  public private(set) var outages = LiveOutages()

  private let name: String
  private let watch: LiveWatch
  private let patience: LivePatience
  private let recovery: Recovery
  private let opening: Opening
  private let notice: (String) -> Void
  private var source: (any FrameSource)?
  /// What was read of the connections that are over.
  private var before = StreamReport()
  private var last: (time: Double, at: Duration)?
  /// What is added to the times of this connection.
  private var shift = 0.0
  /// The pause before the source is opened again; back to the first one once a frame has come.
  private var pause: Duration
  private var (isLost, isBroken, hasEnded) = (false, false, false)

  /// What is done about a source that gives no frame.
  public struct Recovery: Sendable, Hashable {
    /// Whether a source that ends or fails is opened again.
    public var reopens: Bool
    /// Whether a stall is waited out, since closing the source would harm its sender.
    public var waitsOutStalls: Bool

    /// What is done about an end, and about a stall.
    public init(reopens: Bool, waitsOutStalls: Bool) {
      (self.reopens, self.waitsOutStalls) = (reopens, waitsOutStalls)
    }
  }

  /// Opens the source; where it cannot be opened at first, it throws at once.
  ///
  /// Errors call it `name`; `notice` is told, in a sentence, when the stream is lost and when it is
  /// back.
  public init(
    _ name: String, recovery: Recovery, patience: LivePatience = LivePatience(), watch: LiveWatch,
    notice: @escaping (String) -> Void = { _ in }, opening: @escaping Opening
  ) throws(VideoError) {
    (self.name, self.recovery, self.patience) = (name, recovery, patience)
    (self.watch, self.opening, self.notice) = (watch, opening, notice)
    pause = patience.firstPause
    watch.wait(atMost: patience.timeout + Self.openingTime)
    let first = try opening(watch)
    (info, source) = (first.info, first)
  }

  /// What opening may take longer than a frame: looking for a key frame to begin with.
  private static let openingTime = Duration.seconds(10)

  /// The next frame; waits for it, connecting again where that helps.
  ///
  /// Nil at the end, or once the watch was stopped.
  ///
  /// - Throws: `outage` where the stream stayed away for too long.
  public func next() throws(VideoError) -> Frame? {
    guard !hasEnded else { return nil }
    do throws(VideoError) {
      let frame = try nextOfAny()
      hasEnded = frame == nil
      return frame
    } catch {
      hasEnded = true
      if watch.isStopped { return nil }
      throw error
    }
  }

  private func nextOfAny() throws(VideoError) -> Frame? {
    let begin = watch.clock.now
    while !watch.isStopped {
      do throws(VideoError) {
        if let frame = try nextOfThis() { return adopted(frame, since: begin) }
        guard recovery.reopens, !watch.isStopped else { return nil }
        lose("it ended")
      } catch {
        guard recovery.reopens, error.code != .outage, !watch.isStopped else { throw error }
        lose(error.message)
      }
      try reopen(since: begin)
    }
    return nil
  }

  private func lose(_ reason: String) {
    if !isLost { notice("\(name) is lost: \(reason); connecting again") }
    (isLost, isBroken) = (true, true)
    if let source { before = before.adding(source.report) }
    source = nil
  }

  /// The next frame of the connection that there is; nil where that has ended.
  private func nextOfThis() throws(VideoError) -> Frame? {
    guard let source else { return nil }
    let (begin, waits) = (watch.clock.now, recovery.waitsOutStalls)
    watch.wait(atMost: waits ? patience.maxOutage : patience.timeout)
    defer { report = before.adding(source.report) }
    do throws(VideoError) {
      let frame = try source.next()
      if frame != nil, waits, watch.clock.now - begin > patience.timeout { noteStall() }
      return frame
    } catch {
      guard error.code == .timedOut, !watch.isStopped else { throw error }
      outages.stalls += 1
      if waits { throw outage(watch.clock.now - begin) }
      throw error
    }
  }

  private func noteStall() {
    outages.stalls += 1
    isBroken = true
    notice("\(name) stalled, and goes on")
  }

  private func outage(_ time: Duration) -> VideoError {
    let seconds = Int((time / .seconds(1)).rounded())
    return VideoError(.outage, at: name, "nothing has come for \(seconds) seconds")
  }

  /// Opens the source again, after pauses that grow.
  private func reopen(since begin: Duration) throws(VideoError) {
    while !watch.isStopped {
      guard watch.clock.now - begin + pause <= patience.maxOutage else {
        throw outage(watch.clock.now - begin)
      }
      watch.sleep(pause)
      pause = min(pause * 2, patience.longestPause)
      watch.wait(atMost: patience.timeout + Self.openingTime)
      source = watch.isStopped ? nil : try? opening(watch)
      if source != nil { return }
    }
  }

  /// The frame as one of this stream: numbered on, timed on, of the first connection's size.
  private func adopted(_ frame: Frame, since begin: Duration) -> Frame {
    let now = watch.clock.now
    if isBroken { outages.time += now - begin }
    if isLost {
      outages.reconnections += 1
      notice("\(name) is back")
      if let last { shift = last.time + max(0.001, (now - last.at) / .seconds(1)) - frame.time }
    }
    let kind = StreamBreak.chief(frame.streamBreak, isBroken ? .gap : nil)
    if isBroken, frame.streamBreak != .gap {
      before.breaks[.gap, default: 0] += 1
      report.breaks[.gap, default: 0] += 1
    }
    let time = max(frame.time + shift, last?.time ?? -.infinity)
    (isLost, isBroken, last, pause) = (false, false, (time, now), patience.firstPause)
    return Frame(
      index: before.decoded + frame.index, time: time, pixels: fitted(frame.pixels),
      pictureType: frame.pictureType, motionVectors: frame.motionVectors, streamBreak: kind,
      duration: frame.duration, name: frame.name)
  }

  private func fitted(_ pixels: Image) -> Image {
    (try? pixels.resized(width: info.width, height: info.height)) ?? pixels
  }
}

extension StreamReport {
  /// What was read of two connections, one after the other.
  fileprivate func adding(_ other: StreamReport) -> StreamReport {
    var sum = self
    sum.decoded += other.decoded
    sum.damagedPackets += other.damagedPackets
    sum.firstDamage = firstDamage ?? other.firstDamage
    sum.concealedFrames += other.concealedFrames
    sum.sizeChanges += other.sizeChanges
    sum.repairedTimes += other.repairedTimes
    sum.undecodable += other.undecodable
    sum.breaks.merge(other.breaks) { $0 + $1 }
    return sum
  }
}
