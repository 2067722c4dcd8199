// SPDX-License-Identifier: Apache-2.0

import Engines
import Tensors
import Testing

/// Networks that are to compute on a graphics processor.
///
/// Most machines that test have none: then it is tested that this is said.
@Suite(.enabled(if: InferenceEngine.onnxruntime.isAvailable, "ONNX Runtime is not installed"))
struct EngineDeviceTests {
  private static var hasCUDA: Bool {
    let library = try? InferenceEngine.onnxruntime.library()
    return library?.providers.contains("CUDAExecutionProvider") ?? false
  }

  private let path = "\(networks)/segmentation.onnx"

  @Test func aLibraryTellsWhatItComputesWith() throws {
    let providers = try InferenceEngine.onnxruntime.library().providers
    #expect(providers.contains("CPUExecutionProvider"))
    #expect(providers.allSatisfy { $0.hasSuffix("ExecutionProvider") })
    #expect(Set(providers).count == providers.count)
  }

  @Test(.enabled(if: InferenceEngine.openvino.isAvailable, "OpenVINO is not installed"))
  func openVINONamesTheEngineThatDoes() throws {
    #expect(try InferenceEngine.openvino.library().providers.isEmpty)
    let error = try #require(throws: EngineError.self) {
      try EngineSession(contentsOf: path, engine: .openvino, threads: 1, device: .cuda(0))
    }
    #expect(error.code == .libraryMissing && error.message.contains("--engine onnxruntime"))
  }

  @Test(.enabled(if: !hasCUDA, "this ONNX Runtime has CUDA"), arguments: [0, 3])
  func aLibraryWithoutCUDASaysWhichHasIt(number: Int) throws {
    let device = EngineDevice.cuda(number)
    func refusal(_ call: () throws -> Void) throws -> EngineError {
      try #require(throws: EngineError.self) { try call() }
    }
    let errors = [
      try refusal {
        _ = try EngineSession(contentsOf: path, engine: .onnxruntime, threads: 1, device: device)
      },
      try refusal {
        _ = try EngineChoice.auto.engine(for: path, inputs: [], threads: 1, device: device)
      },
      try refusal {
        _ = try EngineChoice.only(.onnxruntime).engine(
          for: path, inputs: [], threads: 1, device: device)
      },
    ]
    for error in errors {
      #expect(error.code == .libraryMissing)
      for words in [
        "was built without CUDA", "CPUExecutionProvider", "onnxruntime-gpu",
        "INBETWEEN_ONNXRUNTIME names its libonnxruntime.so",
      ] { #expect(error.message.contains(words), "\(error)") }
    }
    // The processor is as it was.
    _ = try EngineSession(contentsOf: path, engine: .onnxruntime, threads: 1, device: .cpu)
  }

  // Built for CUDA, it still needs CUDA's libraries and such a processor.
  @Test(.enabled(if: hasCUDA, "this ONNX Runtime has no CUDA"))
  func whatWasBuiltForCUDAComputesThereOrSaysWhyNot() throws {
    let picture = try drawn([1, 3, 12, 16], seed: 1)
    let there: EngineSession
    do throws(EngineError) {
      there = try EngineSession(
        contentsOf: path, engine: .onnxruntime, threads: 1, device: .cuda(0))
    } catch {
      #expect(error.code == .libraryMissing, "\(error)")
      #expect(error.message.contains("the device cuda:0 cannot be used"), "\(error)")
      return
    }
    let here = try EngineSession(contentsOf: path, engine: .onnxruntime, threads: 1)
    // Graphics processors multiply in fewer bits.
    #expect(try gap(there.run([picture])[0], here.run([picture])[0]) < 1e-2)
  }

  private static var hasTensorRT: Bool {
    let library = try? InferenceEngine.onnxruntime.library()
    return library?.providers.contains("TensorrtExecutionProvider") ?? false
  }

  @Test func namesOfDevicesAreReadAndWritten() {
    for (name, device, written) in [
      ("cpu", EngineDevice.cpu, "cpu"), ("cuda", .cuda(0), "cuda:0"),
      ("cuda:3", .cuda(3), "cuda:3"),
      ("tensorrt", .tensorRT(0), "tensorrt:0"), ("tensorrt:1", .tensorRT(1), "tensorrt:1"),
    ] { #expect(EngineDevice(name) == device && device.description == written) }
    for name in ["", "cpu:0", "cuda:", "cuda:x", "cuda:300", "cuda:0:1", "tensor", "TensorRT"] {
      #expect(EngineDevice(name) == nil, "\(name)")
    }
  }

  @Test func tensorRTComputesOrSaysWhyNot() throws {
    let picture = try drawn([1, 3, 12, 16], seed: 1)
    let there: EngineSession
    do throws(EngineError) {
      there = try EngineSession(
        contentsOf: path, engine: .onnxruntime, threads: 1, device: .tensorRT(0))
    } catch {
      #expect(error.code == .libraryMissing, "\(error)")
      let words =
        Self.hasTensorRT ? "the device tensorrt:0 cannot be used" : "was built without TensorRT"
      #expect(error.message.contains(words), "\(error)")
      return
    }
    let here = try EngineSession(contentsOf: path, engine: .onnxruntime, threads: 1)
    #expect(try gap(there.run([picture])[0], here.run([picture])[0]) < 1e-2)
  }
}
