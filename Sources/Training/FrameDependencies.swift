// SPDX-License-Identifier: Apache-2.0
internal import Layers
public import Tensors

/// How alike each cell of one map is to each of another: cosines, N × cells × cells.
///
/// Maps are N × C × H × W, of any two sizes; row i, column j is of cell i of `features` and cell j
/// of `others`, counted row by row. A cell of zeros is like nothing.
public func cosineSimilarities(
  _ features: Tensor, _ others: Tensor
) throws(TensorError) -> Tensor {
  func directions(_ map: Tensor) throws(TensorError) -> Tensor {
    let cells = try map.reshaped(to: [map.shape[0], map.shape[1], map.shape[2] * map.shape[3]])
    let square = try (cells * cells).sum(axes: [1], keepingAxes: true)
    return try cells / (square + 1e-12).sqrt()
  }
  return try directions(features).transposed().matmul(directions(others))
}

/// How far a student is from a teacher in what it finds alike between two frames: the pair-wise
/// frame dependency of ETC (Liu et al., ECCV 2020, section 3.3).
///
/// The mean square difference of the two networks' `cosineSimilarities`. Both frames' features are
/// N × C × H × W, on one grid for both networks; the number of channels is each network's own. No
/// gradient flows to the teacher.
public func pairwiseDependencyDistance(
  _ student: (Tensor, Tensor), from teacher: (Tensor, Tensor)
) throws(TensorError) -> Tensor {
  let taught = try cosineSimilarities(teacher.0.detached(), teacher.1.detached())
  return try featureDistance(cosineSimilarities(student.0, student.1), from: taught)
}

/// How far a student is from a teacher in how likeness within a frame goes on from frame to frame:
/// the multi-frame dependency of ETC (Liu et al., ECCV 2020, section 3.3).
///
/// Each frame's similarities of its cells with each other are a picture of one channel, and a
/// convolutional long short-term memory of four channels reads them in turn; the distance is the
/// mean square difference of what it gives and keeps after the last. The memory is the same for
/// both networks. The authors' program also trains it to tell them apart; here it stays as it was
/// drawn.
public struct MultiFrameDependency: Sendable {
  private static let channels = 4
  private let gates: Conv2d

  /// A memory drawn by a seed.
  public init(seed: UInt64 = 1, device: Device = .cpu) throws {
    let parameters = Parameters(seed: seed, device: device)
    gates = try Conv2d(
      1 + Self.channels, 4 * Self.channels, kernel: 3, in: parameters.root["gates"])
  }

  /// The distance of successive frames' features, each N × C × H × W, on one grid for both
  /// networks; no gradient flows to the teacher.
  ///
  /// - Precondition: there are as many frames of both, at least one.
  public func distance(
    _ student: [Tensor], from teacher: [Tensor]
  ) throws(TensorError) -> Tensor {
    precondition(
      student.count == teacher.count && !student.isEmpty,
      "\(student.count) frames of a student and \(teacher.count) of a teacher")
    return try featureDistance(memory(of: student), from: memory(of: teacher))
  }

  /// What is given and kept after the last frame, N × 8 × cells × cells.
  private func memory(of frames: [Tensor]) throws(TensorError) -> Tensor {
    var state: (output: Tensor, memory: Tensor)?
    for frame in frames {
      let seen = try cosineSimilarities(frame, frame).unsqueezed(axis: 1)
      let nothing = try Tensor.zeros(
        [seen.shape[0], Self.channels, seen.shape[2], seen.shape[3]]
      ).to(seen.device)
      let before = state ?? (nothing, nothing)
      let parts = try gates(.concatenate([seen, before.output], axis: 1), in: .inference)
        .chunked(into: 4, axis: 1)
      let kept = try (parts[1] + 1).sigmoid() * before.memory
      let memory = try kept + parts[0].sigmoid() * parts[2].tanh()
      state = (try parts[3].sigmoid() * memory.tanh(), memory)
    }
    guard let state else { preconditionFailure("no frames") }
    return try .concatenate([state.output, state.memory], axis: 1)
  }
}
