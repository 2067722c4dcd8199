// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline
public import Recipes
internal import Video

/// Frames on which pipelines were best and worst beside per-frame inference: picture, truth, both
/// predictions, errors.
public struct FilmStrips: Sendable {
  struct Frame: Sendable {
    let caption: String
    /// Each with its title, as a data URI.
    let pictures: [(title: String, uri: String)]
  }

  struct Strip: Sendable {
    let title: String
    let frames: [Frame]
    /// The command that runs the pipeline again.
    let command: [String]
  }

  let strips: [Strip]
  /// Why there are none, or fewer than there should be.
  let reasons: [String]

  /// No film strips, and why; of an empty reason nothing is said.
  public static func none(_ reason: String) -> FilmStrips {
    FilmStrips(strips: [], reasons: reason.isEmpty ? [] : [reason])
  }

  init(strips: [Strip], reasons: [String]) { (self.strips, self.reasons) = (strips, reasons) }

  /// Runs up to three pipelines of the Pareto again, each on a clip; `isStopped` is asked before
  /// each frame.
  public init(
    of data: ReportData, in registries: Registries, threads: Int,
    isStopped: () -> Bool = { false }, advance: () -> Void = {}
  ) {
    let maker = FigureMaker(data)
    let rows = maker.front.map { data.rows[$0] }.filter { !$0.isBaseline }
    var (strips, reasons) = ([Strip](), [String]())
    for row in rows.prefix(3) where !isStopped() {
      guard let part = row.parts.first(where: { $0.baseline != nil && $0.run != nil }),
        let run = part.run, let baseline = part.baseline
      else {
        reasons.append(
          "\(row.name) has no film strip: per-frame inference is not measured beside it.")
        continue
      }
      do {
        let source = FilmSource(
          run: run, baseline: baseline, registries: registries, threads: threads)
        let frames = try source.frames(isStopped: isStopped, advance: advance)
        guard !frames.isEmpty else {
          reasons.append(
            "\(row.name) has no film strip: no frame of it was propagated and labelled.")
          continue
        }
        strips.append(
          Strip(
            title: "\(row.name) on \(part.clip)", frames: frames,
            command: ["inbetween", "eval", "--config", "\(run.path)/result.json"]))
      } catch {
        let sentence = "\(error)".split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        reasons.append("\(row.name) has no film strip: \(sentence)")
      }
    }
    if rows.isEmpty { reasons.append("There is no pipeline beside per-frame inference to show.") }
    self.init(strips: strips, reasons: reasons)
  }

  func section(reproducedBy commands: [String]) -> String {
    guard !strips.isEmpty || !reasons.isEmpty else { return "" }
    let shown = strips.map { strip in
      let frames = strip.frames.map { frame in
        let pictures = frame.pictures.map { title, uri in
          "<figure><img src=\"\(uri)\" alt=\"\(escaped(title))\" loading=lazy>"
            + "<figcaption>\(escaped(title))</figcaption></figure>"
        }
        return "<p>\(escaped(frame.caption))</p><div class=strip>\(pictures.joined())</div>"
      }
      let lines = (commands + [ReportPage.shellText(strip.command)]).joined(separator: "\n")
      return "<h3>\(escaped(strip.title))</h3>\(frames.joined())"
        + "<details class=command><summary>Command</summary><pre>\(escaped(lines))</pre></details>"
    }
    let why = reasons.map { "<p>\(escaped($0))</p>" }
    return """
      <section id="frames">
      <h2>Worst and best frames</h2>
      <p>Frames between key frames, by the difference of their own mIoU from per-frame inference. In
      the error map wrong pixels have the class that was given.</p>
      \((shown + why).joined(separator: "\n"))
      </section>
      """
  }
}

/// Finds the frames of one pipeline, and what is seen of each.
private struct FilmSource {
  let run: StoredRun, baseline: StoredRun
  let registries: Registries
  let threads: Int

  private struct Chosen {
    let index: Int
    let caption: String
  }

  /// The two worst and the two best frames between key frames.
  private var chosen: [Chosen] {
    func scores(_ run: StoredRun) -> [Int: Double] {
      run.frames.reduce(into: [:]) { scores, frame in
        let name = FrameRecord.frameMean
        scores[frame.index] = frame.counts[name]?.values(named: name)[name]
      }
    }
    let (own, base) = (scores(run), scores(baseline))
    let ranked = run.frames.filter { !$0.isKey }.compactMap { frame in
      own[frame.index].flatMap { one in base[frame.index].map { Ranked(frame, one, $0) } }
    }.sorted { ($0.own - $0.base, $0.frame.index) < ($1.own - $1.base, $1.frame.index) }
    let worst = Self.apart(ranked, from: [])
    let best = Self.apart(ranked.reversed(), from: worst)
    return (worst.map { ("Worst", $0) } + best.map { ("Best", $0) }).map { kind, found in
      let (frame, own, base) = found
      return Chosen(
        index: frame.index,
        caption: "\(kind): frame \(frame.index), \(frame.framesSinceKeyframe) after its key frame; "
          + String(format: "mIoU %.3f, per-frame inference %.3f", own, base))
    }
  }

  private typealias Ranked = (frame: FrameRecord, own: Double, base: Double)

  /// The first two that are not close to each other, or to others: neighbours look alike.
  private static func apart(_ ranked: [Ranked], from others: [Ranked]) -> [Ranked] {
    var chosen: [Ranked] = []
    for reach in [5, 1] {
      for one in ranked where chosen.count < 2 {
        let isNear = (others + chosen).contains { abs($0.frame.index - one.frame.index) < reach }
        if !isNear { chosen.append(one) }
      }
    }
    return chosen
  }

  func frames(isStopped: () -> Bool, advance: () -> Void) throws -> [FilmStrips.Frame] {
    let chosen = chosen
    let wanted = Set(chosen.map(\.index))
    guard let last = wanted.max() else { return [] }
    let (labels, samples, clip) = try labels(of: run, wanted, upTo: last, isStopped, advance)
    let loaded = try EvaluationRun(
      baseline.result.specification, in: registries, threads: threads
    ).load()
    return try chosen.compactMap { frame in
      // A stream's first frame is key.
      guard let sample = samples[frame.index], let own = labels[frame.index],
        let alone = try Self.label(sample, loaded.pipeline, loaded.clip)
      else { return nil }
      return FilmStrips.Frame(
        caption: frame.caption,
        pictures: try Thumbnails(sample, clip.classes).pictures(propagated: own, alone: alone))
    }
  }

  private func labels(
    of run: StoredRun, _ wanted: Set<Int>, upTo last: Int, _ isStopped: () -> Bool,
    _ advance: () -> Void
  ) throws -> ([Int: Image], [Int: LabelledSample], any LabelledClip) {
    let loaded = try EvaluationRun(
      run.result.specification, in: registries, threads: threads
    ).load()
    let clip = loaded.clip
    var (stream, measured) = (
      Self.stream(loaded.pipeline), RunMeasurement(classes: clip.classes, warmUp: 0)
    )
    var (labels, samples) = ([Int: Image](), [Int: LabelledSample]())
    var done = 0
    func keep(_ ready: [EvaluationStream.Labelled]) {
      for (sample, result) in ready where done <= last {
        if wanted.contains(done) { (labels[done], samples[done]) = (result.labels, sample) }
        done += 1
        advance()
      }
    }
    for index in 0..<clip.count where done <= last && !isStopped() {
      keep(
        try stream.add(clip.sample(at: index), decode: nil, to: &measured) { _, _ in nil })
    }
    if done <= last, !isStopped() { keep(try stream.finish(in: &measured) { _, _ in nil }) }
    return (labels, samples, clip)
  }

  private static func stream(_ pipeline: some StreamPipeline<Image>) -> EvaluationStream {
    EvaluationStream(pipeline)
  }

  private static func label(
    _ sample: LabelledSample, _ pipeline: some StreamPipeline<Image>, _ clip: any LabelledClip
  ) throws -> Image? {
    var state = pipeline.start()
    let ready = try pipeline.add(sample.frame, before: nil, to: &state)
    return try (ready + pipeline.finish(&state)).first?.labels
  }
}

/// A frame's pictures, small.
private struct Thumbnails {
  private let sample: LabelledSample
  private let classes: ClassList
  private let size: PixelSize

  init(_ sample: LabelledSample, _ classes: ClassList) {
    (self.sample, self.classes) = (sample, classes)
    let pixels = sample.frame.pixels.size
    let share = min(1, 200 / Double(max(pixels.width, 1)))
    size = PixelSize(
      width: max(1, Int(Double(pixels.width) * share)),
      height: max(1, Int(Double(pixels.height) * share)))
  }

  func pictures(propagated: Image, alone: Image) throws -> [(title: String, uri: String)] {
    let full = sample.frame.pixels.size
    let (own, base) = (propagated.scaledLabels(to: full), alone.scaledLabels(to: full))
    var pictures = [("image", sample.frame.pixels)]
    if let truth = sample.labels { pictures.append(("truth", coloured(truth))) }
    pictures += [("per-frame inference", coloured(base)), ("propagated", coloured(own))]
    if let truth = sample.labels { pictures.append(("errors", errors(own, truth))) }
    return try pictures.map { ($0, try Self.uri(of: averaged($1))) }
  }

  private func coloured(_ labels: Image) -> Image {
    Image(width: labels.width, height: labels.height, channels: 3) { out in
      labels.withUnsafeBytes { labels in
        for at in labels.indices { paint(labels[at], at, out) }
      }
    }
  }

  private func paint(_ label: UInt8, _ at: Int, _ out: UnsafeMutableRawBufferPointer) {
    let colour = classes.palette.colour(of: label)
    (out[3 * at], out[3 * at + 1], out[3 * at + 2]) = (colour.blue, colour.green, colour.red)
  }

  /// What was given where it is wrong, over a pale picture.
  private func errors(_ labels: Image, _ truth: Image) -> Image {
    let picture = sample.frame.pixels
    return Image(width: truth.width, height: truth.height, channels: 3) { out in
      labels.withUnsafeBytes { labels in
        truth.withUnsafeBytes { truth in
          picture.withUnsafeBytes { picture in
            for at in truth.indices {
              if truth[at] < classes.count, labels[at] != truth[at] {
                paint(labels[at], at, out)
              } else {
                let grey =
                  (Int(picture[3 * at]) + Int(picture[3 * at + 1]) + Int(picture[3 * at + 2])) / 3
                for plane in 0..<3 { out[3 * at + plane] = UInt8(160 + grey * 95 / 255) }
              }
            }
          }
        }
      }
    }
  }

  /// The mean of the pixels that fall into each small one.
  private func averaged(_ picture: Image) -> Image {
    Image(width: size.width, height: size.height, channels: 3) { out in
      picture.withUnsafeBytes { bytes in
        for row in 0..<size.height {
          let rows =
            (row * picture.height / size.height)..<((row + 1) * picture.height / size.height)
          for column in 0..<size.width {
            let from = column * picture.width / size.width
            let columns = from..<((column + 1) * picture.width / size.width)
            let count = max(1, rows.count * columns.count)
            for plane in 0..<3 {
              let sum = rows.reduce(0) { sum, y in
                columns.reduce(sum) { $0 + Int(bytes[3 * (y * picture.width + $1) + plane]) }
              }
              out[3 * (row * size.width + column) + plane] = UInt8(sum / count)
            }
          }
        }
      }
    }
  }

  private static func uri(of picture: Image) throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/inbetween-\(UUID().uuidString).jpg"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try picture.writeJPEG(to: path, quality: 78)
    let data = FileManager.default.contents(atPath: path) ?? Data()
    return "data:image/jpeg;base64," + data.base64EncodedString()
  }
}
