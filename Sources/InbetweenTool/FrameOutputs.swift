// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Recipes
internal import Scheduler
internal import Video

/// Where a run's predictions go besides the overlay: files of their own, of one kind of prediction.
protocol PredictionOutput<Prediction>: Sendable {
  associatedtype Prediction: Sendable

  /// The frame's picture with what was predicted drawn over it.
  func drawn(_ result: FramePrediction<Prediction>, over frame: Frame) -> Image

  /// Keeps what was predicted of a frame.
  mutating func add(_ frame: Frame, _ result: FramePrediction<Prediction>) throws

  /// Closes what was written to.
  mutating func finish() throws

  /// Whether it goes among what is printed.
  var isStandardOutput: Bool { get }
}

extension PredictionOutput {
  /// False: it goes into files.
  var isStandardOutput: Bool { false }
}

/// Where the frames of a run go: an overlay, what was predicted, a table; each is optional.
final class FrameOutputs<Prediction: Sendable> {
  private let video: VideoWriter?
  private let table: FrameTable?
  private var predictions: any PredictionOutput<Prediction>
  private var videoIsPrinted = false

  /// Whether any of them goes among what is printed.
  var areStandardOutput: Bool {
    videoIsPrinted || table?.isStandardOutput == true || predictions.isStandardOutput
  }

  /// Opens what was asked for, before any work is done.
  init(
    _ places: OutputPlaces, info: StreamInfo, _ predictions: some PredictionOutput<Prediction>
  ) throws {
    self.predictions = predictions
    if let path = places.video {
      videoIsPrinted = try OutputFile.check(file: path) == .descriptor(STDOUT_FILENO)
    }
    var options = VideoWriter.Options()
    options.threads = places.encodingThreads
    (options.isTimed, options.pixelAspect) = (true, info.pixelAspect ?? .square)
    video = try places.video.map {
      try VideoWriter(
        to: $0, width: info.width, height: info.height, rate: info.frameRate ?? FrameRate(25),
        options: options)
    }
    table = try places.table.map { try FrameTable(path: $0) }
  }

  func add(_ frame: Frame, _ result: FramePrediction<Prediction>, decode: Duration) throws {
    try predictions.add(frame, result)
    table?.add(result.trace, decode: decode)
    try video?.add(
      predictions.drawn(result, over: frame), at: frame.time, lasting: frame.duration)
  }

  /// Closes the files; those without a frame do not appear.
  func finish() throws {
    if let video, video.frameCount > 0 { try video.finish() }
    try predictions.finish()
    try table?.write()
  }
}

/// The places that were asked for.
struct OutputPlaces: Sendable {
  var video: String?, labels: String?, predictions: String?, table: String?
  var opacity = 0.5
  var encodingThreads = 1
}

/// Label maps, as pictures in a folder where that is wanted.
struct LabelOutput: PredictionOutput {
  private let folder: String?
  private let overlay: Overlay
  private let made: MadeFolders?

  /// Folders that a run has made: those in which nothing was kept go with it, as of a run that is
  /// refused.
  private final class MadeFolders: Sendable {
    private let paths: [String]
    init(_ paths: [String]) { self.paths = paths }
    deinit { removeEmptyFolders(paths) }
  }

  /// Makes the folder, where one was asked for.
  init(_ places: OutputPlaces, palette: Palette) throws {
    folder = places.labels
    var overlay = Overlay(palette: palette)
    overlay.opacity = places.opacity
    self.overlay = overlay
    made = try folder.map { MadeFolders(try OutputFile.make(folder: $0)) }
  }

  func drawn(_ result: LabelledFrame, over frame: Frame) -> Image {
    overlay.drawn(result.labels, over: frame.pixels, mark: Overlay.Mark(result.trace))
  }

  func add(_ frame: Frame, _ result: LabelledFrame) throws {
    guard let folder else { return }
    try result.labels.scaledLabels(to: frame.pixels.size)
      .writePNG(to: "\(folder)/\(Self.mapName(of: frame)).png", palette: overlay.palette)
  }

  func finish() {}

  /// What the frame's label map is called, without extension.
  static func mapName(of frame: Frame) -> String {
    frame.name ?? String(format: "%06d", frame.index)
  }
}

/// What a task's head predicts, drawn and written as the task says.
struct TaskOutput<Task: PredictionTask>: PredictionOutput {
  private let task: Task
  private let opacity: Double
  private var file: (any PredictionFile<Task.Prediction>)?
  let isStandardOutput: Bool

  /// Opens the file, where one was asked for.
  init(_ task: Task, _ places: OutputPlaces) throws {
    (self.task, opacity) = (task, places.opacity)
    isStandardOutput = places.predictions == "-"
    guard let path = places.predictions else { return }
    guard let file = try task.file(at: path) else {
      throw Failure(.usage, "--predictions: \(task.name) has no format to be written in")
    }
    self.file = file
    Warnings.say(file.remarks)
  }

  func drawn(_ result: FramePrediction<Task.Prediction>, over frame: Frame) -> Image {
    task.drawn(
      resized(result, to: frame), over: frame.pixels, mark: Overlay.Mark(result.trace),
      opacity: opacity)
  }

  mutating func add(_ frame: Frame, _ result: FramePrediction<Task.Prediction>) throws {
    let prediction = resized(result, to: frame)
    try file?.add(prediction, of: frame, result.trace)
  }

  mutating func finish() throws { try file?.finish() }

  private func resized(
    _ result: FramePrediction<Task.Prediction>, to frame: Frame
  ) -> Task.Prediction {
    task.resized(result.prediction, from: result.size, to: frame.pixels.size)
  }
}

extension Overlay.Mark {
  init(_ trace: FrameTrace) {
    self = trace.role == .key ? .key : .propagated(age: trace.framesSinceKeyframe)
  }
}

/// Role, reason and stage times of each frame, a line each (RFC 4180).
private final class FrameTable {
  private let file: OutputFile
  private var lines: [String]
  private let stages = PipelineStage.allCases

  var isStandardOutput: Bool { file.isStandardOutput }

  init(path: String) throws {
    file = try OutputFile(path)
    let times = ["decode"] + stages.map(\.rawValue) + ["total"]
    lines = [
      "frame,time,role,reason,score,threshold,frames_since_key,"
        + times.map { "\($0)_ms" }.joined(separator: ",")
    ]
  }

  func add(_ trace: FrameTrace, decode: Duration) {
    let reason = trace.decision.reason
    let times = [decode] + stages.map { trace.stages[$0] ?? .zero } + [trace.total]
    let cells =
      ["\(trace.index)", String(format: "%.6f", trace.time), trace.role.rawValue]
      + [quoted(reason.rule), reason.score.map { "\($0)" } ?? ""]
      + [reason.threshold.map { "\($0)" } ?? "", "\(trace.framesSinceKeyframe)"]
      + times.map { String(format: "%.4f", $0.milliseconds) }
    lines.append(cells.joined(separator: ","))
  }

  func write() throws {
    guard lines.count > 1 else { return }
    try file.write(Data((lines.joined(separator: "\r\n") + "\r\n").utf8))
  }

  private func quoted(_ text: String) -> String {
    text.contains { ",\"\r\n".contains($0) }
      ? "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\"" : text
  }
}
