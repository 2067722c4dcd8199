// SPDX-License-Identifier: Apache-2.0

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

  static func choose(_ registries: Registries) { chosen.withLock { $0 = registries } }
}
