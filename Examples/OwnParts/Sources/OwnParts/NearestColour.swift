// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inbetween

/// A backbone: scores of each class by how near a pixel is to the colour of the class.
///
/// It stands for an inference engine of one's own. Either of its two stages can be tapped.
struct NearestColour: Backbone {
  let palette: ColourFile
  let stages = [Stage("pixels", stride: 1), Stage("scores", stride: 1)]
  let inputSize: PixelSize? = nil

  func input(for frame: Frame) throws -> Tensor { try frame.pixels.tensor() }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    guard range.contains(1) else { return input }
    let scores = try palette.colours.map { colour in
      let difference = try input.main - Tensor(colour, shape: [1, 3, 1, 1])
      return try -(difference * difference).mean(axes: [1], keepingAxes: true)
    }
    return Features(try Tensor.concatenate(scores, axis: 1))
  }
}

/// What a file says: a first line that tells its kind, then `NAME BLUE GREEN RED` for each class.
struct ColourFile: Sendable {
  static let firstBytes = Data("colours 1\n".utf8)
  private(set) var names: [String] = []
  private(set) var colours: [[Float]] = []

  init(at path: String) throws {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      let numbers = words.dropFirst().compactMap { Float($0) }
      guard words.count == 4, numbers.count == 3 else {
        throw SpecificationError(.badDescription, "\(path): a line is NAME BLUE GREEN RED")
      }
      names.append(String(words[0]))
      colours.append(numbers)
    }
    guard !names.isEmpty else { throw SpecificationError(.badDescription, "\(path) has no class") }
  }
}

/// The file, read before anything is made of it.
struct ColourSource: NetworkSource {
  let path: String
  let palette: ColourFile
  var classes: ClassList { ClassList(name: "colours", names: palette.names, void: nil) }
  var files: [String] { [path] }

  func load() -> (backbone: any Backbone, head: any SegmentationHead) {
    (NearestColour(palette: palette), ScoreHead(classes: classes))
  }
}

extension Registries {
  /// The kind of backbone, and the engine that knows its files by their first bytes.
  mutating func registerNearestColour() {
    backbones.register(
      "colours", "the class of the nearest colour, out of a file of colours",
      options: [.required("path", .path)], usage: "FILE.colours"
    ) { options, _ in
      let path = options.text("path")
      return ColourSource(path: path, palette: try ColourFile(at: path))
    }
    add(
      Engine("colours") { path in
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        return (try? file.read(upToCount: ColourFile.firstBytes.count)) == ColourFile.firstBytes
      })
  }
}
