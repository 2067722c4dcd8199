// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Video

/// A folder of files that a test lays out, gone when the test ends.
final class MadeUpFolder {
  private let scratch: Scratch
  var path: String { scratch.path }

  init() throws { scratch = try Scratch() }

  /// Writes a picture of 6×4 equal pixels; its folders are made.
  func picture(_ name: String, red: UInt8 = 90, green: UInt8 = 90, blue: UInt8 = 90) throws {
    let bytes = (0..<24).flatMap { _ in [blue, green, red] }
    try write(Image(width: 6, height: 4, channels: 3, bytes: bytes), name)
  }

  /// Writes a label map of 6×4 pixels that holds these labels in turn.
  func labels(_ name: String, _ labels: [UInt8]) throws {
    let bytes = (0..<24).map { labels[$0 % labels.count] }
    try write(Image(width: 6, height: 4, channels: 1, bytes: bytes), name)
  }

  /// Writes a file of text.
  func text(_ name: String, _ text: String) throws {
    try makeFolder(of: name)
    _ = try scratch.file(name, text.utf8)
  }

  func write(_ image: Image, _ name: String) throws {
    try makeFolder(of: name)
    if name.hasSuffix(".jpg") {
      try image.writeJPEG(to: scratch(name))
    } else {
      try image.writePNG(to: scratch(name))
    }
  }

  private func makeFolder(of name: String) throws {
    let folder = URL(filePath: scratch(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }
}
