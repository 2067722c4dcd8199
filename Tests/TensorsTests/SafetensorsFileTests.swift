// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

// Both were written by the reference, safetensors 0.8.0, from numpy arrays.
private let everyday = """
  aAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCIsIm1hZGUgYnkiOiJzYWZldGVuc29ycyJ9LCJzdGVwcyI6\
  eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sImNvbnYud2VpZ2h0Ijp7ImR0eXBlIjoi\
  RjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOls4LDMyXX0sIm5vbmUiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6\
  WzAsNF0sImRhdGFfb2Zmc2V0cyI6WzMyLDMyXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzNdLCJkYXRhX29m\
  ZnNldHMiOlszMiwzOF19LCJtYXNrIjp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlszOCw0MV19\
  fSAgICAgICAHAAAAAAAAAAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAA+AMD/ewAB/w==
  """
private let otherTypes = """
  yAEAAAAAAAB7InU2NCI6eyJkdHlwZSI6IlU2NCIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJmNjQiOnsi\
  ZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls4LDI0XX0sInUzMiI6eyJkdHlwZSI6IlUzMiIsInNo\
  YXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzI0LDI4XX0sImkzMiI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbMV0sImRhdGFf\
  b2Zmc2V0cyI6WzI4LDMyXX0sInUxNiI6eyJkdHlwZSI6IlUxNiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzMyLDM0\
  XX0sImkxNiI6eyJkdHlwZSI6IkkxNiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzM0LDM2XX0sImk4Ijp7ImR0eXBl\
  IjoiSTgiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlszNiwzOF19LCJiIjp7ImR0eXBlIjoiQk9PTCIsInNoYXBlIjpb\
  Ml0sImRhdGFfb2Zmc2V0cyI6WzM4LDQwXX19ICAgICABAAAAAAAAAJqZmZmZmbk/AAAAAAAABMAAKGvukO7+////1P7/AgEA
  """

private func bytes(_ golden: String) throws -> [UInt8] {
  [UInt8](try #require(Data(base64Encoded: golden)))
}

/// A fresh folder, removed afterwards.
private func inFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

@Test func aFileOfTheReferenceIsRead() throws {
  let file = try SafetensorsFile(bytes: bytes(everyday))
  #expect(file.metadata == ["format": "np", "made by": "safetensors"])
  #expect(file.entries.map(\.name) == ["steps", "conv.weight", "none", "half", "mask"])
  #expect(try file.tensor("conv.weight").shape == [2, 3])
  #expect(try file.tensor("conv.weight").floats() == [0, 1, 2, 3, 4, 5])
  #expect(try file.tensor("steps").shape == [] && file.tensor("steps").integers() == [7])
  #expect(try file.tensor("none").shape == [0, 4])
  #expect(try file.tensor("half").type == .float16)
  #expect(try file.tensor("half").floats() == [1.5, -2, 65504])
  #expect(try file.tensor("mask").bytes() == [0, 1, 255])
}

@Test func typesThatTensorsDoNotHaveAreConverted() throws {
  let file = try SafetensorsFile(bytes: bytes(otherTypes))
  #expect(try file.tensor("b").bytes() == [1, 0])
  #expect(try file.tensor("i8").integers() == [-1, 2])
  #expect(try file.tensor("u16").integers() == [65535])
  #expect(try file.tensor("i16").integers() == [-300])
  #expect(try file.tensor("i32").integers() == [-70000])
  #expect(try file.tensor("u32").integers() == [4_000_000_000])
  #expect(try file.tensor("f64").floats() == [0.1, -2.5])
  #expect(try file.tensor("u64").integers() == [1])
}

@Test func whatIsWrittenIsReadAgain() throws {
  let weights = try Tensor(
    [1, -0.0, .nan, .infinity, .leastNonzeroMagnitude, 3], shape: [3, 1, 2])
  let tensors: [String: Tensor] = [
    "a/../b": weights, "zürich \"\\\n\u{1}": try weights.cast(to: .bfloat16),
    "steps": try Tensor([Int64.min, .max], shape: [2]),
    "labels": try Tensor([1, 2, 3] as [UInt8], shape: [3]), "half": try weights.cast(to: .float16),
    "none": try Tensor.zeros([2, 0]), "number": try Tensor(4),
  ]
  let metadata = ["note": "tab\there, \"quoted\", 𝄞", "": "an empty key"]
  try inFolder { folder in
    try SafetensorsFile.write(tensors, metadata: metadata, to: "\(folder)/some.safetensors")
    let file = try SafetensorsFile(contentsOf: "\(folder)/some.safetensors")
    #expect(file.metadata == metadata && Set(file.entries.map(\.name)) == Set(tensors.keys))
    for (name, tensor) in tensors {
      let found = try file.tensor(name)
      #expect(found.shape == tensor.shape && found.type == tensor.type)
      let (wanted, got) = (
        try tensor.withUnsafeBytes { [UInt8]($0) }, try found.withUnsafeBytes { [UInt8]($0) }
      )
      #expect(wanted == got, "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["some.safetensors"])
  }
}

@Test func everyTensorLiesAtAMultipleOfItsElement() throws {
  let tensors = [
    "a": try Tensor([1] as [UInt8], shape: [1]), "b": try Tensor([2.5, 3], shape: [2]),
    "c": try Tensor([4] as [Int64], shape: [1]), "d": try Tensor(5).cast(to: .float16),
  ]
  let encoded = try SafetensorsFile.encode(tensors)
  let header = Int(encoded[0]) + 256 * Int(encoded[1])
  #expect(header % 8 == 0 && encoded.count == 8 + header + 1 + 8 + 8 + 2)
  let text = String(decoding: encoded[8..<8 + header], as: UTF8.self)
  let expected = """
    {"a":{"dtype":"U8","shape":[1],"data_offsets":[18,19]},\
    "b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},\
    "c":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},\
    "d":{"dtype":"F16","shape":[],"data_offsets":[16,18]}}
    """
  #expect(text.trimmingCharacters(in: .whitespaces) == expected)
}

@Test func equalTensorsMakeEqualFiles() throws {
  let names = (0..<50).map { "layer\($0).weight" }
  func encoded(_ names: [String]) throws -> [UInt8] {
    var tensors: [String: Tensor] = [:]
    for name in names { tensors[name] = try Tensor(Float(name.count)) }
    return try SafetensorsFile.encode(tensors, metadata: ["x": "1", "y": "2"])
  }
  #expect(try encoded(names) == encoded(names.reversed()))
}

@Test func aTensorOutlivesItsFile() throws {
  func load() throws -> Tensor {
    try SafetensorsFile(bytes: bytes(everyday)).tensor("conv.weight")
  }
  let tensor = try load()
  #expect(try tensor.floats() == [0, 1, 2, 3, 4, 5])
}

@Test func whatCannotBeNamedIsNotWritten() throws {
  for name in ["", "__metadata__", String(repeating: "x", count: 1025)] {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile.encode([name: Tensor(1)])
    }
    #expect(error?.code == .badTensor)
  }
}

@Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
  try inFolder { folder in
    let path = "\(folder)/kept"
    try SafetensorsFile.write(["old": Tensor(1)], to: path)
    // A folder stands where the second file should go, so that renaming fails at the very end.
    try FileManager.default.createDirectory(
      atPath: "\(folder)/taken/inside", withIntermediateDirectories: true)
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile.write(["new": Tensor(2)], to: "\(folder)/taken")
    }
    #expect(error?.code == .unwritable)
    #expect(throws: SafetensorsError.self) {
      try SafetensorsOutput.write(to: path) { output throws(SafetensorsError) in
        try [UInt8](repeating: 0, count: 9).withUnsafeBufferPointer {
          bytes throws(SafetensorsError) in
          try output.append(UnsafeRawBufferPointer(bytes))
        }
        _ = try SafetensorsFile(bytes: [])  // Some failure half-way.
      }
    }
    #expect(try SafetensorsFile(contentsOf: path).entries.map(\.name) == ["old"])
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder)) == ["kept", "taken"])
  }
}

@Test func aFileThatCannotBeWrittenIsAnError() throws {
  let error = #expect(throws: SafetensorsError.self) {
    try SafetensorsFile.write(["a": Tensor(1)], to: "/nowhere/at all/a.safetensors")
  }
  #expect(error?.code == .unwritable)
}

@Test(arguments: ["/", "/nowhere/at/all", "/dev/zero", ""])
func whatIsNoFileIsNotRead(path: String) {
  let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: path) }
  #expect(error?.code == .unreadable)
}

@Test func aPipeWithoutAWriterIsNotWaitedFor() throws {
  try inFolder { folder in
    #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(contentsOf: "\(folder)/pipe")
    }
    #expect(error?.code == .unreadable)
  }
}

@Test func valuesThatAreNotFiniteAreCounted() throws {
  let values = try Tensor([1, .nan, -.infinity, .greatestFiniteMagnitude, .infinity], shape: [5])
  let file = try SafetensorsFile(
    bytes: SafetensorsFile.encode([
      "single": values, "brain": try values.cast(to: .bfloat16),
      "few": try Tensor([1, .nan], shape: [2]).cast(to: .float16),
      "bytes": Tensor([255] as [UInt8], shape: [1]),
    ]))
  #expect(try file.nonFiniteCount(in: "single") == 3)
  #expect(try file.nonFiniteCount(in: "brain") == 4)  // The largest number rounds to infinity.
  #expect(try file.nonFiniteCount(in: "few") == 1 && file.nonFiniteCount(in: "bytes") == 0)
}
