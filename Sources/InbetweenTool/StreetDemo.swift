// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Synchronization
internal import Synthesis
internal import Video

/// A rendered street, labelled by networks that were trained on other streets: by the heavy one on
/// key frames, whose features are carried to all others.
struct StreetDemo {
  private let clip: RememberedClip
  private let networks: DemoNetworks
  private let folder: String
  private let threads: Int

  init(networks: DemoNetworks, folder: String, seed: UInt64, frames: Int, threads: Int) {
    (self.networks, self.folder, self.threads) = (networks, folder, threads)
    clip = RememberedClip(StreetClip(seed: seed, count: frames, threads: threads))
  }

  func run(until stopped: () -> Bool) throws {
    try render(until: stopped)
    print(
      """

      \(clip.name), \(clip.count) frames of 480×360, labelled by \(networks.summary)
      on key frames; features are propagated to the others. mIoU against the true labels; TC is the
      agreement of successive labels along the true motion; milliseconds a frame, flow included,
      and those of a non-key frame

        network         every  propagated by         mIoU     TC      ms  propagated
      """)
    let dis = DISFlow(preset: .medium, threads: threads)
    try row(networks.heavy, 1, "-", Copy(), ZeroFlow())
    if !stopped() { try row(networks.light, 1, "-", Copy(), ZeroFlow()) }
    for interval in [2, 5, 10] where !stopped() {
      try row(networks.heavy, interval, "copy", Copy(), ZeroFlow())
      try row(networks.heavy, interval, "warp, dis:medium", Warp(), dis)
      try row(
        networks.heavy, interval, "warp, true motion", Warp(), TrueMotion(of: clip), isTimed: false)
    }
    print(
      """

        A warp along true motion can score below one along dis: true motion says where a pixel was
        hidden, and such pixels read their own place; estimated flow goes on around them.
      """)
    if !stopped() { try writeOverlay(until: stopped) }
  }

  private func render(until stopped: () -> Bool) throws {
    var progress = Progress(total: clip.count)
    defer { progress.end() }
    for index in 0..<clip.count where !stopped() {
      _ = try clip.sample(at: index)
      if index > 0 { _ = try clip.motion(from: index, to: index - 1) }
      progress.advance()
    }
  }

  private func pipeline(
    _ network: SegmentationNetwork, _ interval: Int, _ propagator: any Propagator,
    _ flow: any FlowEstimator
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: network, head: network.head, scheduler: .every(interval), propagator: propagator,
      flow: flow)
  }

  private func row(
    _ network: DemoNetworks.Network, _ interval: Int, _ name: String, _ propagator: any Propagator,
    _ flow: any FlowEstimator, isTimed: Bool = true
  ) throws {
    let measured = try Evaluator(pipeline(network.network, interval, propagator, flow), on: clip)
      .run()
    let (accuracy, latency) = (measured.accuracy, measured.speed.latency)
    var line =
      "  " + network.name.padding(toLength: 16, withPad: " ", startingAt: 0)
      + "\(interval)".padding(toLength: 7, withPad: " ", startingAt: 0)
      + name.padding(toLength: 20, withPad: " ", startingAt: 0)
      + String(format: "%7.3f%7.3f", accuracy?.mIoU ?? 0, accuracy?.temporalConsistency ?? 0)
    if isTimed, let all = latency.all {
      line += String(format: "%8.2f", all.mean)
      if let propagated = latency.propagated?.p50 { line += String(format: "%12.2f", propagated) }
    }
    print(line)
  }

  private func writeOverlay(until stopped: () -> Bool) throws {
    let path = "\(folder)/street.mp4"
    let first = try clip.sample(at: 0).frame.pixels
    var options = VideoWriter.Options()
    options.threads = threads
    let (network, dis) = (networks.heavy.network, DISFlow(preset: .medium, threads: threads))
    let palette = clip.classes.palette
    var sides: [any Panel] = [
      Side("every frame", try pipeline(network, 1, Copy(), ZeroFlow()), labels(palette)),
      Side("every 10, copy", try pipeline(network, 10, Copy(), ZeroFlow()), labels(palette)),
      Side("every 10, warp", try pipeline(network, 10, Warp(), dis), labels(palette)),
      try boxes("boxes, every 10, warp", behind: network, along: dis),
    ]
    let video = try VideoWriter(
      to: path, width: sides.count * first.width, height: first.height, rate: FrameRate(15),
      options: options)
    for index in 0..<clip.count where !stopped() {
      let frame = try clip.sample(at: index).frame
      let drawn = try sides.indices.map { try sides[$0].draw(frame) }
      let row = drawn.dropFirst().reduce(drawn[0]) { $0.beside($1) }
      try video.add(row)
      if index == min(9, clip.count - 1) { try row.writePNG(to: "\(folder)/street.png") }
    }
    guard video.frameCount > 0 else { return }
    try video.finish()
    print(
      "\n  labels of every frame, copied and warped, and warped boxes side by side: \(path), "
        + "a frame: "
        + "\(folder)/street.png"
    )
  }
}

extension StreetDemo {
  /// Draws labels over a frame.
  private func labels(_ palette: Palette) -> Side<Image>.Drawing {
    { labels, frame, mark, title in
      var overlay = Overlay(palette: palette)
      overlay.title = title
      return overlay.drawn(labels, over: frame.pixels, mark: mark)
    }
  }

  /// Objects with their boxes, found in propagated feature maps.
  private func boxes(
    _ title: String, behind network: SegmentationNetwork, along flow: some FlowEstimator
  ) throws -> Side<[Detection]> {
    let head = try DetectionHead(contentsOf: networks.detector, behind: network).folded()
    let classes = head.settings.classes
    let pipeline = try KeyframePipeline(
      backbone: network, head: head, scheduler: .every(10), propagator: .warp(), flow: flow)
    return Side(title, pipeline) { detections, frame, mark, title in
      var overlay = Overlay(palette: classes.palette)
      overlay.title = title
      let sure = detections.filter { $0.score >= 0.5 }
      return overlay.drawn(boxes: sure, names: classes.names, over: frame.pixels, mark: mark)
    }
  }
}

/// One panel of the overlay.
private protocol Panel {
  mutating func draw(_ frame: Frame) throws -> Image
}

/// A panel with what a pipeline predicts.
private struct Side<Prediction: Sendable>: Panel {
  typealias Drawing = (Prediction, Frame, Overlay.Mark, String) -> Image

  private let title: String
  private let pipeline: KeyframePipeline<Prediction>
  private let drawing: Drawing
  private var state: StreamState

  init(_ title: String, _ pipeline: KeyframePipeline<Prediction>, _ drawing: @escaping Drawing) {
    (self.title, self.pipeline, self.drawing) = (title, pipeline, drawing)
    state = pipeline.start()
  }

  mutating func draw(_ frame: Frame) throws -> Image {
    let result = try pipeline.predict(frame, in: &state)
    return drawing(result.prediction, frame, Overlay.Mark(result.trace), title)
  }
}

extension Image {
  /// This image and another of the same height to its right.
  fileprivate func beside(_ right: Image) -> Image {
    let (left, row, other) = (bytes, width * channels, right.width * right.channels)
    let second = right.bytes
    return Image(width: width + right.width, height: height, channels: channels) { bytes in
      for y in 0..<height {
        let start = y * (row + other)
        for x in 0..<row { bytes[start + x] = left[y * row + x] }
        for x in 0..<other { bytes[start + row + x] = second[y * other + x] }
      }
    }
  }
}

/// A clip whose samples and motion are made once, however often they are asked for.
private final class RememberedClip: ClipWithMotion {
  private let clip: StreetClip
  private let samples = Mutex<[Int: LabelledSample]>([:])
  private let fields = Mutex<[[Int]: MotionField]>([:])

  init(_ clip: StreetClip) { self.clip = clip }

  var name: String { clip.name }
  var classes: ClassList { clip.classes }
  var count: Int { clip.count }

  let isStored = false

  func frame(at index: Int) throws -> Frame { try sample(at: index).frame }

  func labels(at index: Int) throws -> Image? { try sample(at: index).labels }

  func sample(at index: Int) throws -> LabelledSample {
    if let known = samples.withLock({ $0[index] }) { return known }
    let sample = try clip.sample(at: index)
    samples.withLock { $0[index] = sample }
    return sample
  }

  func motion(from current: Int, to reference: Int) throws -> MotionField {
    let key = [current, reference]
    if let known = fields.withLock({ $0[key] }) { return known }
    let field = clip.motion(from: current, to: reference)
    fields.withLock { $0[key] = field }
    return field
  }
}

/// The exact motion of a clip in the place of an estimate: what a perfect estimator would give.
private struct TrueMotion<Source: ClipWithMotion>: FlowEstimator {
  private let clip: Source
  init(of clip: Source) { self.clip = clip }

  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try clip.motion(from: current.index, to: reference.index)
  }
}
