// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Evaluation
internal import Foundation
internal import Pipeline
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

  @Option(help: "A TorchScript network with its .yaml beside it.")
  var backbone: String

  @OptionGroup var parts: PartOptions

  @Option(help: "Write the labels over the video there, as H.264 in MP4.")
  var output: String?

  @Option(help: "Write a label map a frame into this folder, as PNG with a palette.")
  var labels: String?

  @Option(help: "Write the result there as JSON.")
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
    guard (0...1).contains(opacity) else {
      throw ValidationError("--opacity needs a number from 0 to 1, not \(opacity)")
    }
  }

  func run() throws {
    let stream = try openStream()
    let result = try json.map { try OutputFile($0) }
    let outputs = try FrameOutputs(self, info: stream.info)
    try parts.threading.apply()
    let network = try ImportedNetwork(contentsOf: backbone)
    var job = RunJob(
      pipeline: try parts.pipeline(network, network.head), classes: network.head.classes,
      stream: stream, outputs: outputs, limit: frames)
    let failure = job.run()
    print(ResultTable(summary(of: job), title: source))
    try result?.write(json: summary(of: job))
    if let failure { throw failure }
    if job.report.truncated && !allowTruncated { throw truncation(of: job.report) }
  }

  private func openStream() throws -> any FrameSource {
    var options = VideoOptions(threads: parts.threading.threads)
    options.motionVectors = try parts.needsMotionVectors()
    guard readAhead else { return try VideoSource.open(source, options: options) }
    return Prefetching(try VideoSource.open(source, options: options))
  }

  private func summary(of job: RunJob) -> RunResult {
    RunResult(
      status: job.status, pipeline: parts.names(backbone: backbone), accuracy: nil,
      speed: job.measurement.speed, cost: .now,
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
