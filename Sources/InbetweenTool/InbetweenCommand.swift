// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Experiments
public import Recipes

/// The `inbetween` tool.
public struct InbetweenCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "inbetween",
    abstract: "Keyframe feature propagation for video perception.",
    discussion: """
      A scheduler picks the keyframes on which a heavy network runs; propagation reconstructs its
      output on all other frames.
      """,
    version: version,
    subcommands: [
      RunCommand.self, EvalCommand.self, CalibrateCommand.self, TrainCommand.self,
      FlowCommand.self, InspectCommand.self, ConfigCommand.self, ListCommand.self,
      DoctorCommand.self, DemoCommand.self,
    ])

  /// The version of the tool and the library.
  static let version = "0.1.0"

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

  /// What is wrong with the arguments, and where help is.
  private static func usageSentence(for error: any Error) -> String {
    let names = configuration.subcommands.map { $0._commandName }
    let verb = CommandLine.arguments.dropFirst().first.flatMap { names.contains($0) ? $0 : nil }
    let command = ([_commandName] + [verb].compactMap { $0 }).joined(separator: " ")
    return "\(message(for: error)) (\(command) --help tells more)"
  }
}

extension Failure {
  /// Ends the process with this failure's sentence and code.
  fileprivate func exit() -> Never {
    report()
    StandardStreams.leave(code.rawValue)
  }
}
