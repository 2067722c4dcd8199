// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How many multiplications, each with its addition, a pass through a network takes.
///
/// Convolutions count outputs × kernel area × inputs/groups; bilinear interpolation and warps count
/// four for each number they give. Normalisations and activations are not counted: they are folded
/// away, or limited by memory.
public final class WorkLedger: Sendable {
  private let sum = Atomic<Int>(0)

  public init() {}

  public var multiplyAdds: Int { sum.load(ordering: .relaxed) }

  public func add(multiplyAdds count: Int) { sum.wrappingAdd(count, ordering: .relaxed) }
}
