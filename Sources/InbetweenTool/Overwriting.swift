// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Which file a path leads to, whether or not it is there yet, and by whatever way it is reached.
private enum FileIdentity: Hashable {
  case there(device: UInt64, inode: UInt64)
  case toBe(path: String)

  init(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      self = .there(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    } else {
      let url = URL(fileURLWithPath: path)
      let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
      self = .toBe(path: "\(folder)/\(url.lastPathComponent)")
    }
  }
}

/// Refuses to write over what is read, and to write two things to one place.
enum Overwriting {
  /// - Parameters:
  ///   - outputs: option and path of each file that would be written.
  ///   - inputs: every file that will be read.
  /// - Throws: `Failure` naming the option at fault.
  static func check(
    outputs: KeyValuePairs<String, String?>, inputs: [String]
  ) throws(Failure) {
    let read = Set(inputs.map(FileIdentity.init))
    var options: [FileIdentity: String] = [:]
    for case (let option, let path?) in outputs where path != "-" && !path.hasPrefix("/dev/") {
      let identity = FileIdentity(path)
      guard !read.contains(identity) else {
        throw Failure(.usage, "\(option) \(path) would overwrite what is read")
      }
      if let other = options.updateValue(option, forKey: identity) {
        throw Failure(.usage, "\(other) and \(option) both name \(path)")
      }
    }
  }

  /// Checks a folder that gets a picture for each of `pictures`.
  ///
  /// - Throws: `Failure` where a map would come to lie among them.
  static func check(folder: String, pictures: [String]) throws(Failure) {
    let target = FileIdentity(folder)
    for picture in pictures {
      let url = URL(fileURLWithPath: picture)
      guard FileIdentity(url.deletingLastPathComponent().path) != target else {
        throw Failure(.usage, "--labels \(folder) is where the pictures lie that are read")
      }
    }
  }
}
