// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Experiments
public import Recipes
internal import Specification

/// The `inbetween` tool.
public struct InbetweenCommand: ParsableCommand {
  /// The tool's name, its help and its commands.
  public static let configuration = CommandConfiguration(
    commandName: "inbetween",
    abstract: "Propagation of key frames' features for video perception.",
    discussion: """
      A scheduler picks the key frames on which a heavy network runs; propagation reconstructs its
      output on all other frames.
      """,
    version: version,
    subcommands: [
      RunCommand.self, LiveCommand.self, EvalCommand.self, ScoreCommand.self, SweepCommand.self,
      CompareCommand.self, ReportCommand.self, IndexCommand.self, TuneCommand.self,
      CalibrateCommand.self, TrainCommand.self,
      FlowCommand.self, InspectCommand.self, ExportCommand.self, ConfigCommand.self,
      ListCommand.self,
      DoctorCommand.self, DemoCommand.self, VideoCommand.self,
      SweepWorkerCommand.self,
    ])

  /// The version of the tool and the library.
  static let version = "0.1.0"

  /// The command before its arguments are parsed; `runMain(with:trainings:)` runs the tool.
  public init() {}

  /// Runs the command that the arguments name; a failure is one sentence and an exit code.
  ///
  /// `registries` are the parts that can be named: the package's own, and those that a tool adds;
  /// `trainings` are what `train` can train.
  public static func runMain(
    with registries: Registries = .standard, trainings: TrainingKinds = .standard
  ) -> Never {
    Parts.choose(registries, trainings)
    ThreadWaiting.settle(for: CommandLine.arguments)
    StandardStreams.prepare()
    do {
      try refuseRepeatedOptions(in: CommandLine.arguments)
      var command = try parseAsRoot()
      try command.run()
      try StandardStreams.flush()
      StandardStreams.leave(0)
    } catch {
      conclude(error)
    }
  }

  private static func conclude(_ error: any Error) -> Never {
    switch exitCode(for: error) {
    case .success:
      print(fullMessage(for: error))
      do throws(Failure) { try StandardStreams.flush() } catch { error.exit() }
      StandardStreams.leave(0)
    case .validationFailure: Failure(.usage, usageSentence(for: error)).exit()
    default: Failure(error).exit()
    }
  }

  /// Of an option that is given twice, the last value would be taken without a word.
  private static func refuseRepeatedOptions(in arguments: [String]) throws {
    let several: Set = [
      "--data", "--metric", "--set", "--zip", "--exclude", "--figure", "--sbatch",
    ]
    var seen: Set<Substring> = []
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
      let name = argument.prefix { $0 != "=" }
      guard several.contains(String(name)) || seen.insert(name).inserted else {
        throw ValidationError("\(name) is given twice")
      }
    }
  }

  /// What is wrong with the arguments, and where help is.
  private static func usageSentence(for error: any Error) -> String {
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    let first = CommandLine.arguments.dropFirst().first
    let verb = first.flatMap { names.contains($0) ? $0 : nil }
    let command = ([_commandName] + [verb].compactMap { $0 }).joined(separator: " ")
    var sentence = message(for: error)
    if let first, verb == nil, !first.hasPrefix("-") {
      sentence = "no command '\(first.prefix(80))'; \(suggestion(for: first, among: names))"
    }
    return "\(sentence) (\(command) --help tells more)"
  }
}

extension Failure {
  /// Ends the process with this failure's sentence and code.
  fileprivate func exit() -> Never {
    report()
    StandardStreams.leave(code.rawValue)
  }
}
