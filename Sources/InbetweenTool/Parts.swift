// SPDX-License-Identifier: Apache-2.0

internal import Experiments
internal import Recipes
internal import Synchronization

/// The parts that this process's commands know: set once, before the arguments are read.
enum Parts {
  private static let chosen = Mutex<Registries?>(nil)

  /// The package's own parts unless a tool brought others.
  static var registries: Registries {
    chosen.withLock { chosen in
      if let chosen { return chosen }
      let standard = Registries.standard
      chosen = standard
      return standard
    }
  }

  private static let chosenTrainings = Mutex(TrainingKinds.standard)

  /// What `train` can train.
  static var trainings: TrainingKinds { chosenTrainings.withLock(\.self) }

  static func choose(_ registries: Registries, _ trainings: TrainingKinds) {
    chosen.withLock { $0 = registries }
    chosenTrainings.withLock { $0 = trainings }
  }
}
