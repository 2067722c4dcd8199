// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// A feature map that a head reads.
public struct HeadInput: Hashable, Sendable {
  /// The backbone's stage that gives it.
  public let stage: String
  /// Channels of the map.
  public let channels: Int
  /// Pixels of the frame that one cell of the map spans, each way.
  public let stride: Int

  /// The map of a stage by its name, number of channels and stride.
  public init(stage: String, channels: Int, stride: Int) {
    (self.stage, self.channels, self.stride) = (stage, channels, stride)
  }
}

/// Brings the maps of several stages to one grid and adds them.
///
/// A lateral convolution brings each map to the same number of channels. Coarse maps are then
/// interpolated and all are added, as in feature pyramid networks (Lin et al., CVPR 2017, section
/// 3). Fine maps are reduced by the stride of their lateral convolution. Two more planes can tell
/// each cell its place in the picture (CoordConv, Liu et al., NeurIPS 2018). They tie the head to
/// whole frames of one camera.
public struct FeatureFusion: Sendable {
  /// The maps that are read, in the order of the stages' names in the description.
  public let inputs: [HeadInput]
  /// The stride of the grid on which they are added.
  public let stride: Int
  private(set) var laterals: [ConvolutionBlock]
  let coordinates: Conv2d?

  /// A fusion whose layers are made in `scope`.
  ///
  /// - Throws: `BackboneError` where there is no input, where two are of one stage, where all are
  ///   coarser than `stride`, or where a stride is no whole multiple of the other.
  public init(
    _ inputs: [HeadInput], stride: Int, channels: Int, coordinates: Bool = false,
    in scope: ParameterScope
  ) throws {
    let strides = inputs.map(\.stride)
    guard Set(inputs.map(\.stage)).count == inputs.count, let finest = strides.min() else {
      throw BackboneError(.incompatible, "a head reads at least one stage, and each of them once")
    }
    guard finest <= stride, strides.allSatisfy({ stride % $0 == 0 || $0 % stride == 0 }) else {
      throw BackboneError(
        .incompatible, "maps of strides \(strides) cannot be brought to a stride of \(stride)")
    }
    laterals = try inputs.map { input in
      let factor = max(1, stride / input.stride)
      return try ConvolutionBlock(
        input.channels, channels, kernel: Extent(2 * (factor / 2) + 1), stride: Extent(factor),
        rectified: false, in: scope[input.stage])
    }
    self.coordinates =
      coordinates
      ? try Conv2d(2, channels, kernel: 1, bias: false, in: scope["coordinates"]) : nil
    (self.inputs, self.stride) = (inputs, stride)
  }

  /// The sum, rectified: N × channels × H × W.
  ///
  /// H and W are those of the finest map, divided by what is left to the fusion's stride and
  /// rounded up.
  ///
  /// - Throws: `BackboneError` where a map is missing or has another number of channels.
  public func callAsFunction(_ features: FeatureMaps, in pass: ForwardContext) throws -> Tensor {
    var maps: [Tensor] = []
    for (input, lateral) in zip(inputs, laterals) {
      let map = try features.map(after: input.stage)
      guard map.shape.rank == 4, map.shape[1] == input.channels else {
        throw BackboneError(
          .badOutput, "stage '\(input.stage)' gives \(map.shape), not \(input.channels) channels")
      }
      maps.append(try lateral(map, in: pass))
    }
    var sum = maps[finest]
    if let coordinates { sum = try sum + coordinates(Self.places(like: sum), in: pass) }
    for (index, map) in maps.enumerated() where index != finest {
      sum = try sum + map.resized(like: sum, in: pass)
    }
    return try sum.relu()
  }

  /// Which map tells the size: those of coarser ones may be rounded up more.
  var finest: Int { inputs.indices.min { inputs[$0].stride < inputs[$1].stride } ?? 0 }

  /// The same fusion with its normalisations folded into the convolutions.
  public func folded() throws(TensorError) -> FeatureFusion {
    var fusion = self
    fusion.laterals = try laterals.map { (lateral) throws(TensorError) in try lateral.folded() }
    return fusion
  }

  /// Column and row of each cell's centre, from -1 to 1 across the picture: 1 × 2 × H × W.
  private static func places(like map: Tensor) throws(TensorError) -> Tensor {
    let (height, width) = (map.shape[2], map.shape[3])
    return try Tensor(places(height: height, width: width), shape: [1, 2, height, width])
      .to(map.device)
  }

  /// The same, row by row.
  static func places(height: Int, width: Int) -> [Float] {
    func place(_ index: Int, of count: Int) -> Float {
      (2 * Float(index) + 1) / Float(count) - 1
    }
    let cells = 0..<height * width
    return cells.map { place($0 % width, of: width) } + cells.map { place($0 / width, of: height) }
  }
}
