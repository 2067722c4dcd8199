// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Features of a branch at low resolution, made sharp by those propagated from a key frame at full
/// resolution (CReFF of AR-Seg; Hu et al., CVPR 2023, section 3.2).
///
/// U + Σ softmax⟨q(U), k(C)⟩ v(C) over the 7 × 7 places around each, where U are the branch's
/// features, enlarged, C the propagated ones, and q, k, v depth-wise 3 × 3 convolutions. As in the
/// paper's program similarities are not scaled, and what lies outside the picture counts as zero.
/// All three begin by passing features on, so that at first each place looks for what is like it
/// and adds that; the paper draws them. Drawn, or with v as nothing, short trainings leave C
/// unused.
public struct CrossResolutionAttention: LearnedFusion {
  /// The parameters of the three convolutions, and of a branch that is trained with them.
  public let parameters: Parameters
  /// What looks at the frame itself at low resolution.
  public private(set) var branch: any Branch
  /// Side of the neighbourhood, in cells of what is propagated.
  public let size: Int
  private let query: Conv2d, key: Conv2d, value: Conv2d

  /// A fusion of propagated features with `channels`, drawn or read as `parameters` says.
  ///
  /// - Precondition: the branch gives as many `channels` as are propagated; the size is odd, from 1
  ///   to 25.
  public init(
    channels: Int, with branch: some Branch, size: Int = 7, parameters: Parameters
  ) throws {
    precondition(size % 2 == 1 && (1...25).contains(size), "a neighbourhood of \(size)×\(size)")
    (self.branch, self.size, self.parameters) = (branch, size, parameters)
    func convolution(_ name: String) throws -> Conv2d {
      try Conv2d(
        channels, channels, kernel: 3, groups: channels,
        initialisation: .identity(times: 1, deviation: 0.01), in: parameters.root[name])
    }
    query = try convolution("query")
    key = try convolution("key")
    value = try convolution("value")
  }

  /// The same with its branch's normalisations folded into convolutions.
  public func folded() throws -> CrossResolutionAttention {
    var fusion = self
    fusion.branch = try branch.folded()
    return fusion
  }

  /// The branch's features, N × C × H × W on the grid of the propagated ones, made sharp by these.
  public func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let seen = try branch.features(of: context, in: pass)
      .resized(like: propagated, in: pass)
    let (keys, values) = (try key(propagated, in: pass), try value(propagated, in: pass))
    pass.ledger?.add(macs: 2 * propagated.count * size * size)
    let sharp = try query(seen, in: pass).cast(to: .float32).attending(
      to: keys.cast(to: .float32), values: values.cast(to: .float32), size: size)
    return try seen + sharp
  }
}

extension CrossResolutionAttention: OnnxPart {
  /// The branch's features, made sharp by the propagated ones.
  public func write(_ propagated: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let small = try branch.written(frame.image(.current), to: &frame.graph)
    let seen = frame.graph.resized(small, like: propagated)
    let queries = try query.write(seen, to: &frame.graph)
    let keys = try key.write(propagated, to: &frame.graph)
    let values = try value.write(propagated, to: &frame.graph)
    let sharp = frame.graph.attending(queries, to: keys, values: values, size: size)
    return frame.graph.elementwise("Add", seen, sharp)
  }
}
