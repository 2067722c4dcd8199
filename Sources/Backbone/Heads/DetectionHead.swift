// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Layers
public import Tensors
public import Video

/// Finds objects without anchors: FCOS (Tian et al., ICCV 2019) on one grid.
///
/// The maps of a few stages are brought to one grid and added. Two towers of 3×3 blocks follow.
/// One gives a score for each class; the other gives the distances from a cell to the four sides
/// of its box, and the centre-ness, which is low where a cell is far from the middle of its box
/// (sections 3.1 and 3.3). The score of a detection is the root of score times centre-ness.
///
/// FCOS rather than CenterNet (Zhou et al., 2019): several cells around the middle of an object
/// learn its box, not one alone, which makes few training steps go further, and the loss of boxes
/// is their overlap, which counts small boxes as much as large ones. One grid rather than a
/// pyramid: the decoder has joined the stages already, and one map costs less to propagate and to
/// read. Centre sampling (Tian et al., TPAMI 2020, section 3.1) gives objects of all sizes as many
/// cells there.
public struct DetectionHead: Head {
  /// The backbone's stages whose maps it reads.
  public var inputs: [String] { fusion.inputs.map(\.stage) }
  /// What it consists of.
  public let settings: Settings
  /// What training changes.
  public let parameters: Parameters
  /// Pixels that a cell of the grid spans, each way.
  public var stride: Int { fusion.stride }
  private(set) var fusion: FeatureFusion
  private(set) var classTower: [ConvolutionBlock], boxTower: [ConvolutionBlock]
  let classifier: Conv2d, regressor: Conv2d, centring: Conv2d

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
    let channels = settings.channels
    func tower(_ name: String) throws -> [ConvolutionBlock] {
      try (0..<settings.blocks).map {
        try ConvolutionBlock(channels, channels, kernel: 3, in: scope[name][$0])
      }
    }
    func predictor(_ name: String, _ outputs: Int) throws -> Conv2d {
      try Conv2d(
        channels, outputs, kernel: 3, initialisation: .normal(deviation: 0.01), in: scope[name])
    }
    fusion = try FeatureFusion(
      inputs, stride: settings.stride ?? inputs.map(\.stride).min() ?? 1, channels: channels,
      coordinates: settings.hasCoordinates, in: scope["fusion"])
    (classTower, boxTower) = (try tower("class_tower"), try tower("box_tower"))
    classifier = try predictor("classes", settings.classes.count)
    (regressor, centring) = (try predictor("box", 4), try predictor("centreness", 1))
    (self.settings, self.parameters) = (settings, parameters)
  }

  /// What the convolutions say of every cell, before it is read as boxes.
  public struct Maps: Sendable {
    /// The logit of each class: N × classes × H × W.
    public let classes: Tensor
    /// The logarithm of the distance to the left, upper, right and lower side, in strides:
    /// N × 4 × H × W.
    public let distances: Tensor
    /// The logit of the centre-ness: N × 1 × H × W.
    public let centreness: Tensor

    /// The maps of N pictures; all have the same height and width.
    public init(classes: Tensor, distances: Tensor, centreness: Tensor) {
      (self.classes, self.distances, self.centreness) = (classes, distances, centreness)
    }
  }

  /// What a cell's class logits begin with: a share of 0.01 of them is taken for objects (Lin et
  /// al., "Focal loss", ICCV 2017, section 4.1).
  static let priorLogit = Float(-log((1 - 0.01) / 0.01))
  /// Distances are told up to exp(5) strides, so that a wrong one stays finite.
  static let largestLogDistance: Float = 5

  /// The maps of N pictures, in a pass that may be one of training.
  public func maps(of features: FeatureMaps, in pass: ForwardContext) throws -> Maps {
    let shared = try fusion(features, in: pass)
    var (scores, boxes) = (shared, shared)
    for block in classTower { scores = try block(scores, in: pass) }
    for block in boxTower { boxes = try block(boxes, in: pass) }
    let classes = try classifier(scores, in: pass).cast(to: .float32) + Self.priorLogit
    // A box is a few strides wide before training.
    let distances = try regressor(boxes, in: pass).cast(to: .float32) + 1
    let centreness = try centring(boxes, in: pass).cast(to: .float32)
    pass.ledger?.end("head", stride: stride, giving: classes)
    return Maps(
      classes: classes,
      distances: try distances.clamped(to: -Self.largestLogDistance...Self.largestLogDistance),
      centreness: centreness)
  }

  /// What is found in a frame of `size`, the most certain first; boxes end at the frame's edges.
  ///
  /// - Throws: `BackboneError` where a map is missing, and where there are maps of several frames.
  public func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> [Detection] {
    let found = try withoutGradients { try maps(of: features, in: .inference) }
    for map in [found.classes, found.distances, found.centreness] where try !map.isFinite() {
      throw BackboneError(.badOutput, "the head for boxes gives numbers that are NaN or infinite")
    }
    return try detections(in: found, size: size)
  }

  /// The same head in fewer operations, to be used and no longer trained.
  public func folded() throws(TensorError) -> DetectionHead {
    func folded(_ blocks: [ConvolutionBlock]) throws(TensorError) -> [ConvolutionBlock] {
      try blocks.map { (block) throws(TensorError) in try block.folded() }
    }
    var head = self
    head.fusion = try fusion.folded()
    (head.classTower, head.boxTower) = (try folded(classTower), try folded(boxTower))
    return head
  }
}
