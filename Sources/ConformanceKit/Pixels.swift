// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Tensors
public import Video

/// The least a backbone may do: a frame's own pixels as scores, blue, green and red being classes.
///
/// Two stages, both the identity, so that every way of tapping and resuming can be tried.
public struct Pixels: Backbone {
  /// `low` and `high`, both at a stride of 1.
  public let stages = [Stage("low", stride: 1), Stage("high", stride: 1)]
  /// The only size that it takes; nil for any.
  public let inputSize: PixelSize?

  /// A backbone for pictures of `size`, or of any where that is nil.
  public init(size: PixelSize? = nil) { inputSize = size }

  /// The head that reads these scores: the brightest colour is the class.
  public var head: ScoreHead {
    ScoreHead(classes: ClassList(name: "colours", names: ["blue", "green", "red"], void: nil))
  }

  /// The picture as 1 × 3 × H × W samples from 0 to 255: blue, green, red.
  public func input(for frame: Frame) throws -> Tensor {
    let (width, height) = (frame.pixels.width, frame.pixels.height)
    var planes = [Float](repeating: 0, count: 3 * width * height)
    frame.pixels.withUnsafeBytes { bytes in
      for cell in 0..<width * height {
        for channel in 0..<3 {
          planes[channel * width * height + cell] = Float(bytes[3 * cell + channel])
        }
      }
    }
    return try Tensor(planes, shape: [1, 3, height, width])
  }

  /// The input as it is, whichever stages are run.
  public func run(_: Range<Int>, on input: Features) -> Features { input }
}
