// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Foundation
import TestSupport
import Testing
import Video

/// Tiny networks that `Scripts/golden/onnx_networks.py` made with the `onnx` package of Python.
let networks = "\(fixtures)/Onnx"

/// The engines whose libraries are here; tests of the others are skipped.
let engines = InferenceEngine.available

/// What a test that needs an engine says where there is none.
let noEngine: Comment = "no engine is installed: Scripts/install-engines fetches one"

/// What ONNX Runtime's own Python computes, in short.
struct Golden: Decodable {
  let shape: [Int]
  let sum: Double
  let first: [Double], last: [Double]

  static func named(_ name: String) throws -> Golden {
    let data = try Data(contentsOf: URL(filePath: "\(networks)/golden.json"))
    return try #require(try JSONDecoder().decode([String: Golden].self, from: data)[name])
  }

  /// Whether `numbers` are those, but for rounding to `tolerance`.
  func matches(_ numbers: [Float], tolerance: Double) -> Bool {
    let ends = zip(first + last, numbers.prefix(first.count) + numbers.suffix(last.count))
    let total = numbers.reduce(0) { $0 + Double($1) }
    return numbers.count == shape.reduce(1, *)
      && ends.allSatisfy { abs($0 - Double($1)) <= tolerance }
      && abs(total - sum) <= tolerance * Double(numbers.count)
  }
}

/// The picture that the golden numbers are of.
func frame(width: Int = 16, height: Int = 12) -> Frame {
  let bytes = (0..<width * height * 3).map { UInt8(($0 * 37) % 251) }
  return Frame(
    index: 0, time: 0, pixels: Image(width: width, height: height, channels: 3, bytes: bytes))
}

/// A copy of a network of the fixtures in a folder of its own, with a description beside it.
func described(
  _ name: String, in scratch: Scratch, _ yaml: String?
) throws -> String {
  let path = try scratch.file("\(name).onnx", bytes(of: "\(networks)/\(name).onnx"))
  if let yaml { _ = try scratch.file("\(name).yaml", Array(yaml.utf8)) }
  return path
}

let segmentationYAML = """
  input: {color: bgr, scale: 0.00392156862745098}
  output: {classes: [a, b, c]}
  """

/// Of the network that is given numbers beside the picture.
let givenYAML = """
  task: depth
  input:
    color: bgr
    scale: 0.00392156862745098
    constants:
      {size: [[480, 640]], half: [0.37], double: 1.0e-9, flag: [1], byte: [[200, 3]],
       signed: [-100], short: [-3000], word: [60000], integer: [-70000],
       unsigned: [4000000000], long: [5], single: [[[0.1, -2.5]]]}
  """
