// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Tensors
public import Video

/// A frame's own pixels in the place of features: 1 × 3 × H × W, blue, green, red from 0 to 255.
///
/// Carried along the motion they give a picture that can be looked at, and held against the real
/// one where nobody made labels.
public struct PixelBackbone: Backbone {
  /// One stage, `picture`, at a stride of 1.
  public let stages = [Stage("picture", stride: 1)]
  /// Nil: frames of any size.
  public let inputSize: PixelSize? = nil

  /// A backbone without a network.
  public init() {}

  /// The head that hands the pixels on.
  public var head: ScoreHead {
    ScoreHead(classes: ClassList(name: "colours", names: ["blue", "green", "red"], void: nil))
  }

  /// The frame as 1 × 3 × H × W samples.
  public func input(for frame: Frame) throws -> Tensor {
    try frame.pixels.tensor()
  }

  /// The samples as they are.
  public func run(_: Range<Int>, on input: Features) -> Features { input }

  /// The picture that carried pixels make.
  public static func image(of pixels: Tensor) throws(TensorError) -> Image {
    let bytes = try (pixels + 0.5).clamped(to: 0...255).cast(to: .uint8).permuted(0, 2, 3, 1)
    return Image(
      width: pixels.shape[3], height: pixels.shape[2], channels: 3, bytes: try bytes.bytes())
  }
}
