// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Recipes
internal import Video

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Show the main job on a rendered street and on a real video.",
    discussion: """
      Renders a street with exact labels, labels every frame by a small network that was trained \
      on other streets, then only key frames, its features propagated in between by copy and by \
      warp, and writes a table and an overlay. Then propagates the pictures of a real video, and \
      measures how well they fit.
      """)

  @Argument(help: "A video, a folder of pictures, or a pattern for the second part.")
  var video: String?

  @Option(help: "Write pictures and videos into this folder.")
  var out = "demo-output"

  @Option(help: "Frames of each part.")
  var frames = 60

  @Option(help: "The seed of the street.")
  var seed: UInt64 = 12

  @Option(help: "The folder of the models that come with the package.")
  var models = RecipeModels.usualFolder

  @OptionGroup var threading: ThreadOptions

  /// All of them are kept in memory: a few gigabytes of them.
  private static let mostFrames = 5000

  /// Where Debian's opencv-doc and `Scripts/fetch-sample-video` put a street scene.
  static let samples = [
    "demo-output/vtest.avi", "/usr/share/doc/opencv-doc/examples/data/vtest.avi",
    "/usr/share/opencv4/samples/data/vtest.avi",
  ]

  func validate() throws {
    guard (2...Self.mostFrames).contains(frames) else {
      throw ValidationError("--frames needs 2 to \(Self.mostFrames), not \(frames)")
    }
  }

  private func checkPaths(_ inputs: [String]) throws {
    try Overwriting.check(
      outputs: [
        "--out": "\(out)/street.mp4", "the picture in --out": "\(out)/street.png",
        "the video in --out": "\(out)/carried.mp4",
      ], inputs: inputs)
  }

  func run() throws {
    let signals = Signals()
    // A video that cannot be read is better known now than after the street.
    let probe = try video.map { try VideoSource.open($0) }
    try checkPaths(video.map { (probe as? ImageFiles)?.paths ?? [$0] } ?? [])
    try OutputFile.make(folder: out)
    try threading.apply()
    let networks = try DemoNetworks(models: models)
    try StreetDemo(
      networks: networks, folder: out, seed: seed, frames: frames, threads: threading.threads
    )
    .run(until: { signals.wantsStop })
    if let failure = signals.failure { throw failure }
    guard let video = video ?? Self.samples.first(where: FileManager.default.fileExists) else {
      print(
        """

        No real video is at hand. Name one:  inbetween demo my-video.mp4
        or install Debian's sample of 95 MB: apt-get install opencv-doc
        """)
      return
    }
    try PictureDemo(source: video, folder: out, frames: frames, threads: threading.threads)
      .run(until: { signals.wantsStop })
    if let failure = signals.failure { throw failure }
  }
}
