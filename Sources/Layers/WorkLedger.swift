// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tensors

/// How many multiplications, each with its addition, a pass through a network takes.
///
/// Convolutions count outputs × kernel area × inputs/groups; bilinear interpolation and warps count
/// four for each number they give. Normalisations and activations are not counted: they are folded
/// away, or limited by memory.
public final class WorkLedger: Sendable {
  /// Where passes through networks write down their work unless they are told another place; nil where nobody counts.
  @TaskLocal public static var current: WorkLedger?

  private let sum = Atomic<Int>(0)
  private let ended = Mutex<[Stage]>([])

  /// What a part of a network took, and what it gave.
  public struct Stage: Hashable, Sendable {
    public let name: String
    /// Pixels of the image that one cell of the output spans, each way.
    public let stride: Int
    public let multiplyAdds: Int
    /// N × C × H × W.
    public let output: Shape
  }

  public init() {}

  public var multiplyAdds: Int { sum.load(ordering: .relaxed) }

  /// The stages of the pass, in the order in which they ended.
  public var stages: [Stage] { ended.withLock { $0 } }

  public func add(multiplyAdds count: Int) { sum.wrappingAdd(count, ordering: .relaxed) }

  /// Writes down that the work since the stage before was `name`'s, which gave `output`.
  public func end(_ name: String, stride: Int, giving output: Tensor) {
    ended.withLock { stages in
      let before = stages.reduce(0) { $0 + $1.multiplyAdds }
      stages.append(
        Stage(
          name: name, stride: stride, multiplyAdds: multiplyAdds - before, output: output.shape))
    }
  }
}
