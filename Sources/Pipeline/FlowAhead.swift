// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Flow
internal import Frames
internal import Layers
internal import Scheduler
internal import Synchronization
internal import Video

/// Optical flow of the frame that comes next, estimated on another thread while this one is in the
/// works.
///
/// A guess at what will be asked, never at what the answer is: whoever asks gets what the same
/// estimator gives of the same two pictures, and what nobody asks is lost. The last to let go of it
/// waits: nothing runs on behind a stream that is gone.
final class FlowAhead: Sendable {
  private struct Way: Sendable {
    let reference: Frame
    let field: Result<MotionField, any Error>
    let macs: Int
  }

  /// What the other thread holds.
  private final class Work: Sendable {
    let seen = DispatchGroup(), done = DispatchGroup()
    let view = Mutex<Result<FrameView, any Error>?>(nil)
    let ways = Mutex<[Way]>([])
  }

  private let next: Frame
  private let work = Work()

  /// Begins to estimate the motion from `next` to each of the `references`, which are of the
  /// working size, if it `isWanted`.
  init(
    of next: Frame, to references: [Frame], in parts: PipelineParts,
    isWanted: @escaping @Sendable () -> Bool
  ) {
    self.next = next
    let work = work
    work.seen.enter()
    DispatchQueue.global(qos: .userInitiated).async(group: work.done) {
      let view = Result { try parts.view(of: next) }
      work.view.withLock { $0 = view }
      work.seen.leave()
      guard let working = try? view.get().working, isWanted() else { return }
      for reference in references {
        let ledger = MACCounter()
        let field = MACCounter.$current.withValue(ledger) {
          Result { try parts.flow.motion(from: working, to: reference) }
        }
        work.ways.withLock {
          $0.append(Way(reference: reference, field: field, macs: ledger.macs))
        }
      }
    }
  }

  deinit { work.done.wait() }

  /// The frame at the working size; nil where it is another one.
  func view(of frame: Frame) throws -> FrameView? {
    guard frame.pixels.storage === next.pixels.storage else { return nil }
    work.seen.wait()
    guard let view = try work.view.withLock({ $0 })?.get() else { return nil }
    return FrameView(source: frame, working: frame.with(pixels: view.working.pixels))
  }

  /// The motion between two frames of the working size, counting its MACs as the caller's; nil
  /// where it was not estimated.
  func motion(from current: Frame, to reference: Frame) throws -> MotionField? {
    work.done.wait()
    let view = try work.view.withLock { $0 }?.get()
    guard current.pixels.storage === view?.working.pixels.storage else { return nil }
    let way = work.ways.withLock { ways in
      ways.first { $0.reference.pixels.storage === reference.pixels.storage }
    }
    guard let way else { return nil }
    MACCounter.current?.add(macs: way.macs)
    return try way.field.get()
  }
}

extension Step {
  /// The flow that `next` will be asked for, by what the last non-key frame was asked for; nil
  /// where nothing can be told, or it will be a keyframe.
  func flowAhead(of next: Frame) -> FlowAhead? {
    let (parts, before) = (frame.parts, frame.view)
    guard parts.flow.reach == .anyFrame, !parts.flow.needsMotionVectors, parts.flow.findsMotion,
      !state.flowsAsked.isEmpty, state.coming == nil, decision.refresh == .immediate,
      !next.followsBreak, next.pixels.size == before.source.pixels.size
    else { return nil }
    let keyframe = waitsForBackbone ? before : state.keyframe?.view ?? before
    let distance = waitsForBackbone ? 1 : state.framesSinceKeyframe + 1
    let (scheduler, times) = (state.scheduler, state.times)
    var references: [Frame] = []
    for case let reference? in state.flowsAsked.map({ (asked) -> Frame? in
      switch asked {
      case .keyframe: keyframe.working
      case .previous: before.working
      case .scored: nil
      case .refreshed:
        decision.refreshed == nil ? state.refreshed?.view.working : before.working
      }
    }) where !references.contains(where: { $0.pixels.storage === reference.pixels.storage }) {
      references.append(reference)
    }
    guard !references.isEmpty else { return nil }
    return FlowAhead(of: next, to: references, in: parts) {
      let context = FrameContext(
        frame: next, keyframe: keyframe.source, framesSinceKeyframe: distance,
        usualTimes: times.usual, from: GivenAnswers())
      return scheduler.mayPropagate(to: context)
    }
  }
}

extension KeyframeScheduler {
  /// Whether features may be propagated to a frame of which nothing can be asked yet: what a
  /// scheduler says without asking, it will say again; where it asks, anything may come of it.
  fileprivate func mayPropagate(to context: FrameContext) -> Bool {
    var copy = self
    guard let decision = try? copy.decision(at: context) else { return true }
    return decision.role == .propagated && decision.propagated == .features
  }
}
