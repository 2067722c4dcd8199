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

  /// The size at which motion is estimated: that of the references.
  enum Size: Sendable { case source, working }

  private let next: Frame
  private let size: Size
  private let work = Work()

  /// Begins to estimate the motion from `next` to each of the `references`, if it `isWanted`.
  init(
    of next: Frame, to references: [Frame], at size: Size, in parts: PipelineParts,
    isWanted: @escaping @Sendable () -> Bool
  ) {
    (self.next, self.size) = (next, size)
    let work = work
    work.seen.enter()
    DispatchQueue.global(qos: .userInitiated).async(group: work.done) {
      let view = Result { try parts.view(of: next) }
      work.view.withLock { $0 = view }
      work.seen.leave()
      guard let view = try? view.get(), isWanted() else { return }
      let current = size == .source ? view.source : view.working
      for reference in references {
        let ledger = MACCounter()
        let field = MACCounter.$current.withValue(ledger) {
          Result { try parts.flow.motion(from: current, to: reference) }
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

  /// The motion between two frames, counting its MACs as the caller's; nil where it was not
  /// estimated.
  func motion(from current: Frame, to reference: Frame) throws -> MotionField? {
    work.done.wait()
    let view = try work.view.withLock { $0 }?.get()
    let estimated = size == .source ? next : view?.working
    guard current.pixels.storage === estimated?.pixels.storage else { return nil }
    let way = work.ways.withLock { ways in
      ways.first { $0.reference.pixels.storage === reference.pixels.storage }
    }
    guard let way else { return nil }
    MACCounter.current?.add(macs: way.macs)
    return try way.field.get()
  }
}

extension Step {
  /// The flow that `next` will be asked for: the step of a chain or, by what the last non-key frame
  /// was asked for, that between two pictures; nil where nothing can be told, or it will be a
  /// key frame.
  func flowAhead(of next: Frame) -> FlowAhead? {
    let (parts, before) = (frame.parts, frame.view)
    guard !parts.flow.needsMotionVectors, parts.flow.findsMotion, state.coming == nil,
      decision.refresh == .immediate, !next.followsBreak,
      next.pixels.size == before.source.pixels.size
    else { return nil }
    let (references, size) = flowReferences(of: parts.flow.reach)
    guard !references.isEmpty else { return nil }
    let keyframe = keyframeOfNext
    let distance = waitsForBackbone ? 1 : state.framesSinceKeyframe + 1
    let (scheduler, times) = (state.scheduler, state.times)
    return FlowAhead(of: next, to: references, at: size, in: parts) {
      let context = FrameContext(
        frame: next, keyframe: keyframe.source, framesSinceKeyframe: distance,
        usualTimes: times.usual, from: GivenAnswers())
      return scheduler.mayPropagate(to: context)
    }
  }

  /// The key frame of the frame after this one, if that is none itself.
  private var keyframeOfNext: FrameView {
    waitsForBackbone ? frame.view : state.keyframe?.view ?? frame.view
  }

  /// Where the next frame's flow will lead to.
  private func flowReferences(of reach: Reach) -> ([Frame], FlowAhead.Size) {
    switch reach {
    case .previousFrame: return ([], .source)
    // Every frame to which something is propagated goes on from the one before.
    case .stepByStep: return ([frame.view.source], .source)
    case .anyFrame: break
    }
    let (before, keyframe) = (frame.view, keyframeOfNext)
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
    return (references, .working)
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
