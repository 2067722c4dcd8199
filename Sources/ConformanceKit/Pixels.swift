// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Tensors
public import Video

/// The least a backbone may do: a frame's own pixels as scores, blue, green and red being classes.
///
/// Two stages, both the identity, so that every way of tapping and resuming can be tried.
public struct Pixels: Backbone {
  public let stages = [Stage("low", stride: 1), Stage("high", stride: 1)]
  public let inputSize: PixelSize?

  public init(size: PixelSize? = nil) { inputSize = size }

  /// The head that reads these scores: the brightest colour is the class.
  public var head: ScoreHead {
    ScoreHead(classes: ClassList(name: "colours", names: ["blue", "green", "red"], void: nil))
  }

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

  public func run(_: Range<Int>, on input: Features) -> Features { input }
}
