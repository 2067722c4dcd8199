// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Frames
public import Pipeline
public import Scheduler
internal import Synchronization
public import Video

extension PolicyEpisode {
  /// Measures every frame of `clip` from every key, up to `horizon` - 1 frames on, and what a
  /// policy sees of it; `progress` is called after each key and stops it by false.
  ///
  /// - Returns: Nil where it was stopped.
  /// - Precondition: the horizon is positive; the clip is not empty.
  public init?(
    _ pipeline: KeyframePipeline<Image>, on clip: some LabelledClip, horizon: Int = 30,
    progress: (_ done: Int) -> Bool = { _ in true }
  ) throws {
    let watcher = Watcher()
    var sights: [[PolicyObservation]] = []
    let scores = try OracleSchedule.scores(
      of: pipeline.with(scheduler: watcher), on: clip, horizon: horizon
    ) { done in
      sights.append(watcher.take())
      return progress(done)
    }
    guard let scores else { return nil }
    self.init(scores: scores.map { $0.map(Float.init) }, sights: sights)
  }
}

/// Makes no frame key, and keeps what a policy would see of each.
private final class Watcher: KeyframeScheduler {
  private let seen = Mutex<[PolicyObservation]>([])

  func decision(at context: FrameContext) throws -> Decision {
    let sight = try PolicyObservation(of: context)
    seen.withLock { $0.append(sight) }
    return Decision(.propagated, because: Reason("watched"))
  }

  func take() -> [PolicyObservation] {
    seen.withLock { seen in
      defer { seen = [] }
      return seen
    }
  }
}
