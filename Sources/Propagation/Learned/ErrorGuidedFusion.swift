// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// Carried scores where they can be trusted, and those of a branch that sees the frame where the carrying
/// went wrong (as in Zhuang et al., "Video semantic segmentation with distortion-aware feature correction",
/// TCSVT 2021).
///
/// e ⊙ W(branch) + (1 - e) ⊙ carried. Two 3 × 3 convolutions tell the error map e from both
/// probabilities and from both pictures, the reference's as the motion carries it; W is a 1 × 1
/// convolution, first the identity, which brings the branch's scores to the scale of those carried. At first
/// e is a fiftieth everywhere.
public struct ErrorGuidedFusion: LearnedFusion {
  public let parameters: Parameters
  public let branch: any Branch
  private let translation: Conv2d, features: Conv2d, error: Conv2d

  public init(
    classes: Int, with branch: some Branch, width: Int = 32, parameters: Parameters
  ) throws {
    (self.branch, self.parameters) = (branch, parameters)
    let scope = parameters.root
    translation = try Conv2d(
      classes, classes, kernel: 1, initialisation: .identity(times: 1, deviation: 0),
      in: scope["translation"])
    features = try Conv2d(2 * classes + 9, width, kernel: 3, in: scope["features"])
    error = try Conv2d(width, 1, kernel: 3, initialisation: .constant(0), in: scope["error"])
  }

  public func fuse(_ carried: Tensor, given evidence: Evidence, in pass: Pass) throws -> Tensor {
    let seen = try branch.features(of: evidence.picture(.current), in: pass)
      .resized(like: carried, in: pass)
    let wrong = try errors(of: carried, seen: seen, given: evidence, in: pass)
    let translated = try translation(seen, in: pass).cast(to: .float32)
    return try carried + wrong * (translated - carried)
  }

  /// Where the carried scores are wrong, N × 1 × H × W from 0 to 1.
  public func errors(
    of carried: Tensor, given evidence: Evidence, in pass: Pass
  ) throws -> Tensor {
    let seen = try branch.features(of: evidence.picture(.current), in: pass)
      .resized(like: carried, in: pass)
    return try errors(of: carried, seen: seen, given: evidence, in: pass)
  }

  private func errors(
    of carried: Tensor, seen: Tensor, given evidence: Evidence, in pass: Pass
  ) throws -> Tensor {
    let (motion, known) = try evidence.motion(height: carried.shape[2], width: carried.shape[3])
    let pictures = try PictureChange(evidence, along: motion, known: known)
    let input = try pictures.joined(with: carried.softmax(axis: 1), seen.softmax(axis: 1))
    let hidden = try features(input, in: pass).cast(to: .float32).relu()
    // σ(-3.9) is a fiftieth.
    return try (error(hidden, in: pass).cast(to: .float32) - 3.9).sigmoid()
  }
}
