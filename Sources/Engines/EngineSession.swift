// SPDX-License-Identifier: Apache-2.0
internal import CEngines
internal import Foundation
public import Tensors

/// In how many bits an engine computes.
public enum EnginePrecision: String, Sendable, Hashable, CaseIterable {
  /// In those of the file, which are usually 32.
  case single
  /// In fewer where the engine finds that faster on this processor: OpenVINO in bfloat16 where
  /// there are instructions for it, as it usually does by itself.
  ///
  /// ONNX Runtime computes as the file says.
  case reduced
}

/// A model that an engine has read and made ready, to be run any number of times.
///
/// Copies share the model, and tasks can call it side by side: a call's inputs, outputs and what
/// lies between are its own.
public struct EngineSession: Sendable {
  /// What runs it.
  public let engine: InferenceEngine
  /// What each call is given, in order.
  public let inputs: [EnginePort]
  /// What there is to be computed.
  public let outputs: [EnginePort]
  private let owner: Owner

  /// Releases the session when its last copy goes.
  // Safe to share: ONNX Runtime's `Run` may be called from several threads at once, and the C side
  // gives each call of OpenVINO an inference request of its own.
  private final class Owner: @unchecked Sendable {
    let handle: ce_session_ref
    init(_ handle: ce_session_ref) { self.handle = handle }
    deinit { ce_session_release(handle) }
  }

  /// Reads the model at `path`; a call takes at most `threads` threads, the caller's among them.
  ///
  /// It computes in the precision of the file unless a `reduced` one is allowed, and on the
  /// processor unless another `device` is named, where what that has no operator for stays on the
  /// processor. The file is handed to the engine as it is; `OnnxModel.check` looks at it first.
  ///
  /// - Throws: `.libraryMissing` where there is no engine, or none for that device; `.badModel` for
  ///   what it does not read.
  public init(
    contentsOf path: String, engine: InferenceEngine, threads: Int,
    precision: EnginePrecision = .single, device: EngineDevice = .cpu
  ) throws(EngineError) {
    try self.init(engine, threads, precision, device) { kind, options, handle, failure in
      ce_session_open(kind, path, nil, 0, options, &handle, &failure)
    }
  }

  /// Reads a model that is in memory.
  ///
  /// - Throws: `.libraryMissing` where there is no engine, or none for that device; `.badModel` for
  ///   what it does not read.
  public init(
    model bytes: [UInt8], engine: InferenceEngine, threads: Int,
    precision: EnginePrecision = .single, device: EngineDevice = .cpu
  ) throws(EngineError) {
    try self.init(engine, threads, precision, device) { kind, options, handle, failure in
      bytes.withUnsafeBytes {
        ce_session_open(kind, nil, $0.baseAddress, $0.count, options, &handle, &failure)
      }
    }
  }

  /// Reads a model that was looked at: its file, so that weights beside that are found, unless
  /// something of it was replaced.
  ///
  /// - Throws: `.libraryMissing` where there is no engine, or none for that device; `.badModel` for
  ///   what it does not read.
  package init(
    _ model: OnnxModel, engine: InferenceEngine, threads: Int,
    precision: EnginePrecision = .single, device: EngineDevice = .cpu
  ) throws(EngineError) {
    if model.isAsInFile, let path = model.path {
      try self.init(
        contentsOf: path, engine: engine, threads: threads, precision: precision, device: device)
    } else {
      try self.init(
        model: model.bytes, engine: engine, threads: threads, precision: precision, device: device)
    }
  }

  private init(
    _ engine: InferenceEngine, _ threads: Int, _ precision: EnginePrecision, _ device: EngineDevice,
    _ open: (ce_kind, ce_options, inout ce_session_ref?, inout ce_error) -> ce_code
  ) throws(EngineError) {
    try engine.requireDevice(device)
    var handle: ce_session_ref?
    let options = ce_options(
      threads: Int32(clamping: threads), waits_awake: Self.coresAreFree ? 1 : 0,
      reduces_precision: precision == .reduced ? 1 : 0, cuda_device: device.number,
      uses_tensorrt: device.isTensorRT ? 1 : 0)
    do throws(EngineError) { try check { open(engine.kind, options, &handle, &$0) } } catch {
      if error.code == .badModel { throw engine.refusal(error) }
      // The library is open: what is missing then is something of the device's.
      guard error.code == .libraryMissing, device != .cpu else { throw error }
      throw EngineError(.libraryMissing, "the device \(device) cannot be used: \(error.message)")
    }
    guard let handle else { throw EngineError(.failed, "a call that succeeded gave no session") }
    owner = Owner(handle)
    self.engine = engine
    inputs = (0..<ce_input_count(handle)).map {
      EnginePort(ce_input_name(handle, $0), ce_input_view(handle, $0))
    }
    outputs = (0..<ce_output_count(handle)).map {
      EnginePort(ce_output_name(handle, $0), ce_output_view(handle, $0))
    }
  }

  /// Whether fewer than twice as many processes want to run as there are cores, as the system's
  /// load of the last minute says.
  private static var coresAreFree: Bool {
    var load = 0.0
    return getloadavg(&load, 1) < 1
      || load < 2 * Double(ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Computes outputs from all inputs, in the order of `inputs`.
  ///
  /// `wanted` are places in `outputs`; nil for all of them. An input of another element type than
  /// the model's is converted, rounded and clamped where the model takes integers. Floating-point
  /// outputs of 16 and 32 bits, bytes and 64-bit integers are read in place; other types come as
  /// the nearest of these.
  ///
  /// - Throws: `EngineError` where inputs do not fit or the engine fails, `TensorError` where an
  ///   output cannot be taken over.
  public func run(_ tensors: [Tensor], wanted: [Int]? = nil) throws -> [Tensor] {
    guard tensors.count == inputs.count else {
      throw EngineError(
        .badArgument, "\(tensors.count) inputs for a network that takes \(inputs.count)")
    }
    let elements = try zip(tensors, inputs).map { try EngineInput($0, for: $1) }
    let places = wanted ?? Array(outputs.indices)
    var values = [ce_value_ref?](repeating: nil, count: places.count)
    do {
      try withViews(of: elements[...]) { views in
        try check { failure in
          ce_session_run(owner.handle, views, views.count, places, places.count, &values, &failure)
        }
      }
    } catch let error as EngineError where error.code == .badModel {
      // OpenVINO makes a model ready when it knows the sizes of its inputs.
      throw engine.refusal(error)
    }
    // Every value has an owner before the first of them can fail to become a tensor.
    let owners = values.compactMap { $0.map(EngineOutput.init) }
    return try owners.map { try $0.tensor() }
  }

  /// Calls `body` with what C needs to know of every input, each held in memory meanwhile.
  private func withViews<Result>(
    of elements: ArraySlice<EngineInput>, after views: [ce_view] = [],
    _ body: ([ce_view]) throws -> Result
  ) throws -> Result {
    guard let first = elements.first else { return try body(views) }
    return try first.withView { view in
      try withViews(of: elements.dropFirst(), after: views + [view], body)
    }
  }
}

extension InferenceEngine {
  /// A refusal of a model, with the way out where it is rather the engine's than the file's fault.
  ///
  /// OpenVINO's own words seldom tell: it refuses outputs that it finds empty before it computes,
  /// as rows that a suppression chooses from constants.
  fileprivate func refusal(_ error: EngineError) -> EngineError {
    guard self == .openvino else { return error }
    return EngineError(
      .badModel, "\(error.message); if the file is sound, --engine onnxruntime may run it")
  }
}
