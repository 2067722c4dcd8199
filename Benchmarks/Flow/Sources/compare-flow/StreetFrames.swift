// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import Video

/// The labelled run of CamVid, in memory.
struct StreetFrames {
  let colour: [Frame], grey: [Frame]
  private let labels: [Image]

  init(folder: URL) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/val").sorted()
    colour = try names.enumerated().map { index, name in
      Frame(index: index, time: 0, pixels: try Image(contentsOf: folder.path + "/val/\(name)"))
    }
    grey = try colour.map { $0.with(pixels: try $0.pixels.grey()) }
    labels = try names.map { name in
      let stem = (name as NSString).deletingPathExtension
      return try Image.labels(contentsOf: folder.path + "/valannot/\(stem).png")
    }
  }

  /// The mean IoU of labels carried `gap` frames along the motion from the nearest cell, over every
  /// third frame; class 11 is void.
  func carried(over gap: Int, by estimator: any FlowEstimator) throws -> Double {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 12), count: 12)
    for key in stride(from: 0, to: colour.count - gap, by: 3) {
      let motion = try estimator.motion(from: colour[key + gap], to: colour[key])
      let (from, truth) = (labels[key].bytes, labels[key + gap].bytes)
      let (width, height, displacements) = (motion.width, motion.height, motion.displacements)
      for y in 0..<height {
        for x in 0..<width {
          let cell = y * width + x
          let dx = displacements[2 * cell], dy = displacements[2 * cell + 1]
          let column = min(max(x + Int((dx + 0.5).rounded(.down)), 0), width - 1)
          let row = min(max(y + Int((dy + 0.5).rounded(.down)), 0), height - 1)
          counts[Int(min(truth[cell], 11))][Int(min(from[row * width + column], 11))] += 1
        }
      }
    }
    let scores = (0..<11).map { id in
      let union = counts[id].reduce(0, +) + counts[..<11].reduce(0) { $0 + $1[id] } - counts[id][id]
      return Double(counts[id][id]) / Double(max(union, 1))
    }
    return scores.reduce(0, +) / 11
  }
}
