// SPDX-License-Identifier: Apache-2.0

import Engines
import Foundation
import TestSupport
import Testing

/// What is read of a file without an engine, and what is refused.
struct OnnxModelTests {
  @Test func aFileTellsItsPortsOperatorsAndMetadata() throws {
    let model = try OnnxModel(contentsOf: "\(networks)/segmentation.onnx")
    #expect(model.producer == "golden 1" && model.operatorSets == ["": 13])
    #expect(model.graph.inputs.map(\.description) == ["image: float32 1×3×12×16"])
    #expect(model.graph.outputs.map(\.description) == ["scores: float32 1×3×6×8"])
    #expect(model.operators.map(\.kind) == ["Conv", "Relu", "AveragePool", "Concat"])
    #expect(model.operators.map(\.count) == [4, 2, 1, 1])
    #expect(model.parameterCount == (4 * 3 + 5 * 4 + 4 * 5 + 3 * 8) * 9 + 3)
    let pixels = try OnnxModel(contentsOf: "\(networks)/pixels.onnx")
    #expect(pixels.graph.inputs.map(\.description) == ["bytes: uint8 ?×?×?×3"])
    let detector = try OnnxModel(contentsOf: "\(networks)/detector.onnx")
    #expect(detector.metadata["names"] == #"{0: 'it\'s a car', 1: "person"}"#)
  }

  /// Convolutions at their outputs' sizes: 12×16 for the first, 6×8 for the others.
  @Test(.enabled(if: !engines.isEmpty, noEngine))
  func macsAreThoseOfTheConvolutions() throws {
    let model = try OnnxModel(contentsOf: "\(networks)/segmentation.onnx")
    let macs = (4 * 3 * 192 + (5 * 4 + 4 * 5 + 3 * 8) * 48) * 9
    for engine in engines {
      #expect(try model.macs(inputs: [[1, 3, 12, 16]], engine: engine) == macs)
    }
    #expect(try model.macs(inputs: [[1, 3, 12, 16]], engine: nil) == nil)
  }

  @Test func whatIsNoModelIsRefusedInASentence() throws {
    let scratch = try Scratch()
    let cases: [(String, [UInt8], String)] = [
      ("text", Array("hello, this is no model at all".utf8), "no ONNX model"),
      ("zip", Array("PK\u{3}\u{4}archive".utf8), "zip archive"),
      ("lfs", Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "Git LFS"),
      ("page", Array("<!DOCTYPE html><html>".utf8), "web page"),
      ("nothing", [0x08, 0x08], "holds no graph"),
      ("hollow", [0x3a, 0x00], "no graph that gives anything"),
    ]
    for (name, bytes, reason) in cases {
      let path = try scratch.file("\(name).onnx", bytes)
      let error = try #require(throws: EngineError.self) {
        try OnnxModel.checked(contentsOf: path)
      }
      #expect(error.code == .badModel && error.message.hasPrefix(path), "\(error)")
      #expect(error.message.contains(reason), "\(error)")
    }
    let empty = try scratch.file("empty.onnx", [])
    #expect(throws: EngineError.self) { try OnnxModel.checked(contentsOf: empty) }
    let missing = #expect(throws: EngineError.self) {
      try OnnxModel.checked(contentsOf: scratch("none.onnx"))
    }
    #expect(missing?.code == .missingFile)
  }

  /// Whatever bytes are cut off or changed, reading ends with a model or an error.
  @Test func damagedFilesNeverEndTheProcess() throws {
    let whole = try bytes(of: "\(networks)/segmentation.onnx")
    for end in 0..<whole.count { _ = try? OnnxModel(bytes: Array(whole[..<end])) }
    for index in whole.indices {
      for flip: UInt8 in [0x80, 0xff, 0x01] {
        var damaged = whole
        damaged[index] ^= flip
        if let model = try? OnnxModel(bytes: damaged) {
          _ = try? model.pieces(after: ["deep"])
          _ = try? model.checkExternalData()
        }
      }
    }
  }

  private func model(_ fill: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var (graph, model) = (ProtobufWriter(), ProtobufWriter())
    fill(&graph)
    model.write(graph, as: 7)
    return model.bytes
  }

  private func constant(_ name: String, sizes: [Int], raw: Int) -> ProtobufWriter {
    var tensor = ProtobufWriter()
    for size in sizes { tensor.write(size, as: 1) }
    tensor.write(1, as: 2)
    tensor.write(name, as: 8)
    tensor.write([UInt8](repeating: 0, count: raw), as: 9)
    return tensor
  }

  @Test(arguments: [
    ([1 << 40, 1 << 40], 4, "no size of a tensor"), ([-1], 4, "no size of a tensor"),
    ([3], 8, "8 bytes, not 12"),
  ])
  func tensorsWhoseSizesLieAreRefused(sizes: [Int], raw: Int, reason: String) throws {
    let bytes = model { graph in
      var node = ProtobufWriter()
      node.write("y", as: 2)
      node.write("Relu", as: 4)
      graph.write(node, as: 1)
      graph.write(constant("w", sizes: sizes, raw: raw), as: 5)
      graph.write(EnginePort(name: "y", type: .float32, sizes: [1]).onnx, as: 12)
    }
    let error = try #require(throws: EngineError.self) { try OnnxModel(bytes: bytes) }
    #expect(error.message.contains("'w'") && error.message.contains(reason), "\(error)")
  }

  /// A graph in an attribute of a node in a graph, and so on.
  @Test func graphsNestedTooDeepAreRefused() throws {
    var graph = ProtobufWriter()
    for _ in 0..<200 {
      var (attribute, node, outer) = (ProtobufWriter(), ProtobufWriter(), ProtobufWriter())
      attribute.write("body", as: 1)
      attribute.write(graph, as: 6)
      node.write(attribute, as: 5)
      outer.write(node, as: 1)
      graph = outer
    }
    var model = ProtobufWriter()
    model.write(graph, as: 7)
    let error = try #require(throws: EngineError.self) { try OnnxModel(bytes: model.bytes) }
    #expect(error.message.contains("deep"))
  }

  // External data.

  private func external(_ scratch: Scratch, location: String? = nil) throws -> String {
    var bytes = try bytes(of: "\(networks)/external.onnx")
    if let location {
      // The same number of letters, so that no length in the file changes.
      let old = Array("external.bin".utf8)
      let start = try #require(
        bytes.indices.first { bytes[$0...].starts(with: old) && bytes.count - $0 >= old.count })
      precondition(location.utf8.count == old.count)
      bytes.replaceSubrange(start..<start + old.count, with: location.utf8)
    }
    return try scratch.file("external.onnx", bytes)
  }

  @Test func weightsBesideTheFileAreFound() throws {
    let model = try OnnxModel.checked(contentsOf: "\(networks)/external.onnx")
    #expect(model.externalFiles == ["external.bin"] && model.parameterCount == 54)
  }

  @Test func weightsThatAreMissingOrShortAreNamed() throws {
    let scratch = try Scratch()
    let path = try external(scratch)
    let missing = try #require(throws: EngineError.self) {
      try OnnxModel.checked(contentsOf: path)
    }
    #expect(missing.message.contains("'external.bin' beside it, which is not there"))
    _ = try scratch.file("external.bin", [1, 2, 3])
    let short = try #require(throws: EngineError.self) { try OnnxModel.checked(contentsOf: path) }
    #expect(short.message.contains("needs 216 bytes") && short.message.contains("which has 3"))
  }

  @Test(arguments: ["../../secret", "/etc/passwd_", "a/../../../b"])
  func weightsOutsideOfTheFolderAreRefused(location: String) throws {
    let scratch = try Scratch()
    let error = try #require(throws: EngineError.self) {
      try OnnxModel.checked(contentsOf: external(scratch, location: location))
    }
    #expect(error.message.contains("leads out of its folder"), "\(error)")
  }

  @Test func aLinkOutOfTheFolderIsRefused() throws {
    let (scratch, other) = (try Scratch(), try Scratch())
    let path = try external(scratch)
    let target = try other.file("weights", [UInt8](repeating: 0, count: 216))
    try FileManager.default.createSymbolicLink(
      atPath: scratch("external.bin"), withDestinationPath: target)
    let error = try #require(throws: EngineError.self) { try OnnxModel.checked(contentsOf: path) }
    #expect(error.message.contains("link that leads out"), "\(error)")
  }

  // Cutting.

  /// What a later piece reads twice is given by a piece of its own before, without the deep tensor.
  @Test func aCutPassesOnWhatLaterPiecesRead() throws {
    let model = try OnnxModel(contentsOf: "\(networks)/segmentation.onnx")
    typealias Piece = OnnxModel.Piece
    #expect(
      try model.pieces(after: ["deep"]) == [
        Piece(cut: nil, main: "image", skips: ["shallow"]),
        Piece(cut: 0, main: "deep", skips: ["shallow"]),
      ])
    #expect(
      try model.pieces(after: ["shallow", "c3"]) == [
        Piece(cut: 0, main: "shallow", skips: []),
        Piece(cut: nil, main: "shallow", skips: ["shallow"]),
        Piece(cut: 1, main: "c3", skips: ["shallow"]),
      ])
    #expect(model.needed(of: ["image", "shallow"], for: ["deep"]) == ["shallow"])
  }

  @Test func aCutThatCannotBeMadeIsNamed() throws {
    let model = try OnnxModel(contentsOf: "\(networks)/segmentation.onnx")
    for (tensors, reason) in [
      (["depe"], "no operator gives a tensor 'depe'"), (["w1"], "no operator gives"),
      (["deep", "shallow"], "before the stage that it should follow"),
    ] {
      let error = try #require(throws: EngineError.self) {
        try model.pieces(after: tensors)
      }
      #expect(error.message.contains(reason), "\(error)")
    }
  }
}
