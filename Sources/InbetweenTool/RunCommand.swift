// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Evaluation
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Tensors
internal import Video

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Label a video.",
    discussion: """
      The source is a video file, a folder of pictures, a pattern such as 'clip/*.png', or one \
      picture. Frames are read to the end; what the container says of their number is not believed.
      """)

  @Argument(help: "A video file, a folder of pictures, a pattern, or one picture.")
  var source: String

  @Option(
    help: """
      A TorchScript network with its .yaml beside it, or a folder with spec.yaml; that of the recipe if left out.
      """)
  var backbone: String?

  @OptionGroup var parts: PartOptions

  @Option(help: "Write the labels over the video there, as H.264 in MP4.")
  var output: String?

  @Option(help: "Write a label map a frame into this folder, as PNG with a palette.")
  var labels: String?

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  @Option(help: "Write role, reason and stage times of each frame there, as CSV.")
  var perFrame: String?

  @Option(help: "How much of the class colours covers the picture, 0 to 1.")
  var opacity = 0.5

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @Flag(help: "End well even where the stream ends before its container says it should.")
  var allowTruncated = false

  @Flag(help: "Decode ahead on another thread: more frames a second, less steady stage times.")
  var readAhead = false

  func validate() throws {
    if let frames, frames < 1 { throw ValidationError("--frames needs at least 1, not \(frames)") }
    _ = try parts.backbone(named: backbone)
    guard try !parts.composition().scheduler.hasPrefix("oracle") else {
      throw ValidationError("--scheduler oracle chooses by labels, which only eval has")
    }
    guard (0...1).contains(opacity) else {
      throw ValidationError("--opacity needs a number from 0 to 1, not \(opacity)")
    }
  }

  func run() throws {
    let signals = Signals()
    let (stream, pictures) = try openStream()
    let network = try StoredNetwork(at: parts.backbone(named: backbone))
    try checkPaths(pictures: pictures, network: network)
    let result = try json.map { (path) throws(Failure) in try OutputFile(path) }
    let outputs = try FrameOutputs(self, info: stream.info, palette: network.classes.palette)
    try parts.threading.apply()
    let (heavy, head) = try network.load()
    var job = RunJob(
      pipeline: try parts.regional(parts.pipeline(heavy, head)), classes: network.classes,
      stream: stream, outputs: outputs, limit: frames, signals: signals)
    let failure = job.run()
    if job.report.decoded > 0, result?.isStandardOutput != true {
      print(ResultTable(try summary(of: job), title: self.source))
    }
    try result?.write(json: summary(of: job))
    if let failure { throw failure }
    if job.report.truncated && !allowTruncated { throw truncation(of: job.report) }
  }

  /// The frames, and the picture files that they come from; none where they come from a video.
  private func openStream() throws -> (any FrameSource, pictures: [String]) {
    let options = VideoOptions(
      motionVectors: try parts.needsMotionVectors(), threads: parts.threading.threads)
    let source = try VideoSource.open(self.source, options: options)
    let pictures = (source as? ImageFiles)?.paths ?? []
    if options.motionVectors && !pictures.isEmpty {
      let flow = try parts.composition().flow
      let sentence = "pictures carry no motion vectors, which --flow \(flow) needs"
      throw Failure(.badInput, "\(self.source): \(source.info.codec) \(sentence)")
    }
    guard readAhead else { return (source, pictures) }
    return (Prefetching(try VideoSource.open(self.source, options: options)), pictures)
  }

  /// Looks for what would be written over before the network is loaded.
  private func checkPaths(pictures: [String], network: StoredNetwork) throws {
    try Overwriting.check(
      outputs: ["--output": output, "--json": json, "--per-frame": perFrame],
      inputs: (pictures.isEmpty ? [self.source] : pictures) + network.files)
    if let labels { try Overwriting.check(folder: labels, pictures: pictures) }
  }

  private func summary(of job: RunJob) throws -> RunResult {
    RunResult(
      status: job.status,
      pipeline: try parts.names(backbone: parts.backbone(named: backbone)), accuracy: nil,
      speed: job.measurement.speed, cost: .now(after: job.measurement),
      input: .init(
        path: source, codec: job.info.codec, framesContainer: job.info.claimedFrameCount,
        framesDecoded: job.report.decoded, decodeErrors: job.report.damagedPackets,
        truncated: job.report.truncated),
      environment: Surroundings.facts(threads: parts.threading.threads))
  }

  private func truncation(of report: StreamReport) -> Failure {
    let claimed = report.claimed.map { " of \($0) claimed" } ?? ""
    return Failure(
      .badInput,
      "\(source) breaks off after \(report.decoded)\(claimed) frames; what there was is labelled "
        + "(--allow-truncated ends well)")
  }
}
