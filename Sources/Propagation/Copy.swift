// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// Features stay where they were: the baseline every other propagator has to beat.
public struct Copy: Propagator {
  public let reference = MotionReference.key
  public var usesFlow: Bool { false }

  public init() {}

  public func callAsFunction(_ cached: Tensor, given _: Evidence) -> Tensor { cached }
}

extension Propagator where Self == Copy {
  /// Features stay where they were.
  public static var copy: Self { .init() }
}
