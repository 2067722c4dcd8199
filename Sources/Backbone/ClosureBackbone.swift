// SPDX-License-Identifier: Apache-2.0

public import Tensors
public import Video

/// Code of one's own in the place of the heavy network: one stage, which a closure computes.
///
/// ```swift
/// let backbone = ClosureBackbone(stride: 8) { picture in try myNetwork.features(of: picture) }
/// ```
///
/// The closure is given the frame as `scaling` makes it, 1 × 3 × H × W, blue, green and red from 0
/// to 255 unless said otherwise, and gives maps of 1 × C × H / stride × W / stride. It may run
/// anything: another library, a service, a device. It must give the same for the same picture, and
/// may be called from several threads.
public struct ClosureBackbone: Backbone {
  /// The only stage.
  public let stages: [Stage]
  /// The size that frames are brought to; nil for their own.
  public let inputSize: PixelSize?
  private let scaling: PixelScaling
  private let compute: @Sendable (Tensor) throws -> Tensor

  /// A backbone whose stage `stage` spans `stride` pixels a cell.
  ///
  /// - Precondition: the stride is at least 1.
  public init(
    stage: String = "features", stride: Int = 1, inputSize: PixelSize? = nil,
    scaling: PixelScaling = PixelScaling(), compute: @escaping @Sendable (Tensor) throws -> Tensor
  ) {
    (stages, self.inputSize) = ([Stage(stage, stride: stride)], inputSize)
    (self.scaling, self.compute) = (scaling, compute)
  }

  /// The frame as the closure is given it: 1 × 3 × H × W; it throws where the size is another.
  public func input(for frame: Frame) throws -> Tensor {
    try InputContract(size: inputSize, scaling: scaling).tensor(of: frame.pixels)
  }

  /// What the closure gives; it throws where that is no map of the stage's stride.
  public func run(_ range: Range<Int>, on input: Features) throws -> Features {
    guard !range.isEmpty else { return input }
    let map = try compute(input.main)
    try map.checkMap(of: stages[0], after: (input.main.shape, 1))
    return Features(map)
  }
}
