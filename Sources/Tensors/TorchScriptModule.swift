// SPDX-License-Identifier: Apache-2.0
internal import CTorch
internal import Outputs

/// A network in a TorchScript archive, in evaluation mode, run without gradients.
///
/// Archives are what `torch.jit.save` of today's PyTorch writes. They hold programs, so only files
/// from people one would run a program from should be loaded. Copies share the network, and tasks
/// can call it side by side; calls take turns where the program writes to itself, as one that
/// counts does.
public struct TorchScriptModule: Sendable {
  private let owner: Owner

  /// Releases the module when its last copy goes.
  // Safe to share: in evaluation mode without gradients a program only reads its parameters, frozen
  // or not, and LibTorch's interpreter keeps each call's state to itself. Calls of a program that
  // may write to itself all the same, which its graph tells, take turns.
  private final class Owner: @unchecked Sendable {
    let handle: ct_module_ref
    init(_ handle: ct_module_ref) { self.handle = handle }
    deinit { ct_module_release(handle) }
  }

  /// What is done to the program once, so that it runs faster every time.
  public struct Options: OptionSet, Sendable {
    /// One bit for each option.
    public let rawValue: UInt8
    /// The options whose bits are set; unknown bits change nothing.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Parameters become constants, and what depends on them alone is computed at once.
    public static let frozen = Options(rawValue: 1)
    /// Convolutions take the layouts and the fused forms of oneDNN; the network is frozen first.
    public static let optimized = Options(rawValue: 2)
    /// N × C × H × W inputs are brought to N × H × W × C in memory first, and outputs may come so.
    ///
    /// With `frozen` alone it suits networks of many small operations between their convolutions;
    /// `optimized` suits those that are convolutions, folded normalisation and little else.
    public static let channelsLast = Options(rawValue: 4)
  }

  /// Reads an archive.
  ///
  /// - Throws: `.badFile` where the file is missing, damaged, or no TorchScript archive.
  public init(
    contentsOf path: String, options: Options = [.frozen, .optimized]
  ) throws(TensorError) {
    try TorchScriptArchive.check(path)
    var handle: ct_module_ref?
    let choices = ct_module_options(
      freeze: options.contains(.frozen) ? 1 : 0, optimize: options.contains(.optimized) ? 1 : 0,
      channels_last: options.contains(.channelsLast) ? 1 : 0)
    try check("TorchScriptModule.init") { ct_module_load(path, choices, &handle, &$0) }
    guard let handle else {
      throw TensorError(
        .unknown, in: "TorchScriptModule.init" as StaticString, "a load that succeeded gave nothing"
      )
    }
    owner = Owner(handle)
  }

  /// Calls a method; its result is a tensor, or a tuple or list of tensors, taken in order.
  public func callAsFunction(
    _ inputs: Tensor..., method: String = "forward"
  ) throws(TensorError) -> [Tensor] {
    try call(method, inputs)
  }

  /// Calls a method; its result is a tensor, or a tuple or list of tensors, taken in order, or a
  /// dictionary, of which the value called `key` is taken, or the only one.
  public func call(
    _ method: String, _ inputs: [Tensor], key: String? = nil
  ) throws(TensorError) -> [Tensor] {
    guard !Faults.fails(at: .engine) else {
      throw TensorError(.unknown, in: #function, "the network failed: a test makes it")
    }
    let handles = inputs.map { Optional($0.handle) }
    return try withExtendedLifetime(inputs) { () throws(TensorError) in
      try shims(capacity: 64) { outs, count, failure in
        ct_module_call(
          owner.handle, method, handles, handles.count, key, outs, count, &count, &failure)
      }
    }
  }

  /// Multiply-adds of one call of a method: of its convolutions and products of matrices, as
  /// LibTorch runs them one by one.
  public func macs(of method: String, _ inputs: [Tensor]) throws(TensorError) -> Int {
    let handles = inputs.map { Optional($0.handle) }
    var macs: Int64 = 0
    try withExtendedLifetime(inputs) { () throws(TensorError) in
      try check(#function) {
        ct_module_macs(owner.handle, method, handles, handles.count, &macs, &$0)
      }
    }
    return Int(macs)
  }

  /// The methods that can be called.
  public func methods() throws(TensorError) -> [String] {
    let capacity = 65536
    var text = [CChar](repeating: 0, count: capacity)
    try check(#function) { ct_module_methods(owner.handle, &text, capacity, &$0) }
    let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// How many numbers the archive's parameters hold, before anything is folded into anything.
  public var parameterCount: Int { Int(ct_module_parameter_count(owner.handle)) }
}
