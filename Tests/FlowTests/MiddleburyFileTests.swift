// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import TestSupport
import Testing

struct MiddleburyFileTests {
  @Test func bytesWrittenByHandAreRead() throws {
    var bytes = Data("PIEH".utf8)
    bytes.append(contentsOf: [3, 0, 0, 0, 1, 0, 0, 0])
    bytes.append(contentsOf: [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0])  // 1, −2.5
    bytes.append(contentsOf: [0xF9, 0x02, 0x15, 0x50, 0xF9, 0x02, 0x15, 0x50])  // 1e10, 1e10
    bytes.append(contentsOf: [0, 0, 0, 0, 0, 0, 0xC0, 0x7F])  // 0, not a number
    let motion = try read(bytes)
    #expect((motion.width, motion.height) == (3, 1))
    #expect(motion[x: 0, y: 0] == (1, -2.5))
    #expect(motion.known == [1, 0, 0])
    #expect(try written(motion).prefix(28) == bytes.prefix(28))
  }

  @Test func whatIsWrittenIsRead() throws {
    for motion in [
      random(width: 33, height: 17, seed: 6), random(width: 1, height: 1, seed: 7, holes: false),
    ] {
      #expect(try read(written(motion)) == motion)
    }
  }

  @Test(arguments: [
    ("nothing", [UInt8](), "the file is empty"),
    ("a text", Array("a text, no motion".utf8), "does not begin with PIEH"),
    ("a header cut off", header(2, 1).dropLast().map { $0 }, "does not begin with PIEH"),
    ("a size of zero", header(0, 4), "0×4"),
    ("a negative size", header(-2, 4), "-2×4"),
    ("a negative product", header(-2, -4), "-2×-4"),
    ("a huge size", header(1 << 30, 1 << 30), "1073741824×1073741824"),
    ("a product that overflows", header(.max, .max), "2147483647×2147483647"),
    ("a file cut off", header(2, 2) + [UInt8](repeating: 0, count: 31), "holds 43 bytes"),
    ("a file too long", header(2, 2) + [UInt8](repeating: 0, count: 33), "holds 45 bytes"),
  ])
  func damagedFilesAreRefused(name: String, bytes: [UInt8], says: String) throws {
    let error = try #require(throws: FlowError.self) { try read(Data(bytes)) }
    #expect(error.code == .unreadable && error.message.contains(says), "\(name): \(error)")
  }

  @Test func whatIsNoFileIsRefused() throws {
    for path in ["/", "/nowhere/at/all.flo", "/dev/null", ""] {
      let error = try #require(throws: FlowError.self) { try MotionField(floFile: path) }
      #expect(error.code == .unreadable)
    }
  }

  @Test func aFileThatCannotBeWrittenSaysSo() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("not/there.flo").path
      let error = try #require(throws: FlowError.self) {
        try uniform(1, 1).write(floFile: path)
      }
      #expect(error.code == .unwritable && error.message.contains(path))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }
  }

  @Test(.enabled(if: sharedData != nil, "shared data is not there"))
  func middleburysOwnFilesAreRead() throws {
    let truth = try middlebury("RubberWhale")
    #expect((truth.width, truth.height) == (584, 388))
    // Read with NumPy: how many are known, and their mean length.
    #expect(abs(truth.validFraction - 0.9840153) < 1e-6)
    #expect(abs((truth.meanLength ?? 0) - 1.256039) < 1e-5)
  }
}

func middlebury(_ name: String) throws -> MotionField {
  let folder = try #require(sharedData).appendingPathComponent("flow/middlebury/other-gt-flow")
  return try MotionField(floFile: folder.appendingPathComponent("\(name)/flow10.flo").path)
}

private func header(_ width: Int32, _ height: Int32) -> [UInt8] {
  Array("PIEH".utf8)
    + [width, height].flatMap { size in withUnsafeBytes(of: size.littleEndian) { [UInt8]($0) } }
}

private func read(_ bytes: Data) throws -> MotionField {
  try withTemporaryFolder { folder in
    let file = folder.appendingPathComponent("motion.flo")
    try bytes.write(to: file)
    return try MotionField(floFile: file.path)
  }
}

private func written(_ motion: MotionField) throws -> Data {
  try withTemporaryFolder { folder in
    let file = folder.appendingPathComponent("motion.flo")
    try motion.write(floFile: file.path)
    return try Data(contentsOf: file)
  }
}
