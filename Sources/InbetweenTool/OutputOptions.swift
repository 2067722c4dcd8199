// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Video

/// Where labels are written to, a frame each.
struct OutputOptions: ParsableArguments {
  @Option(help: "Write the labels over the video there, as H.264 in MP4.")
  var output: String?

  @Option(help: "Write a label map a frame into this folder, as PNG with a palette.")
  var labels: String?

  @Option(
    help: """
      Write what is predicted there. Boxes: .txt as MOTChallenge, .json as COCO, .csv, .jsonl, or \
      - for JSON lines to standard output. Depth: a folder of 16-bit PNG, in millimetres.
      """)
  var predictions: String?

  @Option(help: "Write role, reason and stage times of each frame there, as CSV.")
  var perFrame: String?

  @Option(help: "How much of the class colours covers the picture, 0 to 1.")
  var opacity = 0.5

  /// What is wrong with them, once the parser knows all arguments.
  func check() throws {
    if let output, VideoWriter.container(for: output) == nil {
      throw ValidationError("--output \(output): \(VideoWriter.containerSentence)")
    }
    guard (0...1).contains(opacity) else {
      throw ValidationError("--opacity needs a number from 0 to 1, not \(opacity)")
    }
  }

  /// The same as values.
  func places(threads: Int) -> OutputPlaces {
    .init(
      video: output, labels: labels, predictions: predictions, table: perFrame, opacity: opacity,
      encodingThreads: threads)
  }
}
