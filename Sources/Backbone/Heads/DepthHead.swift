// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Layers
public import Tensors
public import Video

/// Tells how far away what is seen at each pixel is.
///
/// The maps of a few stages are brought to one grid and added. Blocks of 3×3 convolutions and a
/// last convolution give the natural logarithm of the depth there, as in Eigen et al. (NeurIPS
/// 2014, section 3.2). The logarithm is interpolated to the size of the frame. Every pixel gets a
/// depth, those of the sky too.
public struct DepthHead: Head {
  /// The backbone's stages whose maps it reads.
  public var inputs: [String] { fusion.inputs.map(\.stage) }
  /// What it consists of.
  public let settings: Settings
  /// What training changes.
  public let parameters: Parameters
  private(set) var fusion: FeatureFusion
  private(set) var blocks: [ConvolutionBlock]
  let predictor: Conv2d

  /// What a depth head consists of.
  public struct Settings: Hashable, Sendable {
    /// Channels of every hidden map.
    public var channels: Int
    /// How many blocks of 3×3 convolution, normalisation and rectifier there are.
    public var blocks: Int
    /// The stride of the grid on which depths are predicted; nil for that of the finest input.
    public var stride: Int?
    /// Whether each cell is told its place in the picture; see `FeatureFusion`.
    public var hasCoordinates: Bool
    /// Depths that are told, in metres: what is predicted is clamped to them.
    public var range: ClosedRange<Double>

    /// Settings of a head; the depths are 1 to 100 metres unless told otherwise.
    public init(
      channels: Int = 32, blocks: Int = 2, stride: Int? = nil, hasCoordinates: Bool = false,
      range: ClosedRange<Double> = 1...100
    ) {
      precondition(range.lowerBound > 0, "depths of \(range) metres")
      (self.channels, self.blocks, self.stride) = (channels, blocks, stride)
      (self.hasCoordinates, self.range) = (hasCoordinates, range)
    }
  }

  /// A head that reads `inputs`, with parameters drawn or read as `parameters` says: all of them
  /// or, in `scope`, the part of a larger network.
  ///
  /// - Throws: `BackboneError` where the inputs cannot be brought to one grid, and what reading
  ///   parameters throws.
  public init(
    _ settings: Settings, reading inputs: [HeadInput], parameters: Parameters,
    in scope: ParameterScope? = nil
  ) throws {
    let scope = scope ?? parameters.root
    let stride = settings.stride ?? inputs.map(\.stride).min() ?? 1
    fusion = try FeatureFusion(
      inputs, stride: stride, channels: settings.channels, coordinates: settings.hasCoordinates,
      in: scope["fusion"])
    blocks = try (0..<settings.blocks).map {
      try ConvolutionBlock(
        settings.channels, settings.channels, kernel: 3, in: scope["blocks"][$0])
    }
    predictor = try Conv2d(
      settings.channels, 1, kernel: 3, initialisation: .normal(deviation: 0.01),
      in: scope["depth"])
    (self.settings, self.parameters) = (settings, parameters)
  }

  /// The natural logarithm of the depth in metres at the stride of the grid: N × 1 × H × W.
  public func logDepth(of features: FeatureMaps, in pass: ForwardContext) throws -> Tensor {
    var hidden = try fusion(features, in: pass)
    for block in blocks { hidden = try block(hidden, in: pass) }
    return try predictor(hidden, in: pass).cast(to: .float32) + middleLogDepth
  }

  /// What is added: before training, depths are near the geometric mean of the range.
  var middleLogDepth: Float {
    Float(log((settings.range.lowerBound * settings.range.upperBound).squareRoot()))
  }

  /// The natural logarithm of the depth in metres of every pixel: N × 1 × height × width.
  public func logDepth(
    of features: FeatureMaps, size: PixelSize, in pass: ForwardContext
  ) throws -> Tensor {
    let output = try logDepth(of: features, in: pass)
      .resized(height: size.height, width: size.width, in: pass)
    pass.ledger?.end("head", stride: 1, giving: output)
    return output
  }

  /// Depths in metres, within the range of the settings, of a frame of `size`.
  public func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> DepthMap {
    try withoutGradients {
      let bounds = settings.range
      let depths = try logDepth(of: features, size: size, in: .inference)
      guard try depths.isFinite() else {
        throw BackboneError(.badOutput, "the head for depth gives numbers that are NaN or infinite")
      }
      let metres = try depths.exp()
        .clamped(to: Float(bounds.lowerBound)...Float(bounds.upperBound))
      return DepthMap(width: size.width, height: size.height, metres: try metres.floats())
    }
  }

  /// The same head in fewer operations, to be used and no longer trained.
  public func folded() throws(TensorError) -> DepthHead {
    var head = self
    head.fusion = try fusion.folded()
    head.blocks = try blocks.map { (block) throws(TensorError) in try block.folded() }
    return head
  }
}
