// SPDX-License-Identifier: Apache-2.0

internal import Pipeline
internal import Video

extension LiveAddress {
  /// Whether whoever sends frames waits until they are read.
  var senderWaits: Bool {
    switch self {
    case .camera, .network: false
    case .standardInput, .pipe, .file: true
    }
  }
}

extension PredictionPipeline<Image> {
  /// Runs on black frames of streams of its own, three key frames among them.
  func warmUp(width: Int, height: Int) throws {
    let pixels = Image(width: width, height: height, channels: 3, repeating: 0)
    var state = start()
    for _ in 0..<3 {
      state = start()
      _ = try label(Frame(index: 0, time: 0, pixels: pixels), in: &state)
    }
    for index in 1..<3 {
      let time = Double(index) / 25
      _ = try label(
        Frame(index: index, time: time, pixels: pixels, motionVectors: []), in: &state)
    }
  }
}
