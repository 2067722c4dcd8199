// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Video

extension Scratch {
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self(name)) }

  /// The names in a folder here, in order.
  func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self(folder)).sorted()
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name))))
  }

  func write(_ bytes: some Collection<UInt8>, to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  func json(_ name: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(bytes(name)))
    return object as? [String: Any] ?? [:]
  }

  /// The lines of a table, cut into cells.
  func table(_ name: String) throws -> [[String]] {
    let text = String(decoding: try bytes(name), as: UTF8.self)
    return text.components(separatedBy: "\r\n").dropLast().map {
      $0.components(separatedBy: ",")
    }
  }
}

enum Fixtures {
  private static let folder = packageRoot + "/Tests/Fixtures/"
  /// Tells four colours apart; its `make.py` says how.
  static let network = folder + "Network/tiny.pt"
  static func network(_ name: String) -> String { folder + "Network/" + name }
  static func video(_ name: String) -> String { folder + "Video/" + name }
}

/// A small network, and a training of a few steps.
func smallNetwork(classes: String = "camvid11", steps: Int) -> String {
  """
  name: small
  input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
  classes: \(classes)
  network:
    encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
    context: {kind: pyramid, channels: 8, bins: [1, 2]}
    decoder: [{stride: 4, channels: 8}]
  training:
    batch: 2
    crop: [32, 48]
    stages: [{name: all, steps: \(steps), optimizer: adamw, rate: 0.001}]
  """
}

extension Scratch {
  /// Encodes coloured squares that drift over a grainy dark ground.
  func writeClip(
    to name: String, frames: Int = 24, width: Int = 64, height: Int = 48, keyInterval: Int? = 8
  ) throws {
    var options = VideoWriter.Options()
    (options.threads, options.keyInterval, options.rateFactor) = (1, keyInterval, 18)
    options.preset = "ultrafast"
    let writer = try VideoWriter(
      to: self(name), width: width, height: height, rate: FrameRate(25), options: options)
    for index in 0..<frames { try writer.add(picture(index, width, height)) }
    try writer.finish()
  }

  /// Writes the same as picture files, `img7.png` and so on.
  func writePictures(to folder: String, frames: Int = 6, width: Int = 64, height: Int = 48) throws {
    try FileManager.default.createDirectory(
      atPath: self(folder), withIntermediateDirectories: true)
    for index in 0..<frames {
      try picture(index, width, height).writePNG(to: self("\(folder)/img\(index + 7).png"))
    }
  }
}

private func picture(_ index: Int, _ width: Int, _ height: Int) -> Image {
  Image(width: width, height: height, channels: 3) { bytes in
    for y in 0..<height {
      for x in 0..<width {
        let grain = UInt8(truncatingIfNeeded: (x &* 7919 ^ y &* 104_729) &* 31 >> 4) & 31
        for plane in 0..<3 { bytes[3 * (y * width + x) + plane] = grain }
        let column = (x + 64 - index % 64) % 64 / 16
        if column < 3, (y / 12) % 2 == 0 { bytes[3 * (y * width + x) + column] = 220 }
      }
    }
  }
}
