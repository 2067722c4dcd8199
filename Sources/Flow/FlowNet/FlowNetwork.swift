// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// Motion between two images by `FlowNetS`, in pixels of the frame: one pass, or several from a
/// small picture to larger ones.
public struct FlowNetwork: Sendable {
  /// What the network consists of.
  public let specification: FlowNetSpecification
  /// The parameters, drawn or read; of the whole where it is a part of a larger network.
  public let parameters: Parameters
  /// The convolutions that each pass runs.
  public let network: FlowNetS

  /// A network with parameters drawn or read as `parameters` says: all of them or, in `scope`, the
  /// part of a larger network.
  public init(
    _ specification: FlowNetSpecification, parameters: Parameters, in scope: ParameterScope? = nil
  ) throws {
    (self.specification, self.parameters) = (specification, parameters)
    network = try FlowNetS(
      width: specification.width, normalised: specification.isNormalised,
      finest: specification.finest, in: scope ?? parameters.root)
  }

  /// The motions of N pairs of scaled images, N × 3 × H × W, which a frame became when it was
  /// divided by `division`.
  ///
  /// - Precondition: every step divides the frame by a multiple of `division`.
  public func steps(
    from current: Tensor, to reference: Tensor, dividedBy division: Int = 1, in pass: ForwardContext
  ) throws(TensorError) -> [FlowStep] {
    var steps: [FlowStep] = []
    for divisor in specification.steps {
      precondition(divisor % division == 0, "step \(divisor) of images divided by \(division)")
      let ratio = divisor / division
      let here = try current.pooled(by: ratio, in: pass)
      var there = try reference.pooled(by: ratio, in: pass)
      // What was found so far is taken as it is: each step learns to correct it.
      let before = try steps.last?.motion(
        onGridOf: divisor, height: here.shape[2], width: here.shape[3], in: pass
      ).detached()
      if let before {
        there = try there.warped(along: before * (1 / Float(divisor)))
        pass.ledger?.add(macs: 4 * there.count)
      }
      let output = try network(.concatenate([here, there], axis: 1).channelsLast(), in: pass)
      steps.append(try step(output, dividing: divisor, adding: before, in: pass))
    }
    return steps
  }

  private func step(
    _ output: FlowNetOutput, dividing divisor: Int, adding before: Tensor?, in pass: ForwardContext
  ) throws(TensorError) -> FlowStep {
    let unit = specification.unit * Float(divisor)
    var motions: [FlowStep.Level] = []
    let finest = output.taps["concat\(network.finest)"]
    for (level, flow) in output.flows {
      var motion = try flow.cast(to: .float32) * unit
      if let before {
        motion = try motion + before.pooled(by: 1 << level, in: pass)
      }
      motions.append(FlowStep.Level(stride: divisor << level, motion: motion))
    }
    return FlowStep(levels: motions, finestFeatures: finest, output: output)
  }
}

/// What one step of a `FlowNetwork` found.
public struct FlowStep: Sendable {
  /// A motion on the grid of one level.
  public struct Level: Sendable {
    /// Pixels of the frame that a cell spans, each way.
    public let stride: Int
    /// N × 2 × rows × columns: (dx, dy) in pixels of the frame.
    public let motion: Tensor
  }

  /// Coarse to fine.
  public let levels: [Level]
  /// What the finest motion was predicted from, on its grid; nil where that is the coarsest.
  public let finestFeatures: Tensor?
  /// What the network gave, in its own unit, with its taps.
  public let output: FlowNetOutput

  /// The finest motion, in pixels of the frame, on a grid whose cells span `stride` of them.
  ///
  /// Interpolated between the centres of cells.
  public func motion(
    onGridOf stride: Int = 1, height: Int, width: Int, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    guard let finest = levels.last else { return try .zeros([1, 2, height, width]) }
    let shape = finest.motion.shape
    if finest.stride < stride {
      return try finest.motion.pooled(by: stride / finest.stride, in: pass)
        .cut(height: height, width: width)
    }
    // Whole cells become whole numbers of pixels, so that the values stay as they are; what they
    // cover beyond the frame is cut off.
    let times = finest.stride / stride
    return try finest.motion.resized(
      height: shape[2] * times, width: shape[3] * times, in: pass
    ).cut(height: height, width: width)
  }
}

extension Tensor {
  /// Means over blocks of `factor` × `factor` cells; beyond the edge the nearest cell counts on.
  func pooled(by factor: Int, in pass: ForwardContext) throws(TensorError) -> Tensor {
    if factor == 1 { return self }
    let right = (factor - shape[3] % factor) % factor
    let bottom = (factor - shape[2] % factor) % factor
    let whole =
      right + bottom == 0
      ? self : try padded(top: 0, bottom: bottom, left: 0, right: right, with: .replicate)
    return try whole.averagePool(Extent(factor), stride: Extent(factor))
  }
}
