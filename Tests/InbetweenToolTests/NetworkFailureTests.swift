// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

struct NetworkFailureTests {
  let scratch: Scratch
  private let description: String

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 3)
    description = try String(contentsOfFile: Fixtures.network("tiny.yaml"), encoding: .utf8)
  }

  @Test func aNetworkThatIsNotThereIsMissingInput() throws {
    try expect(66, "net.pt", "no such network")
  }

  @Test func aNetworkWithoutItsDescriptionIsMissingInput() throws {
    try copy("tiny.pt", to: "net.pt")
    try expect(66, "net.yaml", "beside it")
  }

  @Test(arguments: [
    ("name: [", "net.yaml", "YAML"), ("", "net.yaml", "the file is empty"),
    ("name: net\n", "output", "must be given"),
  ])
  func aBadDescriptionIsNamedWithItsKey(text: String, first: String, second: String) throws {
    try copy("tiny.pt", to: "net.pt")
    try scratch.write(text, to: "net.yaml")
    try expect(78, first, second)
  }

  @Test func anUnknownKeyIsNamedWithThoseThereAre() throws {
    try copy("tiny.pt", to: "net.pt")
    try scratch.write(
      description.replacingOccurrences(of: "color:", with: "colour:"), to: "net.yaml")
    try expect(78, "input.colour", "color, size, mean, std, scale")
  }

  @Test func moreOrFewerPlanesThanTheDescriptionTellsAreRefused() throws {
    try copy("tiny.pt", to: "net.pt")
    try scratch.write(description.replacingOccurrences(of: ", red]", with: "]"), to: "net.yaml")
    try expect(65, "4 classes", "tells of 3")
  }

  @Test(arguments: [
    ("text", "TorchScript"), ("zero", "TorchScript"), ("cut", "TorchScript"),
    ("weights.pth", "torch.jit.save"), ("pickle.pth", "torch.jit.save"),
  ])
  func whatIsNoTorchScriptIsBadInput(kind: String, words: String) throws {
    try scratch.write(description, to: "net.yaml")
    switch kind {
    case "text": try scratch.write("no network\n", to: "net.pt")
    case "zero": try scratch.write([], to: "net.pt")
    case "cut":
      let whole = try Data(contentsOf: URL(fileURLWithPath: Fixtures.network))
      try scratch.write(Array(whole.prefix(5000)), to: "net.pt")
    default: try copy(kind, to: "net.pt")
    }
    try expect(65, "net.pt", words)
  }

  @Test func aNetworkThatFailsIsTheRunsFailureInOneSentence() throws {
    try copy("broken.pt", to: "net.pt")
    try scratch.write(description, to: "net.yaml")
    try expect(1, "frame 0, backbone", "[7, 7]")
    #expect(try scratch.json("r.json")["status"] as? String == "failed")
  }

  /// By hand: x / (x - x) is no number, and one plane's first cell is minus infinity.
  @Test(arguments: ["not_a_number", "infinite"])
  func scoresThatAreNoNumbersNameTheirFrame(method: String) throws {
    try copy("outputs.pt", to: "net.pt")
    try scratch.write(
      """
      name: net
      input: {color: bgr, mean: [0, 0, 0], std: [255, 255, 255]}
      output: {kind: logits, stride: 1, classes: [a, b, c]}
      stages: [{name: \(method), stride: 1}]
      """, to: "net.yaml")
    try expect(65, "frame 0", "'\(method)'", "NaN or infinite")
    #expect(try scratch.json("r.json")["status"] as? String == "partial")
  }

  private func copy(_ fixture: String, to name: String) throws {
    try FileManager.default.copyItem(
      atPath: Fixtures.network(fixture), toPath: scratch(name))
  }

  private func expect(_ code: Int32, _ words: String...) throws {
    for option in ["", " --overlap"] {
      let outcome = try scratch.inbetween(
        "run clip.mp4 --backbone net.pt --output o.mp4 --json r.json --per-frame f.csv" + option)
      #expect(outcome.code == code, "\(outcome.err)")
      #expect(outcome.errorLines.count == 1)
      for words in words { #expect(outcome.err.contains(words)) }
      #expect(!scratch.has("o.mp4") && !scratch.has("f.csv"))
      #expect(try scratch.names().allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }
}
