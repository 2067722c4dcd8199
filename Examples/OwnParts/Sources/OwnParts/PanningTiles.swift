// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A data set: a tile on striped ground, past which the camera pans so many pixels a frame.
struct PanningTiles: LabelledClip {
  let speed: Int
  let count: Int
  let size = PixelSize(width: 64, height: 48)
  let classes = ClassList(name: "tiles", names: ["ground", "tile"], void: nil)
  let isStored = false
  var name: String { "tiles:\(speed)" }

  func frame(at index: Int) -> Frame {
    let pixels = Image(width: size.width, height: size.height, channels: 3) { bytes in
      for (place, id) in classes(at: index).enumerated() {
        let stripe = UInt8((column(place, at: index) / 4) % 3 * 20)
        let colour: [UInt8] = id == 0 ? [60, 140 + stripe, 60] : [40, 40 + stripe, 200]
        for channel in 0..<3 { bytes[3 * place + channel] = colour[channel] }
      }
    }
    return Frame(index: index, time: Double(index) / 25, pixels: pixels)
  }

  func labels(at index: Int) -> Image? {
    Image(width: size.width, height: size.height, channels: 1, bytes: classes(at: index))
  }

  private func classes(at index: Int) -> [UInt8] {
    (0..<size.width * size.height).map { place in
      (24..<44).contains(column(place, at: index)) && (12..<36).contains(place / size.width) ? 1 : 0
    }
  }

  /// The column of the world, which goes round, that a place of a frame shows.
  private func column(_ place: Int, at index: Int) -> Int {
    (place % size.width + index * speed) % size.width
  }
}

extension Registries {
  mutating func registerPanningTiles() {
    datasets.register(
      "tiles", "a tile on striped ground, panned by SPEED pixels a frame",
      options: [.required("speed", .integer(0...16))]
    ) { options, _ in
      let speed = options.integer("speed")
      return DataSource(pairing: .filmed) { request in
        PanningTiles(speed: speed, count: request.limit ?? 24)
      }.with(ClassShare.self) { request in
        ShareClip(tiles: PanningTiles(speed: speed, count: request.limit ?? 24))
      }
    }
  }
}
