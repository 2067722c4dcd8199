// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Tensors
internal import Video

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure a pipeline on a labelled clip.",
    discussion: """
      Prints mIoU over the schedule, at each distance from the key frame and of each class, temporal \
      consistency, the key rate, and latency split into key and propagated frames and into stages.
      """)

  @Argument(
    help: """
      The labelled clip: camvid:, cityscapes:, davis:, folder: or stills:DIR, or street:SEED; with \
      --agreement also video:FILE.
      """)
  var data: String

  @Option(help: "Which part of the data set: train, val or test.")
  var split = "val"

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @Option(
    help: """
      A TorchScript network with its .yaml beside it, a folder with spec.yaml, or 'truth'; that of the recipe if \
      left out.
      """)
  var backbone: String?

  @OptionGroup var parts: PartOptions

  @Option(
    help: """
      Whose motion tells how steady labels are; by default Farnebäck's, or dense inverse search's where \
      --flow is the former.
      """)
  var consistency: String?

  @Option(
    help: """
      For --flow codec: pictures from one intra picture to the next, in the H.264 encoding of the clip \
      that is made for it, without B pictures.
      """)
  var group = 12

  @Flag(
    help: """
      Measure agreement with what the backbone says of every frame, in the place of labels: for clips that \
      have none.
      """)
  var agreement = false

  @Option(
    help: """
      Write a map a frame into this folder, as error_NUMBER_NAME.png: the class that was given where it is wrong, \
      else void.
      """)
  var errors: String?

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  func validate() throws {
    _ = try parts.backbone(named: backbone)
    if agreement && backbone == "truth" {
      throw ValidationError("--agreement needs a network, not the truth")
    }
    if group < 1 { throw ValidationError("--group needs at least 1, not \(group)") }
    if let frames, frames < 1 { throw ValidationError("--frames needs at least 1, not \(frames)") }
    do {
      guard try !judge().needsMotionVectors else {
        throw ValidationError("--consistency needs motion between pictures, not the codec's")
      }
    } catch let error as CatalogueError { throw ValidationError(error.message) }
  }

  private func judgeName() throws -> String {
    try consistency
      ?? (parts.composition().flow.hasPrefix("farneback") ? "dis:medium" : "farneback")
  }

  private func judge() throws -> any FlowEstimator {
    try [Card<any FlowEstimator>].flows(threads: parts.threading.threads).part(judgeName())
  }

  func run() throws {
    let signals = Signals()
    let make = try [Card<ClipMaker>].clips.part(data)
    let backbone = try parts.backbone(named: backbone)
    let network = try backbone == "truth" ? nil : StoredNetwork(at: backbone)
    try Overwriting.check(outputs: ["--json": json], inputs: network?.files ?? [])
    let output = try json.map { (path) throws(Failure) in try OutputFile(path) }
    if let errors { try OutputFile.make(folder: errors) }
    var clip = try clip(by: make)
    try parts.threading.apply()
    if agreement, let network { clip = try taught(clip, by: network) }
    let pipeline = try parts.pipeline(for: clip, network)
    guard let pipeline = try granted(pipeline, on: clip, until: signals) else { return }
    let (measurement, failure) = measure(
      try parts.regional(pipeline), on: clip, judgedBy: try judge(), until: signals)
    let result = RunResult(
      status: failure != nil ? .failed : signals.wantsStop ? .cancelled : .ok,
      pipeline: try parts.names(backbone: backbone).merging(["consistency": judgeName()]) { $1 },
      accuracy: measurement.accuracy, speed: measurement.speed, cost: .now(after: measurement),
      input: .init(path: data, framesDecoded: measurement.speed.frames),
      environment: Surroundings.facts(threads: parts.threading.threads))
    if output?.isStandardOutput != true { print(ResultTable(result, title: clip.name)) }
    try output?.write(json: result)
    if let failure = failure ?? signals.failure { throw failure }
  }

  /// Pictures carry no motion vectors, so that for codec motion the clip is encoded first.
  private func clip(by make: ClipMaker) throws -> any LabelledClip {
    let threads = parts.threading.threads
    let clip = try make(ClipRequest(split: split, limit: frames, threads: threads))
    guard try parts.needsMotionVectors() else { return clip }
    return try EncodedClip(clip, group: group, threads: threads)
  }

  /// The pipeline with an oracle's keys where it asks for them; nil where the search was stopped.
  private func granted(
    _ pipeline: KeyframePipeline<Image>, on clip: any LabelledClip, until signals: Signals
  ) throws -> KeyframePipeline<Image>? {
    guard let wish = pipeline.scheduler as? OracleKeyframes else { return pipeline }
    var progress = Progress(total: clip.count)
    defer { progress.end() }
    let schedule = try OracleSchedule(pipeline, on: clip) { _ in
      progress.advance()
      return !signals.wantsStop
    }
    if let failure = signals.failure { throw failure }
    return schedule.map { pipeline.with(scheduler: $0.keys(rate: wish.rate)) }
  }

  /// The clip with what the backbone says of every frame in the place of labels.
  private func taught(_ clip: any LabelledClip, by network: StoredNetwork) throws -> any LabelledClip {
    let (heavy, head) = try network.load()
    let pipeline = try KeyframePipeline(
      backbone: heavy, head: head, scheduler: .every(1), propagator: .copy, flow: .zero)
    return try TeacherLabels(of: clip, classes: head.classes) { pixels in
      var state = pipeline.start()
      return try pipeline.label(Frame(index: 0, time: 0, pixels: pixels), in: &state).labels
    }
  }

  private func measure(
    _ pipeline: some PredictionPipeline<Image>, on clip: any LabelledClip, judgedBy flow: any FlowEstimator,
    until signals: Signals
  ) -> (RunMeasurement, Failure?) {
    let evaluator = Evaluator(pipeline, on: clip, consistency: flow)
    var (measurement, progress) = (evaluator.emptyMeasurement(), Progress(total: clip.count))
    defer { progress.end() }
    do {
      try evaluator.run(into: &measurement) { sample, result in
        progress.advance(isKey: result.trace.startsBackbone)
        if let errors, let truth = sample.labels {
          // Frames of two sequences may share a name, and the folder may hold pictures.
          let name = sample.frame.name.map { "_\($0)" } ?? ""
          let number = String(format: "error_%06d", sample.frame.index)
          try ErrorMap(result.labels, truth: truth, classes: clip.classes)
            .write(to: "\(errors)/\(number)\(name).png")
        }
        return !signals.wantsStop
      }
      return (measurement, nil)
    } catch { return (measurement, Failure(error)) }
  }
}
