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
    let device = Device.cuda(number)
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
}
