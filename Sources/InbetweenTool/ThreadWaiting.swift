// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How LibTorch's threads wait for each other: briefly, and then asleep.
///
/// Left alone, libgomp's threads spin for milliseconds after each operation. On few cores that
/// takes the time of whatever runs next, flow and decoding, and where another process wants a core
/// too, a network gets ten to thirty times slower (Docs/Decisions/0002). libgomp reads its setting
/// when the process starts, before any of our code, so the program is started again with it.
enum ThreadWaiting {
  private static let setting = (name: "GOMP_SPINCOUNT", value: "2000")

  /// Starts the program again with the setting, once, unless the user chose one; returns where that
  /// is not needed or cannot be had.
  static func settle(for arguments: [String]) {
    guard arguments.count > 1, ["run", "live", "eval", "train", "demo"].contains(arguments[1]),
      getenv(setting.name) == nil, getenv("OMP_WAIT_POLICY") == nil,
      setenv(setting.name, setting.value, 0) == 0
    else { return }
    // By its own path, since the system would name the process "exe" after the link.
    let link = "/proc/self/exe"
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? link
    var copies = arguments.map { strdup($0) } + [nil]
    execv(program, &copies)
    for copy in copies { free(copy) }
  }
}
