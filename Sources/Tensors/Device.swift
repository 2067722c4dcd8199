// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Where the elements of a tensor are, and where operations on it run.
public enum Device: Sendable, Hashable, CustomStringConvertible {
  /// The processor and its main memory.
  case cpu
  /// A CUDA device by its number; it takes a LibTorch that was built for CUDA.
  case cuda(Int)

  /// The device called `cpu`, `cuda` (the first one) or `cuda:N`; nil for any other name.
  public init?(_ name: String) {
    switch name {
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    default:
      guard name.hasPrefix("cuda:"), let index = UInt8(name.dropFirst(5)) else { return nil }
      self = .cuda(Int(index))
    }
  }

  /// The name that `init(_:)` reads: `cpu` or `cuda:N`.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    }
  }

  /// Does nothing where the device is there.
  ///
  /// - Throws: `.noDevice` where the machine, or this LibTorch, has no such device.
  public func requirePresence() throws(TensorError) { _ = try Tensor(0).to(self) }

  var code: Int32 {
    switch self {
    case .cpu: -1
    case .cuda(let index): Int32(clamping: index)
    }
  }
}

extension Tensor {
  /// Where the elements are; operations on them run there.
  public var device: Device {
    let index = ct_device_of(handle)
    return index < 0 ? .cpu : .cuda(Int(index))
  }

  /// The same values on another device; the tensor itself where it is there already.
  ///
  /// - Throws: `.noDevice` where there is none of that number.
  public func to(_ device: Device) throws(TensorError) -> Tensor {
    try shim { ct_move(handle, device.code, &$0, &$1) }
  }
}
