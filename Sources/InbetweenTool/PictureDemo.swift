// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Evaluation
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Tensors
internal import Video

/// A real video's own pictures, carried from key frames to all others: where no labels are, how
/// well the carried picture fits the real one tells how good propagation is.
struct PictureDemo {
  private let source: String
  private let folder: String
  private let limit: Int
  private let threads: Int

  init(source: String, folder: String, frames: Int, threads: Int) {
    (self.source, self.folder, limit, self.threads) = (source, folder, frames, threads)
  }

  func run(until stopped: () -> Bool) throws {
    let info = try VideoSource.open(source).info
    print(
      """

      \(source), \(info.width)×\(info.height), \(info.codec): the picture itself, propagated
      fit of propagated pictures in dB (peak signal to noise), higher is better; milliseconds are
      those of a non-key frame, its flow included

        every  propagated by         fit      ms
      """)
    for interval in [2, 5, 10] where !stopped() {
      try row(interval, "copy", Copy(), writing: false, stopped)
      try row(interval, "warp, dis:medium", Warp(), writing: interval == 5, stopped)
    }
    print("\n  carried pictures of warp at every:5: \(folder)/carried.mp4")
  }

  private func row(
    _ interval: Int, _ name: String, _ propagator: any Propagator, writing: Bool,
    _ stopped: () -> Bool
  ) throws {
    let picture = PixelBackbone()
    let pipeline = try KeyframePipeline(
      backbone: picture, head: picture.head, scheduler: .every(interval), propagator: propagator,
      flow: DISFlow(preset: .medium, threads: threads))
    let stream = try VideoSource.open(source, options: VideoOptions(threads: threads))
    let video = writing ? try writer(for: stream.info) : nil
    var (state, squares, samples, latency) = (pipeline.start(), 0.0, 0, Latency())
    while stream.report.decoded < limit, !stopped(), let frame = try stream.next() {
      let result = try pipeline.score(frame, in: &state)
      let carried = try PixelBackbone.image(of: result.scores)
      try video?.add(
        Overlay(palette: .camVid).drawn(nil, over: carried, mark: Overlay.Mark(result.trace)))
      guard result.trace.role == .propagated else { continue }
      squares += squaredError(carried, frame.pixels)
      samples += carried.width * carried.height * 3
      latency.add(result.trace.total)
    }
    if let video, video.frameCount > 0 { try video.finish() }
    let error = squares / Double(max(samples, 1))
    print(
      "  " + "\(interval)".padding(toLength: 7, withPad: " ", startingAt: 0)
        + name.padding(toLength: 20, withPad: " ", startingAt: 0)
        + String(
          format: "%7.2f%8.2f", 10 * log10(255 * 255 / max(error, 1e-9)),
          latency.summary?.p50 ?? 0))
  }

  private func writer(for info: StreamInfo) throws -> VideoWriter {
    var options = VideoWriter.Options()
    options.threads = threads
    return try VideoWriter(
      to: "\(folder)/carried.mp4", width: info.width, height: info.height,
      rate: info.frameRate ?? FrameRate(25), options: options)
  }

  private func squaredError(_ lhs: Image, _ rhs: Image) -> Double {
    lhs.withUnsafeBytes { lhs in
      rhs.withUnsafeBytes { rhs in
        var sum = 0
        for index in lhs.indices {
          let difference = Int(lhs[index]) - Int(rhs[index])
          sum += difference * difference
        }
        return Double(sum)
      }
    }
  }
}
