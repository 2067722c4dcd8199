// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// The same elements in the same order under other sizes; one of them may be -1: what is left.
  public func reshaped(to shape: Shape) throws(TensorError) -> Tensor {
    try shim { ct_reshape(handle, shape.sizes, shape.rank, &$0, &$1) }
  }

  /// The axes from `first` to `last` as one.
  public func flattened(from first: Int = 0, through last: Int = -1) throws(TensorError) -> Tensor {
    let sizes = shape.dimensions
    let (start, end) = (first < 0 ? first + rank : first, last < 0 ? last + rank : last)
    guard sizes.indices.contains(start), sizes.indices.contains(end), start <= end else {
      throw TensorError(
        .badArgument, in: #function as StaticString, "\(shape) has no axes \(first) to \(last)")
    }
    let joined = sizes[start...end].reduce(1, *)
    return try reshaped(to: Shape(sizes[..<start] + [joined] + sizes[(end + 1)...]))
  }

  /// The same elements repeated along axes of size one; nothing is copied.
  public func expanded(to shape: Shape) throws(TensorError) -> Tensor {
    try shim { ct_expand(handle, shape.sizes, shape.rank, &$0, &$1) }
  }

  /// The axes in another order; `axes[i]` becomes axis `i`.
  public func permuted(_ axes: Int...) throws(TensorError) -> Tensor {
    try shim { ct_permute(handle, axes.map(Int64.init), axes.count, &$0, &$1) }
  }

  /// Two axes, exchanged.
  public func transposed(_ first: Int = -2, _ second: Int = -1) throws(TensorError) -> Tensor {
    try shim { ct_transpose(handle, Int64(first), Int64(second), &$0, &$1) }
  }

  /// Without an axis of size one.
  public func squeezed(axis: Int) throws(TensorError) -> Tensor {
    try shim { ct_squeeze(handle, Int64(axis), &$0, &$1) }
  }

  /// With a new axis of size one.
  public func unsqueezed(axis: Int) throws(TensorError) -> Tensor {
    try shim { ct_unsqueeze(handle, Int64(axis), &$0, &$1) }
  }

  /// The elements along each of the axes in reverse.
  public func flipped(axes: Int...) throws(TensorError) -> Tensor {
    try shim { ct_flip(handle, axes.map(Int64.init), axes.count, &$0, &$1) }
  }
}

extension Tensor {
  /// The same values with the elements in the order of the axes; the tensor itself where they are.
  public func contiguous() throws(TensorError) -> Tensor {
    try shim { ct_contiguous(handle, 0, &$0, &$1) }
  }

  /// The same N × C × H × W values stored N × H × W × C, which some kernels are faster on.
  public func channelsLast() throws(TensorError) -> Tensor {
    try shim { ct_contiguous(handle, 1, &$0, &$1) }
  }

  /// Whether the elements of this N × C × H × W tensor are stored N × H × W × C.
  public var isChannelsLast: Bool { ct_is_channels_last(handle) != 0 }
}

extension Tensor {
  /// Tensors one after the other along an axis they have; their other sizes are equal.
  public static func concatenate(_ tensors: [Tensor], axis: Int) throws(TensorError) -> Tensor {
    let handles = tensors.map { Optional($0.handle) }
    return try withExtendedLifetime(tensors) { () throws(TensorError) in
      try shim { ct_concatenate(handles, handles.count, Int64(axis), &$0, &$1) }
    }
  }

  /// Tensors of one shape along a new axis.
  public static func stack(_ tensors: [Tensor], axis: Int = 0) throws(TensorError) -> Tensor {
    let handles = tensors.map { Optional($0.handle) }
    return try withExtendedLifetime(tensors) { () throws(TensorError) in
      try shim { ct_stack(handles, handles.count, Int64(axis), &$0, &$1) }
    }
  }

  /// Parts of these sizes along an axis, which they make up.
  public func split(sizes: [Int], axis: Int) throws(TensorError) -> [Tensor] {
    try shims(capacity: sizes.count) { outs, _, failure in
      ct_split(handle, sizes.map(Int64.init), sizes.count, Int64(axis), outs, &failure)
    }
  }

  /// Equal parts along an axis.
  ///
  /// - Throws: `.badShape` where the size of the axis is no multiple of `count`.
  public func chunked(into count: Int, axis: Int) throws(TensorError) -> [Tensor] {
    let index = axis < 0 ? axis + rank : axis
    guard shape.dimensions.indices.contains(index), count > 0, shape[index] % count == 0 else {
      throw TensorError(
        .badShape, in: #function as StaticString,
        "axis \(axis) of \(shape) does not come in \(count) equal parts")
    }
    let size = shape[index] / count
    return try split(sizes: Array(repeating: size, count: count), axis: axis)
  }
}
