// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Video

struct VideoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "video", abstract: "Make videos fit for what is done with them.",
    subcommands: [Prepare.self])

  struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prepare",
      abstract: "Encode a video anew, so that --flow codec finds its motion.",
      discussion: """
        Writes H.264 without B frames, each picture predicted from the one before it, and each \
        group begun by an intra picture. Frames keep their times and come out upright. Sound is \
        left out.
        """)

    @Argument(help: "A video file, a folder of pictures, or a pattern.")
    var source: String

    @Argument(help: "The file to write: .mp4, .mov or .mkv.")
    var output: String

    @Option(help: "Pictures from one intra picture to the next at most.")
    var group = 12

    @Option(help: "x264's constant rate factor: 0 is lossless but for the colours, 51 worst.")
    var quality = 18

    @OptionGroup var threading: ThreadOptions

    func validate() throws {
      guard group >= 1 else { throw ValidationError("--group needs at least 1, not \(group)") }
      guard (0...51).contains(quality) else {
        throw ValidationError("--quality needs a number from 0 to 51, not \(quality)")
      }
      guard VideoWriter.container(for: output) != nil else {
        throw ValidationError("\(output): \(VideoWriter.containerSentence)")
      }
    }

    func run() throws {
      let signals = Signals()
      let reader = try VideoSource.open(
        source, options: VideoOptions(threads: threading.threads))
      let pictures = (reader as? ImageFiles)?.paths ?? [source]
      try Overwriting.check(outputs: ["OUTPUT": output], inputs: pictures)
      try OutputFile.check(file: output)
      let writer = try VideoWriter(
        to: output, width: reader.info.width, height: reader.info.height,
        rate: reader.info.frameRate ?? FrameRate(25), options: options(for: reader.info))
      var progress = Progress(total: reader.info.claimedFrameCount)
      while !signals.wantsStop, let frame = try reader.next() {
        try writer.add(frame.pixels, at: frame.time, lasting: frame.duration)
        progress.advance()
      }
      progress.end()
      if let failure = signals.failure { throw failure }
      try writer.finish()
      Warnings.say(reader.report.warnings)
      print("\(output): \(writer.frameCount) frames, none of them a B frame")
    }

    private func options(for info: StreamInfo) -> VideoWriter.Options {
      var options = VideoWriter.Options()
      (options.isTimed, options.pixelAspect) = (true, info.pixelAspect ?? .square)
      (options.keyInterval, options.rateFactor) = (group, quality)
      options.threads = threading.threads
      return options
    }
  }
}
