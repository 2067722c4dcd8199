// SPDX-License-Identifier: Apache-2.0

import Backbone
import Flow
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

struct InspectTests {
  let scratch: Scratch
  private let spec = """
    name: small
    input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
    classes: [dark, blue, green, red]
    network:
      encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
      context: {kind: pyramid, channels: 16, bins: [1, 2]}
      decoder: [{stride: 4, channels: 8}]
    """

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("net"), withIntermediateDirectories: true)
    try scratch.write(spec, to: "net/spec.yaml")
  }

  @Test func everyStageIsCounted() throws {
    let result = try inspect("net --size 64x96")
    #expect(result["kind"] as? String == "segmentation" && result["trained"] as? Bool == false)
    #expect(result["size"] as? [Int] == [64, 96])
    let stages = try #require(result["stages"] as? [[String: Any]])
    #expect(
      stages.map { $0["name"] as? String } == [
        "stem", "layer1", "layer2", "layer3", "layer4", "context", "decoder", "classifier",
        "head",
      ])
    #expect(stages.map { $0["stride"] as? Int } == [2, 4, 8, 16, 16, 16, 4, 4, 1])
    #expect(
      stages.map { $0["output"] as? [Int] } == [
        [8, 32, 48], [8, 16, 24], [16, 8, 12], [32, 4, 6], [64, 4, 6], [16, 4, 6], [8, 16, 24],
        [4, 16, 24], [4, 64, 96],
      ])
    // By hand: a 7×7 convolution with its scale and shift; two 3×3 and theirs; a 1×1 with bias.
    let counts = stages.map { $0["parameters"] as? Int }
    #expect(counts[0] == 3 * 8 * 49 + 16 && counts[1] == 2 * (8 * 8 * 9 + 16))
    #expect(counts[7] == 8 * 4 + 4 && counts[8] == 0)
    let work = stages.map { $0["macs"] as? Int }
    #expect(work[0] == 32 * 48 * 8 * 3 * 49 && work[1] == 2 * 16 * 24 * 8 * 8 * 9)
    // Lateral 1×1, four a number of what is interpolated, the 3×3; scores; their interpolation.
    #expect(work[6] == 16 * 24 * (8 * 16 + 4 * 16 + 16 * 8 * 9))
    #expect(work[7] == 16 * 24 * 8 * 4 && work[8] == 4 * 4 * 64 * 96)
    #expect(result["parameters"] as? Int == counts.reduce(0) { $0 + ($1 ?? 0) })
    #expect(result["macs"] as? Int == work.reduce(0) { $0 + ($1 ?? 0) })
  }

  @Test func headsOfStagesAreCountedAsOneStage() throws {
    let decoder = "decoder: [{stride: 4, channels: 8}]"
    try scratch.write(
      spec.replacingOccurrences(of: decoder, with: "score_heads: [layer3, layer2]"),
      to: "net/spec.yaml")
    let result = try inspect("net --size 64x96")
    let stages = try #require(result["stages"] as? [[String: Any]]).suffix(3)
    #expect(stages.map { $0["name"] as? String } == ["classifier", "scores", "head"])
    #expect(stages.map { $0["stride"] as? Int } == [16, 8, 1])
    #expect(stages.map { $0["output"] as? [Int] } == [[4, 4, 6], [4, 8, 12], [4, 64, 96]])
    // By hand: a 1×1 convolution each, and four a number of what is interpolated, once.
    #expect(
      stages.map { $0["parameters"] as? Int } == [16 * 4 + 4, (32 + 16) * 4 + 2 * 4, 0])
    let work = 4 * 6 * 32 * 4 + 8 * 12 * (16 * 4 + 4 * 4)
    #expect(stages.map { $0["macs"] as? Int } == [4 * 6 * 16 * 4, work, 4 * 4 * 64 * 96])
  }

  @Test func whatCarriesIsCountedForAFrameThatIsNoKey() throws {
    try FileManager.default.createDirectory(
      atPath: scratch("part"), withIntermediateDirectories: true)
    let head = 4 * 4 * 64 * 96
    try scratch.write(
      "name: p\nbackbone: ../net\npropagation: {kind: difference, size: 3}\n",
      to: "part/spec.yaml")
    let difference = try inspect("part --size 64x96")
    #expect(difference["kind"] as? String == "propagation")
    #expect(difference["parameters"] as? Int == 4 * 7 * 9 + 4)
    #expect(difference["macs"] as? Int == 16 * 24 * 4 * 7 * 9 + head)
    // The stem of the frame itself; both frames' reductions, resized; the mixture; 9 kernels; 9
    // taps.
    try scratch.write(
      """
      name: p
      backbone: ../net
      tap: decoder
      propagation: {kind: variant-convolution, after: stem, size: 3, channels: 4}
      """, to: "part/spec.yaml")
    let variant = try inspect("part --size 64x96")
    let (fine, grid) = (32 * 48, 16 * 24)
    let carrying =
      2 * (fine * 8 * 4 * 9 + 4 * 4 * grid) + grid * (8 * 4 * 9 + 4 * 9) + grid * 8 * 9
    #expect(
      variant["macs"] as? Int
        == fine * 8 * 3 * 49 + carrying + grid * 8 * 4 + head)
    let stages = try #require(variant["stages"] as? [[String: Any]])
    #expect(
      stages.map { $0["name"] as? String } == ["stem", "carry", "classifier", "head"])
  }

  @Test func theTableEndsWithTheTotals() throws {
    let outcome = try scratch.inbetween("inspect net --size 64x96")
    #expect(outcome.code == 0 && outcome.err.isEmpty)
    let lines = outcome.out.split(separator: "\n")
    #expect(lines.first == "net: segmentation, not trained, a picture of 64×96")
    let total = try #require(lines.last?.split(separator: " "))
    let result = try inspect("net --size 64x96")
    #expect(total[0] == "total" && Int(total[1]) == result["parameters"] as? Int)
    #expect(lines.count == 12)
  }

  @Test func aTrainedNetworkIsReadAndRuns() throws {
    try writeWeights()
    #expect(try inspect("net --size 48x64")["trained"] as? Bool == true)
    try scratch.writeClip(to: "clip.mp4", frames: 4)
    let run = try scratch.inbetween("run clip.mp4 --backbone net --labels maps --json r.json")
    #expect(run.code == 0 && run.err.isEmpty, "\(run.err)")
    #expect(try scratch.names("maps").count == 4)
    let tapped = try scratch.inbetween("run clip.mp4 --backbone net --tap context --labels b")
    #expect(tapped.code == 0 || tapped.errorLines.count == 1, "\(tapped.err)")
  }

  @Test func weightsWouldNotBeOverwritten() throws {
    try writeWeights()
    try scratch.writeClip(to: "clip.mp4", frames: 2)
    let line = "run clip.mp4 --backbone net --json net/weights.safetensors"
    #expect(try scratch.inbetween(line).code == 64)
  }

  @Test func tensorsOfAFileAreListed() throws {
    try writeWeights()
    let result = try inspect("net/weights.safetensors")
    #expect(result["kind"] as? String == "tensors")
    let tensors = try #require(result["tensors"] as? [[String: Any]])
    let first = try #require(tensors.first)
    #expect(first["name"] as? String == "classifier.bias" && first["shape"] as? [Int] == [4])
    #expect(first["type"] as? String == "F16")
    let outcome = try scratch.inbetween("inspect net/weights.safetensors")
    #expect(outcome.out.contains("classifier.weight") && outcome.out.contains("4×8×1×1"))
  }

  @Test func aFlowNetworkIsCountedToo() throws {
    try FileManager.default.createDirectory(
      atPath: scratch("flow"), withIntermediateDirectories: true)
    let spec = "name: flow\nnetwork: {kind: flownet-s, width: 0.125, steps: [2]}\n"
    try scratch.write(spec, to: "flow/spec.yaml")
    let result = try inspect("flow --size 64x128")
    #expect(result["kind"] as? String == "flow")
    let stages = try #require(result["stages"] as? [[String: Any]])
    #expect(stages.first?["output"] as? [Int] == [8, 16, 32])
    #expect(stages.first?["macs"] as? Int == 16 * 32 * 8 * 6 * 49)
    #expect(stages.first?["parameters"] as? Int == 8 * 6 * 49 + 8)
    #expect(stages.last?["output"] as? [Int] == [2, 64, 128])
    let counts = stages.map { $0["parameters"] as? Int ?? 0 }
    #expect(result["parameters"] as? Int == counts.reduce(0, +))
  }

  @Test func aTorchScriptFileTellsItsMethodsAndParameters() throws {
    // Convolutions at 12 × 16 by hand: 3×3 of each of three planes and 1×1 to four; 3×3 of three
    // planes to eight at half the size and 1×1 to four.
    for (name, parameters, methods, macs) in [
      ("tiny", 46, ["forward"], 12 * 16 * (27 + 12)),
      ("staged", 260, ["forward", "features", "scores"], 6 * 8 * (27 * 8 + 8 * 4)),
      ("depth", 0, ["forward"], 0),
      // Transposed 2×2 of three planes to four; dilated 3×3 of two to three, twice; 42 rows of 7 to
      // 5; these by themselves.
      (
        "products", 206, ["forward"],
        12 * 16 * 3 * 16 + 24 * 32 * 6 * 18 + 42 * 7 * 5 + 42 * 5 * 42
      ),
    ] {
      try FileManager.default.copyItem(
        atPath: Fixtures.network("\(name).pt"), toPath: scratch("\(name).pt"))
      let result = try inspect("\(name).pt --size 12x16")
      #expect(result["kind"] as? String == "torchscript")
      #expect(result["macs"] as? Int == macs && result["size"] as? [Int] == [1, 3, 12, 16])
      #expect(result["parameters"] as? Int == parameters)
      #expect(result["methods"] as? [String] == methods)
    }
    // What takes no picture says why, beside the rest.
    try FileManager.default.copyItem(
      atPath: Fixtures.network("broken.pt"), toPath: scratch("broken.pt"))
    let broken = try inspect("broken.pt")
    #expect(broken["macs"] == nil && broken["parameters"] as? Int == 0)
    #expect((broken["macs_unknown"] as? String)?.contains("is invalid for input") == true)
    try scratch.write("PK\u{3}\u{4} and no more", to: "cut.pt")
    let outcome = try scratch.inbetween("inspect cut.pt")
    #expect(outcome.code == 65 && outcome.errorLines.count == 1)
  }

  @Test(arguments: [
    ("none", 66, "no such file"), (".", 66, "holds no network"), ("net --size 0x9", 64, "--size"),
    ("net --size 64", 64, "HEIGHTxWIDTH"), ("text", 65, "neither a network nor a safetensors"),
    ("bad", 78, "bad/spec.yaml: name must be given"),
  ])
  func whatCannotBeInspectedIsOneSentence(line: String, code: Int32, words: String) throws {
    try scratch.write("no tensors at all", to: "text")
    try FileManager.default.createDirectory(
      atPath: scratch("bad"), withIntermediateDirectories: true)
    try scratch.write(spec.replacing("name: small\n", with: ""), to: "bad/spec.yaml")
    let outcome = try scratch.inbetween("inspect \(line)")
    #expect(outcome.code == code, "\(outcome.err)")
    #expect(outcome.errorLines.count == 1 && outcome.err.contains(words), "\(outcome.err)")
  }

  private func inspect(_ line: String) throws -> [String: Any] {
    let outcome = try scratch.inbetween("inspect \(line) --json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8))
    return try #require(object as? [String: Any])
  }

  private func writeWeights() throws {
    let network = try NetworkFolder(at: scratch("net")).drawnNetwork()
    let tensors = try network.parameters.all.map { ($0.name, try $0.tensor.cast(to: .float16)) }
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: tensors), to: scratch("net/weights.safetensors"))
  }
}
