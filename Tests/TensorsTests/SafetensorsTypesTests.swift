// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

/// Types of elements that the format has and tensors do not.
struct SafetensorsTypesTests {
  /// From the papers: E5M2 has a bias of 15, E4M3 one of 7 and 448 as its largest.
  @Test func numbersOfEightBitsAreRead() throws {
    let wide: [UInt8] = [0x3C, 0xBC, 0x40, 0x01, 0x7B, 0x00]
    #expect(
      try tensor("F8_E5M2", [6], wide).floats() == [1, -1, 2, 0x1p-16, 57344, 0])
    let fine: [UInt8] = [0x38, 0xB8, 0x40, 0x01, 0x7E, 0x3F]
    #expect(
      try tensor("F8_E4M3", [6], fine).floats() == [1, -1, 2, 0x1p-9, 448, 1.875])
  }

  @Test func whatIsNoNumberInEightBitsIsCounted() throws {
    #expect(try file("F8_E5M2", [4], [0x7C, 0xFC, 0x7F, 0x7B]).nonFiniteCount(in: "t") == 3)
    #expect(try file("F8_E4M3", [3], [0x7F, 0xFF, 0x7E]).nonFiniteCount(in: "t") == 2)
  }

  @Test func integersOf64BitsAreReadWhereTheyFit() throws {
    let most = [UInt8](repeating: 0xFF, count: 7) + [0x7F]
    #expect(try tensor("U64", [1], most).integers() == [Int64.max])
    let error = try #require(throws: SafetensorsError.self) {
      try tensor("U64", [1], [UInt8](repeating: 0xFF, count: 8))
    }
    #expect(error.code == .badType && error.description.contains("U64"))
  }

  /// The file is read for what else is in it; what cannot be taken is named when it is asked for.
  @Test(arguments: [
    ("C64", [1], 8), ("F8_E8M0", [3], 3), ("F6_E2M3", [4], 3), ("F6_E3M2", [4], 3), ("F4", [2], 1),
  ])
  func otherTypesAreNamed(type: String, shape: [Int], count: Int) throws {
    let bytes = [UInt8](repeating: 0, count: count)
    let error = try #require(throws: SafetensorsError.self) { try tensor(type, shape, bytes) }
    #expect(error.code == .badType && error.description.contains(type), "\(error)")
  }

  @Test func halfAByteIsNoShape() throws {
    let error = try #require(throws: SafetensorsError.self) { try file("F4", [3], [0, 0]) }
    #expect(error.code == .badLayout)
  }

  private func tensor(_ type: String, _ shape: [Int], _ data: [UInt8]) throws -> Tensor {
    try file(type, shape, data).tensor("t")
  }

  private func file(_ type: String, _ shape: [Int], _ data: [UInt8]) throws -> SafetensorsFile {
    let sizes = shape.map(String.init).joined(separator: ",")
    let header =
      "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[\(sizes)],\"data_offsets\":[0,\(data.count)]}}"
    let length = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]
    return try SafetensorsFile(bytes: length + Array(header.utf8) + data)
  }
}
