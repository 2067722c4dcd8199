// SPDX-License-Identifier: Apache-2.0
internal import CTorch

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
