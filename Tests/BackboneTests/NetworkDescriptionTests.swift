// SPDX-License-Identifier: Apache-2.0

import Backbone
import Glibc
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct NetworkDescriptionTests {
  private let good = """
    name: net
    input:
      color: rgb
      size: [360, 480]
      mean: [1, 2.5, 3]
      std: [4, 5, 6]
      scale: 0.5
    output:
      kind: logits
      stride: 8
      classes: camvid11
      void: 11
    """

  @Test func everyKeyArrives() throws {
    let description = try NetworkDescription(yaml: good)
    #expect(description.name == "net")
    #expect(description.input.size == PixelSize(width: 480, height: 360))
    #expect(
      description.input.scaling
        == PixelScaling(
          mean: [1, 2.5, 3], deviation: [4, 5, 6], scale: [0.5, 0.5, 0.5], order: .rgb))
    #expect(description.outputStride == 8)
    #expect(description.classes.names == ClassList.camVid.names)
    #expect(description.classes.void == 11)
    #expect(description.stages == [])
  }

  @Test func stagesComeInOrder() throws {
    let staged = good + "\nstages:\n  - {name: low, stride: 4}\n  - {name: high, stride: 8}\n"
    #expect(
      try NetworkDescription(yaml: staged).stages == [
        Stage("low", stride: 4), Stage("high", stride: 8),
      ])
  }

  @Test func aSizeMayBeLeftOut() throws {
    let any = good.replacing("  size: [360, 480]\n", with: "")
    #expect(try NetworkDescription(yaml: any).input.size == nil)
  }

  @Test(arguments: [
    ("name: net", "nam: net", "nam unknown"),
    ("color: rgb", "color: yuv", "input.color must be one of bgr, rgb"),
    ("size: [360, 480]", "size: [360]", "input.size must be given, as 2 numbers"),
    ("size: [360, 480]", "size: [360, 1e9]", "input.size is [height, width], each 1…16384"),
    ("std: [4, 5, 6]", "std: [4, 0, 6]", "input.std must be positive"),
    ("scale: 0.5", "scale: .nan", "input.scale must be given, as a number"),
    ("scale: 0.5", "scle: 0.5", "input.scle unknown"),
    ("stride: 8", "stride: 0", "output.stride must be given, as a whole number of 1…256"),
    ("classes: camvid11", "classes: camvid", "output.classes: no 'camvid'"),
    ("mean: [1, 2.5, 3]", "mean: [1, 2.5, 1e308]", "a number that is not finite"),
    ("std: [4, 5, 6]", "std: [4, 5, 1e-46]", "input.std must be positive"),
    ("std: [4, 5, 6]", "std: [4, 5, 1e308]", "input.mean std and scale make all pixels equal"),
    ("std: [4, 5, 6]", "std: [4, 5, 1e-38]", "a number that is not finite"),
    ("scale: 0.5", "scale: 1e308", "a number that is not finite"),
    ("scale: 0.5", "scale: 0", "input.scale must not be 0"),
    ("mean: [1, 2.5, 3]", "mean: [1, 2.5, 1e30]", "make all pixels equal"),
    ("name: net", "name: net\nexecution: slow", "execution must be one of channels-last, fused"),
    ("void: 11", "void: 3", "output.void must be the plane after the classes, 11, not 3"),
    ("void: 11", "void: 300", "output.void must be given, as a whole number of 0…255"),
  ])
  func aWrongKeyIsNamed(right: String, wrong: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try NetworkDescription(yaml: good.replacing(right, with: wrong))
    }
    #expect(error.code == .badDescription)
    #expect(error.message.contains(complaint))
  }

  @Test(arguments: ["", "- a\n- b", "a: [", "\u{0}", "just text"])
  func whatIsNoMappingIsRefused(text: String) {
    #expect(throws: SpecificationError.self) { try NetworkDescription(yaml: text) }
  }

  /// Nine levels of aliases, each naming the one before nine times: 387 million values in 400
  /// bytes.
  @Test func anAliasBombIsRefusedAtOnce() {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<9 {
      let names = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(names)]\n"
    }
    #expect(throws: SpecificationError.self) { try NetworkDescription(yaml: bomb) }
  }

  @Test func aMissingNetworkIsNamed() throws {
    let error = try #require(throws: SpecificationError.self) {
      try NetworkDescription(besideNetwork: "nowhere/net.torchscript.pt")
    }
    #expect(error.code == .missingFile && error.message.contains("nowhere/net.torchscript.pt"))
  }

  @Test func aMissingDescriptionIsNamed() throws {
    let scratch = try Scratch()
    let network = try scratch.file("net.torchscript.pt", [1, 2, 3])
    let error = try #require(throws: SpecificationError.self) {
      try NetworkDescription(besideNetwork: network)
    }
    #expect(error.code == .missingFile && error.message.contains(scratch("net.yaml")))
  }

  @Test func aDescriptionIsFoundBesideItsNetwork() throws {
    let scratch = try Scratch()
    for name in ["a.torchscript.pt", "b.pt", "c.pth"] {
      let network = try scratch.file(name, [1])
      let stem = name.prefix { $0 != "." }
      _ = try scratch.file("\(stem).yaml", Array(good.utf8))
      #expect(try NetworkDescription(besideNetwork: network).name == "net")
    }
  }

  /// To open it would wait for somebody to write.
  @Test(.timeLimit(.minutes(5))) func aPipeInPlaceOfADescriptionIsRefused() throws {
    let scratch = try Scratch()
    _ = try scratch.file("net.pt", [0])
    #expect(mkfifo(scratch("net.yaml"), 0o600) == 0)
    let error = try #require(throws: SpecificationError.self) {
      try NetworkDescription(besideNetwork: scratch("net.pt"))
    }
    #expect(error.code == .badDescription && error.message.contains("not a regular file"))
  }
}
