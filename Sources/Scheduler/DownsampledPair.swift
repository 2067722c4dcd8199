// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Frames
internal import Tensors
internal import Video

/// A frame, its key frame and the optical flow between them, in cells of four pixels each way.
struct DownsampledPair {
  /// Pixels that a cell spans, each way.
  static let side = 4

  /// 1 × 3 × h × w: blue, green and red from 0 to 255.
  let current: Tensor, key: Tensor
  /// 1 × 2 × h × w in cells; and where it is known, 1 × h × w bytes, nil where it is everywhere.
  let motion: Tensor, known: Tensor?

  init(of context: FrameContext) throws {
    let size = context.frame.pixels.size
    func cells(_ pixels: Int) -> Int { (pixels + Self.side - 1) / Self.side }
    let grid = Extent(height: cells(size.height), width: cells(size.width))
    (motion, known) = try context.flow(
      to: .keyframe, height: grid.height, width: grid.width)
    current = try context.frame.pixels.tensor().adaptiveAveragePool(grid)
    key = try context.keyframe.pixels.tensor().adaptiveAveragePool(grid)
  }

  /// Whether the motion of enough of the picture is known.
  var isTold: Bool {
    get throws { try validFraction >= 1 - tolerableUnknown }
  }

  /// From 0 to 1.
  var validFraction: Double {
    get throws { try known.map { Double(try $0.cast(to: .float32).mean().item()) } ?? 1 }
  }

  /// The mean of the absolute difference of the key, brought here, and the frame, over what is
  /// known.
  var error: Double {
    get throws {
      let warped = try key.warped(along: motion, known: known)
      let differences = try (current - warped).abs().mean(axes: [1])
      guard let known else { return Double(try differences.mean().item()) }
      let sum = try (differences * known.cast(to: .float32)).mean().item()
      return Double(sum) / (try validFraction)
    }
  }

  func change() throws -> Tensor {
    try LearnedChangeScore.change(from: key, to: current, along: motion, known: known)
  }
}
