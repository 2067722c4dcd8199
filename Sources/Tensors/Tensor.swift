// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// A block of numbers with a shape, shared by reference.
///
/// Images and features are N × C × H × W. An axis may be given from the end: -1 is the last. Where
/// two tensors meet element by element, sizes of one stretch to the other's, as in LibTorch: shapes
/// are compared from the last axis, and an axis of size one, or one that is missing, is repeated.
///
/// No public operation writes to a tensor that exists: each gives a new one, which may share memory
/// with its operand (`reshaped`, `permuted`, slices).
public struct Tensor: Sendable {
  private let owner: Owner

  init(owning handle: ct_tensor_ref) { owner = Owner(handle) }

  var handle: ct_tensor_ref { owner.handle }

  /// Tells this tensor from any other that is alive.
  package var identity: ObjectIdentifier { ObjectIdentifier(owner) }

  /// Releases the handle when the last copy of the tensor goes.
  // Safe to share: the handle never changes, LibTorch counts its references atomically, and nothing
  // writes to the elements but `assign`, whose callers own the parameter they change.
  private final class Owner: @unchecked Sendable {
    let handle: ct_tensor_ref
    init(_ handle: ct_tensor_ref) { self.handle = handle }
    deinit { ct_release(handle) }
  }
}

extension Tensor {
  /// The sizes, outermost axis first; N × C × H × W for images and features.
  public var shape: Shape {
    let handle = handle
    let rank = ct_rank(handle)
    let sizes = [Int64](unsafeUninitializedCapacity: rank) { buffer, count in
      ct_sizes(handle, buffer.baseAddress)
      count = rank
    }
    return Shape(sizes.map(Int.init))
  }

  /// How many axes there are; 0 for a single number.
  public var rank: Int { ct_rank(handle) }

  /// How many elements there are.
  public var count: Int { ct_count(handle) }

  /// How each element is stored.
  public var type: ElementType { ElementType(ct_type_of(handle)) }

  /// Whether the elements lie in the order of the axes without gaps.
  public var isContiguous: Bool { ct_is_packed(handle) != 0 }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the type, without the elements.
  public var description: String { "Tensor(\(shape), \(type))" }
}
