// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Scheduler
internal import Video

/// Where the frames of a run go: an overlay, label maps, a table; each is optional.
final class FrameOutputs {
  private let video: VideoWriter?
  private let labelFolder: String?
  private let table: FrameTable?
  private let opacity: Double
  private let palette: Palette
  private var videoIsPrinted = false

  /// Whether any of them goes among what is printed.
  var areStandardOutput: Bool { videoIsPrinted || table?.isStandardOutput == true }

  /// The places that were asked for.
  struct Places: Sendable {
    var video: String?, labels: String?, table: String?
    var opacity = 0.5
    var encodingThreads = 1
  }

  /// Opens what was asked for, before any work is done.
  init(_ places: Places, info: StreamInfo, palette: Palette) throws {
    self.palette = palette
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
    labelFolder = places.labels
    if let folder = labelFolder { try OutputFile.make(folder: folder) }
    table = try places.table.map { try FrameTable(path: $0) }
    opacity = places.opacity
  }

  func add(_ frame: Frame, _ result: LabelledFrame, decode: Duration) throws {
    if let labelFolder {
      let name = Self.mapName(of: frame)
      try result.labels.scaledLabels(to: frame.pixels.size)
        .writePNG(to: "\(labelFolder)/\(name).png", palette: palette)
    }
    table?.add(result.trace, decode: decode)
    guard let video else { return }
    var overlay = Overlay(palette: palette)
    overlay.opacity = opacity
    try video.add(
      overlay.drawn(result.labels, over: frame.pixels, mark: Overlay.Mark(result.trace)),
      at: frame.time, lasting: frame.duration)
  }

  /// The frame as it is drawn, whatever was predicted of it.
  func add(_ frame: Frame, drawn picture: Image, _ trace: FrameTrace, decode: Duration) throws {
    table?.add(trace, decode: decode)
    try video?.add(picture, at: frame.time, lasting: frame.duration)
  }

  /// What the frame's label map is called, without extension.
  static func mapName(of frame: Frame) -> String {
    frame.name ?? String(format: "%06d", frame.index)
  }

  /// Closes the files; those without a frame do not appear.
  func finish() throws {
    if let video, video.frameCount > 0 { try video.finish() }
    try table?.write()
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
