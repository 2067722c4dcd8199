// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Where ONNX networks compute, as the tool is told it.
struct DeviceTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.copyItem(
      atPath: "\(fixtures)/Onnx/segmentation.onnx", toPath: scratch("net.onnx"))
    try scratch.write(
      "input: {color: bgr}\noutput: {classes: [a, b, c]}\n", to: "net.yaml")
  }

  // A system's own library may have CUDA: a variable that names none makes it known what is there.
  @Test func aDeviceWithoutItsLibraryIsMissingSoftware() throws {
    try scratch.writeClip(to: "clip.mp4", frames: 2)
    let outcome = try scratch.inbetween(
      "run clip.mp4 --backbone net.onnx --device cuda --output o.mp4",
      environment: ["INBETWEEN_ONNXRUNTIME": scratch("none.so")])
    #expect(outcome.code == 69 && outcome.err.contains("INBETWEEN_ONNXRUNTIME"), "\(outcome.err)")
    #expect(!scratch.has("o.mp4"))
  }

  @Test(arguments: [
    ("net.onnx --device cuda:x", "'cuda:x'"),
    ("net.onnx --device gpu", "cpu, cuda, cuda:N, tensorrt"),
    ("onnx:net.onnx,device=tpu", "'tpu'"), ("net.onnx --device tensorrt:x", "'tensorrt:x'"),
    ("net.pt --device tensorrt", "ONNX networks run on others"),
    ("\(modelFolder)/street-light --device cuda", "ONNX networks run on others"),
    ("net.pt --device cuda:1", "ONNX networks run on others"),
    ("net.pt --device gpu", "cpu, cuda, cuda:N, tensorrt"),
  ])
  func aDeviceThatIsNoneIsAMistake(options: String, words: String) throws {
    let outcome = try scratch.inbetween("config show --backbone \(options)")
    #expect(outcome.code == 64 && outcome.err.contains(words), "\(outcome.err)")
  }

  @Test(arguments: ["net.onnx", "\(modelFolder)/street-light", "truth"])
  func everyNetworkRunsOnTheProcessor(backbone: String) throws {
    let outcome = try scratch.inbetween("config show --backbone \(backbone) --device cpu")
    #expect(outcome.code == 0, "\(outcome.err)")
  }

  @Test func theOptionGoesBeforeTheBackbonesOwn() throws {
    let outcome = try scratch.inbetween(
      "config show --backbone onnx:net.onnx,device=cpu --device cuda:1")
    #expect(outcome.code == 0 && outcome.out.contains("device: cuda:1"), "\(outcome.err)")
  }
}
