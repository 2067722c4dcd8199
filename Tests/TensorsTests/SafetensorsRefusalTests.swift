// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

/// A file with this header and so many bytes of data.
private func file(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
  file(Array(header.utf8), data: data, length: length)
}

private func file(_ header: [UInt8], data: Int, length: UInt64? = nil) -> [UInt8] {
  let length = length ?? UInt64(header.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
    + [UInt8](repeating: 0, count: data)
}

private func entry(
  _ name: String = "t", type: String = "F32", shape: String = "[1]", offsets: String = "[0,4]"
) -> String {
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

private func refusal(of bytes: [UInt8]) -> SafetensorsError? {
  #expect(throws: SafetensorsError.self) { try SafetensorsFile(bytes: bytes) }
}

@Test func theSmallestFilesAreRead() throws {
  #expect(try SafetensorsFile(bytes: file("{}", data: 0)).entries.isEmpty)
  #expect(try SafetensorsFile(bytes: file("{\(entry())}", data: 4)).entries.count == 1)
  #expect(try SafetensorsFile(bytes: file("{\(entry())} \n\t", data: 4)).entries.count == 1)
}

@Test func fieldsThatAreNotKnownAreLeftOut() throws {
  let extra = "\"x\":{\"y\":[1.5e3,-2,true,null,\"s\",[],{}]}"
  let header = "{\"t\":{\(extra),\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}"
  #expect(try SafetensorsFile(bytes: file(header, data: 2))["t"]?.shape == [2])
}

@Test func namesAreNothingButData() throws {
  let header =
    "{\(entry("../../x", offsets: "[0,4]")),\(entry("\\u00e9\\ud834\\udd1e\\n", offsets: "[4,8]"))}"
  let names = try SafetensorsFile(bytes: file(header, data: 8)).entries.map(\.name)
  #expect(names == ["../../x", "é𝄞\n"])
}

@Test(arguments: [
  ([], "too few"), ([UInt8](repeating: 0, count: 7), "too few"),
  (file("{}", data: 0, length: 1 << 63), "longer than"),
  (file("{}", data: 0, length: 100_000_001), "longer than"),
  (file("{}", data: 0, length: 16 << 20 + 1), "longer than"),
  (file("{}", data: 0, length: 3), "does not fit"),
])
func impossibleHeaderLengthsAreRefused(bytes: [UInt8], why: String) {
  let error = refusal(of: bytes)
  #expect(error?.code == .badHeaderLength && error?.message.contains(why) == true)
}

@Test(arguments: [
  "", " ", " {}", "[]", "{", "{\"", "{\"t", "{\"t\"}", "{\"t\":}", "{},", "{}{}", "nonsense",
  "\u{FEFF}{}",
  "{\(entry()),}", "{\(entry())", "{'t':1}", "{\"t\":1}", "{\"t\":null}", "{\"t\":[]}",
  "{\"t\":{}}",
  "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", "{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}",
  "{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "{\(entry(offsets: "[0]"))}",
  "{\(entry(offsets: "[0,4,4]"))}", "{\(entry(offsets: "[]"))}", "{\(entry(offsets: "[\"0\",4]"))}",
  // Numbers that are no counts.
  "{\(entry(offsets: "[-0,4]"))}", "{\(entry(offsets: "[0,4.0]"))}",
  "{\(entry(offsets: "[0,4e0]"))}",
  "{\(entry(offsets: "[0,+4]"))}", "{\(entry(offsets: "[0,04]"))}", "{\(entry(offsets: "[00,4]"))}",
  "{\(entry(shape: "[-1]"))}", "{\(entry(shape: "[1.0]"))}", "{\(entry(shape: "[NaN]"))}",
  "{\(entry(offsets: "[0,18446744073709551616]"))}", "{\(entry(shape: "[99999999999999999999]"))}",
  // Keys that occur twice.
  "{\(entry()),\(entry())}", "{\(entry("t")),\(entry("\\u0074"))}",
  "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
  "{\"__metadata__\":{},\"__metadata__\":{},\(entry())}",
  "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"},\(entry())}",
  // Text that is none.
  "{\"__metadata__\":{\"a\":1},\(entry())}", "{\"__metadata__\":{\"a\":null},\(entry())}",
  "{\"__metadata__\":[],\(entry())}", "{\(entry("a\nb"))}", "{\(entry("a\\x"))}",
  "{\(entry("\\ud834"))}",
  "{\(entry("\\ud834\\u0041"))}", "{\(entry("\\udd1e"))}", "{\(entry("\\u12g4"))}",
  "{\(entry("\\u+123"))}",
  "{\(entry(""))}", "{\(entry(String(repeating: "x", count: 1025)))}",
])
func whatIsNotThisKindOfHeaderIsRefused(header: String) {
  #expect(refusal(of: file(header, data: 4))?.code == .badHeader)
}

@Test(arguments: [
  "tru", "1.", "-", "01", "+1", "", "nan", ".5", "1e", "1,", "{\"a\":1,\"a\":1}", "'a'",
])
func fieldsThatAreNotKnownMustBeJSONToo(value: String) {
  let header = "{\"t\":{\"x\":\(value),\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}"
  #expect(refusal(of: file(header, data: 2))?.code == .badHeader)
}

@Test func bytesThatAreNotTextAreRefused() {
  for bytes: [UInt8] in [
    [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2],
  ] {
    let header = Array("{\"".utf8) + bytes + Array("\":{}}".utf8)
    #expect(refusal(of: file(header, data: 0))?.message == "the header is not UTF-8")
  }
}

@Test func deepNestingIsRefused() {
  for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
    let deep = String(repeating: open, count: 5000) + "1" + String(repeating: close, count: 5000)
    let error = refusal(of: file("{\"t\":{\"x\":\(deep)}}", data: 0))
    #expect(error?.code == .badHeader && error?.message.contains("deep") == true)
  }
}

@Test(arguments: [
  // Overlap, hole, rest, shortage, end before beginning.
  ("{\(entry("a", offsets: "[0,4]")),\(entry("b", offsets: "[2,6]"))}", 6),
  ("{\(entry("a", offsets: "[0,4]")),\(entry("b", offsets: "[0,4]"))}", 4),
  ("{\(entry("a", offsets: "[0,4]")),\(entry("b", offsets: "[5,9]"))}", 9),
  ("{\(entry("a", offsets: "[1,5]"))}", 5), ("{\(entry())}", 5), ("{\(entry())}", 3), ("{}", 1),
  ("{\(entry(offsets: "[4,0]"))}", 4), ("{\(entry(offsets: "[8,12]"))}", 4),
  // Shape and type against the range.
  ("{\(entry(shape: "[2]"))}", 4), ("{\(entry(shape: "[0]"))}", 4), ("{\(entry(shape: "[3]"))}", 4),
  ("{\(entry(type: "F16"))}", 4), ("{\(entry(shape: "[1,1,2]"))}", 4),
  // Sizes whose product does not fit, or that no tensor has.
  ("{\(entry(shape: "[2147483647,2147483647,2147483647]"))}", 4),
  ("{\(entry(shape: "[4611686018427387904,4]", offsets: "[0,0]"))}", 0),
  ("{\(entry(shape: "[9223372036854775807,0]", offsets: "[0,0]"))}", 0),
  ("{\(entry(shape: "[2147483648,0]", offsets: "[0,0]"))}", 0),
  ("{\(entry(offsets: "[9223372036854775804,9223372036854775807]"))}", 4),
])
func dataThatDoesNotAddUpIsRefused(header: String, data: Int) {
  #expect(refusal(of: file(header, data: data))?.code == .badLayout)
}

@Test func typesThatAreNotKnownAreRefused() {
  for type in ["F5", "f32", "", "OBJECT", "F32 "] {
    #expect(refusal(of: file("{\(entry(type: type))}", data: 4))?.code == .badType)
  }
}

@Test func tooManyTensorsAreRefused() {
  let entries = (0...65_536).map { entry("\($0)", shape: "[0]", offsets: "[0,0]") }
  let error = refusal(of: file("{\(entries.joined(separator: ","))}", data: 0))
  #expect(error?.code == .badHeader && error?.message.contains("65536") == true)
}

@Test func namesInErrorsAreEscapedAndCut() {
  let error = refusal(of: file("{\(entry("\\u001b[31m\\u202e", shape: "[2]"))}", data: 4))
  #expect(error?.description.hasPrefix("tensor \"\\u{1B}[31m\\u{202E}\": ") == true)
  let long = refusal(
    of: file("{\(entry(String(repeating: "é", count: 500), shape: "[2]"))}", data: 4))
  #expect((long?.description.utf8.count ?? 9999) < 900)
}

@Test func damagedFilesNeverCrash() throws {
  let good = try SafetensorsFile.encode(
    ["a": Tensor([1.5, 2], shape: [2]), "b": Tensor([1] as [UInt8], shape: [1])],
    metadata: ["k": "v"])
  var draws = Draws(seed: 1)
  for _ in 0..<20_000 {
    var bytes = good
    for _ in 0..<Int.random(in: 1...3, using: &draws) {
      bytes[Int.random(in: bytes.indices, using: &draws)] = UInt8.random(in: 0...255, using: &draws)
    }
    if Bool.random(using: &draws) {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &draws))
    }
    if let file = try? SafetensorsFile(bytes: bytes) {
      for entry in file.entries { _ = try? file.tensor(entry.name) }
    }
  }
}
