// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Video

/// Refuses to write over what is read, and to write two things to one place.
enum Overwriting {
  /// - Parameters:
  ///   - outputs: option and path of each file that would be written.
  ///   - inputs: every file that will be read.
  /// - Throws: `Failure` naming the option at fault.
  static func check(
    outputs: KeyValuePairs<String, String?>, inputs: [String]
  ) throws(Failure) {
    try check(outputs: outputs.map { ($0.key, $0.value) }, inputs: inputs)
  }

  /// The same of a list.
  static func check(
    outputs: [(option: String, path: String?)], inputs: [String]
  ) throws(Failure) {
    let read = Set(inputs.map(FileIdentity.init))
    var options: [FileIdentity: String] = [:]
    for case (let option, let path?) in outputs where path != "-" {
      let identity = FileIdentity(path)
      guard identity != .stream else { continue }
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
  static func check(
    option: String, folder: String, pictures: [String]
  ) throws(Failure) {
    let target = FileIdentity(folder)
    for picture in pictures {
      let url = URL(fileURLWithPath: picture)
      guard FileIdentity(url.deletingLastPathComponent().path) != target else {
        throw Failure(.usage, "\(option) \(folder) is where the pictures lie that are read")
      }
    }
  }

  /// Checks a folder of maps for what was not made by this program: somebody's true labels, say.
  ///
  /// - Throws: `Failure` naming the first picture that would be written over and is no map of ours.
  static func check(
    option: String, folder: String, inputs: [String], writes: (_ name: String) -> Bool
  ) throws(Failure) {
    let read = Set(inputs.map(FileIdentity.init))
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names.sorted() where name.hasSuffix(".png") && writes(String(name.dropLast(4))) {
      let path = "\(folder)/\(name)"
      guard !read.contains(FileIdentity(path)) else {
        throw Failure(.usage, "\(option) \(folder) would overwrite \(name), which is read")
      }
      guard Image.isOwnLabelMap(at: path) else {
        throw Failure(
          .usage,
          "\(option) \(folder) would overwrite \(name), which is no map that inbetween wrote; "
            + "give another folder")
      }
    }
  }
}
