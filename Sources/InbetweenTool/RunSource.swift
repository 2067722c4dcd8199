// SPDX-License-Identifier: Apache-2.0

internal import Experiments
internal import Flow
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Video

/// A source of a run, and where what comes of it goes.
struct RunSource {
  let path: String
  let places: OutputPlaces
  /// Where the result goes as JSON; nil for nowhere.
  let json: String?
  /// What the source says of itself.
  let info: StreamInfo
  /// The pictures that it reads, where it is of pictures.
  let pictures: [String]

  /// Opens the source, to see that it can be read.
  init(_ path: String, to places: OutputPlaces, json: String?) throws {
    (self.path, self.places, self.json) = (path, places, json)
    let probe = try VideoSource.open(path)
    (info, pictures) = (probe.info, (probe as? ImageFiles)?.paths ?? [])
  }

  /// The files that it is read from.
  var inputs: [String] { pictures.isEmpty ? [path] : pictures }

  /// What a source is called: its name without folders and extension; of a pattern, its folder's.
  static func name(of path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let isPattern = url.lastPathComponent.contains { "*?[".contains($0) }
    return (isPattern ? url.deletingLastPathComponent() : url.deletingPathExtension())
      .lastPathComponent
  }

  /// The frames, with motion vectors where the flow is the codec's.
  func open(
    for resolved: ResolvedPipeline<some Sendable>, threads: Int
  ) throws -> any FrameSource {
    let options = VideoOptions(
      motionVectors: resolved.pipeline.flow.needsMotionVectors, threads: threads)
    let source = try VideoSource.open(path, options: options)
    if options.motionVectors, (source as? ImageFiles) != nil {
      let flow = resolved.spec.names(in: Parts.registries)["flow"] ?? ""
      let sentence = "pictures carry no motion vectors, which --flow \(flow) needs"
      throw Failure(.badInput, "\(path): \(source.info.codec) \(sentence)")
    }
    return source
  }

  /// Looks for what would be written over before anything is.
  static func check(_ sources: [RunSource], files: [String]) throws(Failure) {
    let inputs = sources.flatMap(\.inputs) + files
    try Overwriting.check(
      outputs: sources.flatMap { source in
        [
          ("--output", source.places.video), ("--json", source.json),
          ("--per-frame", source.places.table), ("--predictions", source.places.predictions),
        ]
      }, inputs: inputs)
    for source in sources {
      if let folder = source.places.predictions {
        try Overwriting.check(option: "--predictions", folder: folder, pictures: source.pictures)
      }
      guard let labels = source.places.labels else { continue }
      let pictures = source.pictures
      try Overwriting.check(option: "--labels", folder: labels, pictures: pictures)
      let names = Set(
        pictures.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent })
      try Overwriting.check(option: "--labels", folder: labels, inputs: inputs) { name in
        names.contains(name) || (pictures.isEmpty && name.count >= 6 && name.allSatisfy(\.isNumber))
      }
    }
  }
}

extension RunEnd {
  /// What is told of it; nil where it was read to its end.
  func truncation(of path: String) -> Failure? {
    guard report.truncated else { return nil }
    let claimed = report.claimed.map { " of \($0) claimed" } ?? ""
    return Failure(
      .badInput,
      "\(path) breaks off after \(report.decoded)\(claimed) frames; what there was is labelled "
        + "(--allow-truncated ends well)")
  }
}
