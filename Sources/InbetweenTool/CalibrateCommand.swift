// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Datasets
internal import Evaluation
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Scheduler
internal import Video

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Find the threshold of a score at which a share of a clip's frames is key.",
    discussion: """
      Prints the scheduler with that threshold, to be used on other clips: moved:rate=0.1 becomes moved:7.31, and moved:latency=20 \
      what takes 20 ms a frame on average here. Labels are not needed.
      """)

  @Argument(help: "The clip: video:FILE, camvid:DIR, street:SEED or another that eval takes.")
  var data: String

  @Option(help: "Which part of the data set: train, val or test.")
  var split = "val"

  @Option(help: "Stop after so many frames.")
  var frames = 300

  @Option(
    help: """
      The network, as for eval; 'truth' for a clip's own labels; that of the recipe if left out.
      """)
  var backbone: String?

  @Option(
    help: """
      Keep the threshold in this folder, a network's or a part's, from which the scheduler \
      calibrated:FOLDER,moved:rate=0.1 takes it.
      """)
  var keep: String?

  @OptionGroup var parts: PartOptions

  func validate() throws {
    _ = try parts.backbone(named: backbone)
    if frames < 1 { throw ValidationError("--frames needs at least 1, not \(frames)") }
    guard try held() != nil else {
      throw ValidationError("--scheduler needs a score at a rate, such as moved:rate=0.1")
    }
  }

  func run() throws {
    let signals = Signals()
    guard let held = try held() else { return }
    let name = try parts.backbone(named: backbone)
    let network = try name == "truth" ? nil : StoredNetwork(at: name)
    let output = try keep.map { (folder) throws(Failure) in
      try OutputFile(StoredThresholds.path(in: folder))
    }
    var thresholds = try keep.map { try StoredThresholds(contentsOf: $0) }
    let clip = try [Card<ClipMaker>].clips.part(data)(
      ClipRequest(split: split, limit: frames, threads: parts.threading.threads))
    guard try !parts.needsMotionVectors() else {
      throw Failure(.usage, "calibrate needs motion between pictures, not the codec's")
    }
    try parts.threading.apply()
    let pipeline = try parts.pipeline(for: clip, network)
    let rate = try rate(for: held.target, in: pipeline, on: clip)
    var progress = Progress(total: nil)
    defer { progress.end() }
    let found = try ThresholdCalibration(
      of: held.changeScore, rate: rate, in: pipeline, on: clip
    ) { _, _ in
      progress.advance()
      return !signals.wantsStop
    }
    if let failure = signals.failure { throw failure }
    guard let found else {
      throw Failure(
        .badInput, "\(clip.name): nothing ever changes, so that no threshold tells frames apart")
    }
    let scheduler = try parts.composition().scheduler
    thresholds?.entries[scheduler] = StoredThresholds.Entry(
      threshold: found.threshold, share: found.share, clip: clip.name, frames: clip.count,
      parts: try parts.names(backbone: name).filter { $0.key != "scheduler" })
    if let thresholds { try output?.write(json: thresholds) }
    // What is held stands last.
    let targets = ["rate=", "latency="].compactMap {
      scheduler.range(of: $0, options: .backwards)?.lowerBound
    }
    let end = targets.max()
    print(
      scheduler[..<(end ?? scheduler.endIndex)] + String(format: "%.7g", found.threshold)
        + String(format: "   %.1f %% of %d frames key", 100 * found.share, clip.count))
  }

  /// The share of key frames that a target comes to on this clip and machine.
  private func rate(
    for target: KeyframeTarget, in pipeline: KeyframePipeline<Image>, on clip: any LabelledClip
  ) throws -> Double {
    switch target {
    case .rate(let rate): return rate
    case .latency(let latency):
      guard let rate = try ThresholdCalibration.rate(for: latency, in: pipeline, on: clip) else {
        throw Failure(
          .badInput,
          "\(clip.name): frames that are no keys take longer than "
            + String(format: "%g ms already", latency / .milliseconds(1)))
      }
      return rate
    }
  }

  /// The score and the target that the scheduler holds; nil where it is another.
  private func held() throws -> TargetRateScheduler? {
    try [Card<any KeyframeScheduler>].schedulers.part(parts.composition().scheduler)
      as? TargetRateScheduler
  }
}
