// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tensors

/// How many multiplications, each with its addition, a pass through a network takes.
///
/// Convolutions count outputs × kernel area × inputs/groups; bilinear interpolation and warps count
/// four for each number they give. Normalisations and activations are not counted: they are folded
/// away, or limited by memory.
public final class MACCounter: Sendable {
  /// Where passes through networks write down their work unless they are told another place; nil
  /// where nobody counts.
  @TaskLocal public static var current: MACCounter?

  private let sum = Atomic<Int>(0)
  private let ended = Mutex<[Stage]>([])

  /// What a part of a network took, and what it gave.
  public struct Stage: Hashable, Sendable {
    /// The name that the network gives the stage.
    public let name: String
    /// Pixels of the image that one cell of the output spans, each way.
    public let stride: Int
    /// Multiply-accumulate operations of this stage alone.
    public let macs: Int
    /// N × C × H × W.
    public let output: Shape
  }

  /// A counter at zero.
  public init() {}

  /// Multiply-accumulate operations so far.
  public var macs: Int { sum.load(ordering: .relaxed) }

  /// The stages of the pass, in the order in which they ended.
  public var stages: [Stage] { ended.withLock { $0 } }

  /// Counts more multiply-accumulate operations; any thread may call it.
  public func add(macs count: Int) { sum.wrappingAdd(count, ordering: .relaxed) }

  /// Writes down that the work since the stage before was `name`'s, which gave `output`.
  public func end(_ name: String, stride: Int, giving output: Tensor) {
    ended.withLock { stages in
      let before = stages.reduce(0) { $0 + $1.macs }
      stages.append(
        Stage(
          name: name, stride: stride, macs: macs - before, output: output.shape))
    }
  }
}
