// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// The `inbetween` tool.
public struct InbetweenCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "inbetween",
    abstract: "Keyframe feature propagation for video perception.",
    discussion: """
      A scheduler picks the key frames on which a heavy network runs; propagation reconstructs its
      output on all other frames.
      """,
    version: version,
    subcommands: [
      RunCommand.self, EvalCommand.self, FlowCommand.self, ListCommand.self, DoctorCommand.self,
      DemoCommand.self,
    ])

  /// The version of the tool and the library.
  static let version = "0.1.0"

  public init() {}

  /// Runs the command that the arguments name; a failure is one sentence and an exit code.
  public static func runMain() -> Never {
    Signals.ignoreBrokenPipe()
    do {
      var command = try parseAsRoot()
      try command.run()
      exit()
    } catch let failure as Failure {
      failure.report()
      exit(withError: ExitCode(failure.code.rawValue))
    } catch where exitCode(for: error) == .failure {
      let failure = Failure(error)
      failure.report()
      exit(withError: ExitCode(failure.code.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}
