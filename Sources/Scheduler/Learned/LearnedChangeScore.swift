// SPDX-License-Identifier: Apache-2.0

public import Frames
public import Layers
public import Tensors

/// What a small network says a frame has changed since its key, from 0 to 1.
///
/// It sees a change only, through two convolutions without offsets, a mean over all places and a
/// weighted sum, so that a frame equal to its key scores 0 whatever was learned. What the number
/// stands for, training says: the share of labels that differ from the key's (LLVSS; Li et al.,
/// CVPR 2018, section 3.2) or from those propagated from it (DVSNet; Xu et al., CVPR 2018, section
/// 3.3, whose confidence is 1 less that). Neither needs labels by hand.
public struct LearnedChangeScore: ChangeScore {
  /// What traces call it.
  public var name: String { "predicted change" }
  /// Whether the network sees the motion.
  public var dependsOnMotion: Bool { sight == .motion }
  /// What the network sees of a change.
  public let sight: Sight
  /// The parameters, drawn or read.
  public let parameters: Parameters
  private let first: Conv2d, second: Conv2d, sum: Conv2d

  /// What the network sees.
  public enum Sight: Hashable, Sendable {
    /// The difference of both frames' features after an early stage, as LLVSS.
    case features(after: String)
    /// The motion back to the key and what it leaves unexplained, as DVSNet, whose flow network
    /// makes something like it: the difference of both pictures, the motion, and where it is
    /// unknown, on a grid of four pixels.
    case motion
  }

  /// Channels of a change that `motion` is seen by.
  public static let motionChannels = 6

  /// A network that sees a change of `channels`, and makes `width` of them.
  public init(_ sight: Sight, channels: Int, width: Int, parameters: Parameters) throws {
    (self.sight, self.parameters) = (sight, parameters)
    let scope = parameters.root
    first = try Conv2d(channels, width, kernel: 3, stride: 2, bias: false, in: scope["first"])
    second = try Conv2d(width, 2 * width, kernel: 3, stride: 2, bias: false, in: scope["second"])
    sum = try Conv2d(2 * width, 1, kernel: 1, bias: false, in: scope["sum"])
  }

  /// Of N changes, N × channels × height × width: N numbers.
  public func predict(_ change: Tensor, in pass: ForwardContext) throws -> Tensor {
    let seen = try second(first(change, in: pass).relu(), in: pass).relu()
    let mean = try seen.cast(to: .float32).mean(axes: [2, 3], keepingAxes: true)
    let total = try sum(mean, in: pass).cast(to: .float32).abs()
    return try (1 - (-total).exp()).reshaped(to: [change.shape[0]])
  }

  /// The predicted change, from 0 to 1; nil where it sees motion and too much of that is unknown.
  public func score(at context: FrameContext) throws -> Double? {
    let change: Tensor
    switch sight {
    case .features(let stage):
      change = try context.features(after: stage) - context.features(after: stage, of: .keyframe)
    case .motion:
      let cells = try DownsampledPair(of: context)
      guard try cells.isTold else { return nil }
      change = try cells.change()
    }
    return try withoutGradients { Double(try predict(change, in: .inference).item()) }
  }

  /// Pixels that a cell of what `Sight.motion` sees spans, each way.
  public static let cell = DownsampledPair.side

  /// What `Sight.motion` sees of pictures, N × 3 × h × w on a grid of `cell` pixels each way, the
  /// motion between them in cells, and where it is known, N × h × w bytes: N × `motionChannels` × h
  /// × w.
  public static func change(
    from reference: Tensor, to current: Tensor, along motion: Tensor, known: Tensor?
  ) throws(TensorError) -> Tensor {
    let warped = try reference.warped(along: motion, known: known)
    let shape = current.shape
    let unknown: Tensor
    if let known {
      unknown = try (1 - known.cast(to: .float32)).unsqueezed(axis: 1)
    } else {
      unknown = try .zeros([shape[0], 1, shape[2], shape[3]]).to(current.device)
    }
    return try .concatenate(
      [(current - warped) / 64 * (1 - unknown), motion * (Float(cell) / 16), unknown], axis: 1)
  }
}
