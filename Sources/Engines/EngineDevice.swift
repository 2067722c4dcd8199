// SPDX-License-Identifier: Apache-2.0

/// Where an engine computes.
public enum EngineDevice: Sendable, Hashable, CustomStringConvertible {
  /// The processor.
  case cpu
  /// An NVIDIA processor by its number, through CUDA.
  case cuda(Int)
  /// The same through TensorRT, which compiles the network for it; CUDA computes what TensorRT has
  /// no operator for.
  case tensorRT(Int)

  /// The device called `cpu`, `cuda` (the first one), `cuda:N`, `tensorrt` or `tensorrt:N`; nil for
  /// any other name.
  public init?(_ name: String) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { return nil }
    guard let number = parts.count == 1 ? 0 : UInt8(parts[1]).map(Int.init) else { return nil }
    switch parts[0] {
    case "cpu" where parts.count == 1: self = .cpu
    case "cuda": self = .cuda(number)
    case "tensorrt": self = .tensorRT(number)
    default: return nil
    }
  }

  /// The name that `init(_:)` reads: `cpu`, `cuda:N` or `tensorrt:N`.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let number): "cuda:\(number)"
    case .tensorRT(let number): "tensorrt:\(number)"
    }
  }

  /// The number as C is told it; below 0 for the processor.
  var number: Int32 {
    switch self {
    case .cpu: -1
    case .cuda(let number), .tensorRT(let number): Int32(clamping: number)
    }
  }

  /// Whether TensorRT computes.
  var isTensorRT: Bool { if case .tensorRT = self { true } else { false } }

  /// What a library must have been built with, and what that is called; nil for the processor.
  var provider: (name: String, title: String)? {
    switch self {
    case .cpu: nil
    case .cuda: ("CUDAExecutionProvider", "CUDA")
    case .tensorRT: ("TensorrtExecutionProvider", "TensorRT")
    }
  }
}
