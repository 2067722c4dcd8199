// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The folder of real data; nil where it is not on this machine, so that what needs it is skipped.
///
/// It lies beside the package, in `../shared/data`, or where the environment's `INBETWEEN_SHARED`
/// says.
public let sharedData: URL? = {
  let package = URL(filePath: #filePath).appending(path: "../../..").standardized
  let named = ProcessInfo.processInfo.environment["INBETWEEN_SHARED"].map { URL(filePath: $0) }
  let data = (named ?? package.appending(path: "../shared").standardized).appending(path: "data")
  return FileManager.default.fileExists(atPath: data.path) ? data : nil
}()

/// The folder of the models that come with the package.
public let modelFolder = URL(filePath: #filePath).appending(path: "../../../Models").standardized
  .path

/// A folder of its own for one test, removed with the value.
public final class Scratch {
  /// Where the folder is.
  public let path: String

  /// An empty folder among the machine's temporary ones; it throws where none can be made.
  public init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "inbetween-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file of these bytes and gives its path.
  public func file(_ name: String, _ bytes: some Collection<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(filePath: self(name)))
    return self(name)
  }
}

/// Waits until something holds, and tells whether it came to hold.
///
/// The limit only ends tests that would hang: machines that test are slow at times, and what passes
/// never waits for it.
public func eventually(
  within limit: Duration = .seconds(120), _ condition: () throws -> Bool
) rethrows -> Bool {
  let end = ContinuousClock.now + limit
  while try !condition() {
    guard ContinuousClock.now < end else { return false }
    Thread.sleep(forTimeInterval: 0.002)
  }
  return true
}

/// The bytes of a file.
public func bytes(of path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(filePath: path)))
}

/// A folder of its own, removed when `body` is done.
public func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let scratch = try Scratch()
  return try withExtendedLifetime(scratch) { try body(URL(filePath: scratch.path)) }
}

/// Where files that other programs made for the tests lie.
public let fixtures = URL(filePath: #filePath).appending(path: "../../Fixtures").standardized.path
