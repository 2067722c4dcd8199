// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tensors

/// What a pass through a network is for.
///
/// Batch normalisation and dropout do one thing while a network is trained and another when it is
/// used; convolutions may be computed at lower precision than their weights are kept.
public struct ForwardContext: Sendable {
  /// Whether normalisations take the batch's statistics, and dropout drops.
  public let isTraining: Bool
  /// What convolutions are computed in: `.float32` or `.bfloat16`.
  ///
  /// The latter halves the traffic and, on processors with instructions for it, the time. Sums are
  /// taken in single precision either way.
  public let precision: ElementType
  /// Where the work of the pass is written down; nil where nobody counts.
  public let ledger: MACCounter?
  private let noise: Noise

  private final class Noise: Sendable {
    let next: Atomic<UInt64>
    init(seed: UInt64) { next = Atomic(seed) }
  }

  /// The network as it is used; its work is written down where `MACCounter.current` says.
  public static var inference: ForwardContext {
    ForwardContext(isTraining: false, precision: .float32, seed: 0, ledger: MACCounter.current)
  }

  /// The network as it is used, with its work written down in `ledger`.
  public static func counting(in ledger: MACCounter) -> ForwardContext {
    ForwardContext(isTraining: false, precision: .float32, seed: 0, ledger: ledger)
  }

  /// The network as it is trained; what is random in it follows from `seed`.
  public static func training(seed: UInt64, precision: ElementType = .float32) -> ForwardContext {
    ForwardContext(isTraining: true, precision: precision, seed: seed)
  }

  private init(
    isTraining: Bool, precision: ElementType, seed: UInt64, ledger: MACCounter? = nil
  ) {
    (self.isTraining, self.precision, self.ledger) = (isTraining, precision, ledger)
    noise = Noise(seed: seed)
  }

  /// A seed that no other layer of this pass gets; layers ask in the order in which they run.
  func nextSeed() -> UInt64 {
    noise.next.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).oldValue
  }
}
