// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

struct ExportTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func aTrainedPropagationIsWrittenInPieces() throws {
    let outcome = try scratch.inbetween(
      "export \(modelFolder)/street-guided --size 64x96 --output mine.onnx --threads 1")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.out.contains("mine-key.onnx: frame → features"))
    #expect(
      outcome.out.contains("mine-fusion.onnx: before, flow_to_key, frame, key_frame → features"))
    // Scores are propagated: nothing comes after them.
    #expect(!scratch.has("mine-rest.onnx") && !scratch.has("mine.yaml"))
    let description = try String(contentsOfFile: scratch("mine-pieces.yaml"), encoding: .utf8)
    #expect(description.contains("file: \"mine-fusion.onnx\""))
    #expect(description.contains("{name: flow_to_key, sizes: [1, 2, 64, 96],"))
    for piece in ["key", "fusion"] {
      #expect(scratch.has("mine-\(piece).onnx"))
    }
  }

  @Test(arguments: [
    ("--tap decoder", 64, "says itself what is propagated"),
    ("--output mine", 64, "must end in .onnx"), ("--size 64", 64, "HEIGHTxWIDTH"),
  ])
  func whatDoesNotFitIsRefused(options: String, code: Int32, words: String) throws {
    let outcome = try scratch.inbetween("export \(modelFolder)/street-guided \(options)")
    #expect(outcome.code == code && outcome.err.contains(words), "\(outcome.err)")
  }

  @Test func aHeadIsWrittenBehindItsNetworkAndAFlowNetworkByItself() throws {
    let head = try scratch.inbetween("export \(modelFolder)/street-detector --size 64x96")
    #expect(head.code == 0 && head.out.contains("image → boxes, scores"), "\(head.err)")
    let description = try String(contentsOfFile: scratch("street-detector.yaml"), encoding: .utf8)
    #expect(description.contains("size: [64, 96]") && description.contains("kind: ssd"))
    let flow = try scratch.inbetween("export \(modelFolder)/flownet-s --size 64x96 --output f.onnx")
    #expect(flow.code == 0 && flow.out.contains("frame, reference → flow"), "\(flow.err)")
    #expect(scratch.has("f.onnx") && !scratch.has("f.yaml"))
    let cut = try scratch.inbetween("export \(modelFolder)/street-detector --tap context")
    #expect(cut.code == 64 && cut.err.contains("as a whole"), "\(cut.err)")
  }

  @Test func nothingIsWrittenWhereNotAllCanBe() throws {
    for (model, folder, file) in [
      ("street-detector", "a.yaml", "a.onnx"), ("street-light", "a-rest.onnx", "a-key.onnx"),
      ("street-guided", "a-pieces.yaml", "a-key.onnx"),
    ] {
      try FileManager.default.createDirectory(
        atPath: scratch(folder), withIntermediateDirectories: true)
      let tap = model == "street-light" ? " --tap context" : ""
      let outcome = try scratch.inbetween(
        "export \(modelFolder)/\(model) --size 64x96 --output a.onnx\(tap)")
      #expect(outcome.code == 73 && outcome.err.contains("\(folder) is a folder"), "\(outcome.err)")
      #expect(!scratch.has(file) && outcome.out.isEmpty)
    }
  }

  @Test func aFolderOfAnotherKindIsRefused() throws {
    let outcome = try scratch.inbetween("export \(modelFolder)/street-change")
    #expect(outcome.code == 64 && outcome.err.contains("networks, heads, flow"), "\(outcome.err)")
  }
}
