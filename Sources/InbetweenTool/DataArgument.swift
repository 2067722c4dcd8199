// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Recipes
internal import Specification
internal import Video

/// The clip of a command, as a user may name it by mistake.
enum DataArgument {
  /// Says how a file or a folder is named that stands in the place of a data set.
  static func check(_ text: String) throws {
    let kind = text.prefix { $0 != ":" }
    guard !Parts.registries.datasets.descriptors.contains(where: { $0.kind == kind }) else {
      return
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: text, isDirectory: &isFolder) else { return }
    let form = isFolder.boolValue ? "folder:\(text), camvid:\(text), …" : "video:\(text)"
    throw ValidationError("a clip is named with its kind: \(form)")
  }
}
