// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Flow
internal import Foundation
internal import Recipes
internal import Specification
internal import Video

struct FlowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow", abstract: "Estimate the motion between two pictures.",
    discussion: """
      The motion says, for each pixel of A, where it is in B. With a truth (.flo, or a KITTI PNG) \
      the end-point error is printed.
      """)

  @Argument(help: "The current picture.") var a: String
  @Argument(help: "The reference picture.") var b: String

  @Option(help: "How motion is estimated: dis:ultrafast, dis:fast, dis:medium, farneback.")
  var flow = "dis:medium"

  @Option(help: "The true motion: a Middlebury .flo or a KITTI PNG.")
  var truth: String?

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Write the motion as a .flo file, or as a colour-wheel PNG.")
  var output: String?

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let registries = Parts.registries
    let part = try registries.grammar.parse(flow, as: registries.flows.role)
    try checkPaths(
      ExperimentSpec(pipeline: PipelineSpec(flow: part)).files(in: registries))
    let estimator = try registries.flows.build(
      part, in: registries.context(threads: threading.threads))
    guard !estimator.needsMotionVectors else {
      throw Failure(.usage, "--flow \(flow) needs a video file, and these are pictures")
    }
    let truth = try self.truth.map(readTruth)
    try threading.apply(tensors: false)
    let (current, reference) = (try frame(a, index: 1), try frame(b, index: 0))
    let clock = ContinuousClock()
    let begin = clock.now
    let motion = try estimator.motion(from: current, to: reference)
    let elapsed = (clock.now - begin) / .milliseconds(1)
    print(
      String(
        format: "%@: %d×%d, mean length %.2f px, %.1f ms", flow, motion.width, motion.height,
        motion.meanLength ?? 0, elapsed))
    if let truth { try compare(motion, with: truth) }
    if let output { try write(motion, to: output) }
  }

  private func checkPaths(_ files: [String]) throws(Failure) {
    try Overwriting.check(
      outputs: ["--output": output], inputs: [a, b] + [truth].compactMap { $0 } + files)
    if let output { try OutputFile.check(file: output) }
    guard let truth, !FileManager.default.fileExists(atPath: truth) else { return }
    throw Failure(.missingInput, "\(truth): there is no such file")
  }

  private func frame(_ path: String, index: Int) throws -> Frame {
    Frame(index: index, time: Double(index), pixels: try Image(contentsOf: path))
  }
}

extension FlowCommand {
  private func readTruth(_ path: String) throws -> MotionField {
    path.hasSuffix(".flo") ? try MotionField(floFile: path) : try MotionField(kittiFile: path)
  }

  private func compare(_ motion: MotionField, with truth: MotionField) throws {
    guard let error = try motion.endPointError(against: truth) else {
      throw Failure(.badInput, "the truth knows no motion at all")
    }
    print(
      String(
        format: "end-point error %.3f px over %d pixels; %.2f %% off by more than 3 px and 5 %%",
        error.mean, error.cells, 100 * error.outliers))
  }

  private func write(_ motion: MotionField, to path: String) throws {
    if path.hasSuffix(".flo") {
      try motion.write(floFile: path)
    } else {
      try motion.coloured().writePNG(to: path)
    }
  }
}
