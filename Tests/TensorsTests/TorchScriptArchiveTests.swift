// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

/// Archives that LibTorch would read beyond their ends, or end the process over.
struct TorchScriptArchiveTests {
  private let scratch: Scratch
  private let net: [UInt8]

  init() throws {
    scratch = try Scratch()
    net = try bytes(of: "\(fixtures)/TorchScript/net.pt")
    try #require(slowChecksum(Array("123456789".utf8)) == 0xCBF4_3926)
  }

  /// Today's PyTorch and LibTorch 1.13 wrote them; values of every kind are in them.
  @Test(arguments: ["rich", "old"]) func whatPyTorchWritesIsTaken(name: String) throws {
    let module = try TorchScriptModule(contentsOf: "\(fixtures)/TorchScript/\(name).pt")
    let output = try module(try Tensor([1, 2], shape: [2]))
    // 2 of the table, 1 of the list, 2.0 twice, 3 of the view, turned[1, 2] = 9, and a half.
    #expect(try output[0].floats() == [1 + 19.5, 2 + 19.5])
  }

  @Test func anArchiveThatIsPackedAnewIsTaken() throws {
    let module = try load(MadeArchive(net).file)
    #expect(module.parameterCount == 2 * 9 + 2 + 2 + 2)
  }

  /// Where it is cut, and wherever a byte differs in a record, it is refused.
  @Test func noPartOfAnArchiveIsTakenForAll() throws {
    for count in stride(from: 0, to: net.count, by: 97) {
      #expect(throws: TensorError.self, "\(count)") { try load(Array(net[..<count])) }
    }
    let file = MadeArchive(net).file
    var place = 0
    for record in MadeArchive(net).records where !record.bytes.isEmpty {
      let start = try #require(
        file[place...].indices.first { file[$0...].starts(with: record.bytes) })
      place = start + record.bytes.count
      var changed = file
      changed[start + record.bytes.count / 2] ^= 1
      let error = try #require(throws: TensorError.self) { try load(changed) }
      #expect(error.code == .badFile && error.message.contains(record.name), "\(error)")
    }
  }

  @Test(arguments: changes)
  func whatIsWrongWithARecordIsNamed(change: Change) throws {
    var archive = MadeArchive(net)
    change.make(&archive)
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.code == .badFile && error.message.contains(change.words), "\(error.message)")
    #expect(!error.message.contains("\n"))
  }

  /// Opcodes, as Python's `pickletools` names them, that PyTorch does not write, or not so.
  @Test(arguments: odd)
  func anOpcodeThatPyTorchDoesNotWriteIsRefused(
    pickle: OddPickle
  ) throws {
    var archive = MadeArchive(net)
    archive["constants.pkl"] = [0x80, 2] + pickle.bytes
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.message.contains("constants.pkl"), "\(error)")
    #expect(error.message.contains(pickle.words), "\(error)")
  }

  /// In the pickle of net.pt the first weight is (2, 1, 3, 3) with strides (9, 9, 3, 1).
  @Test(arguments: [
    ("K\u{2}K\u{1}K\u{3}K\u{3}t", "K\u{3}K\u{1}K\u{3}K\u{3}t"),
    ("K\u{9}K\u{9}K\u{3}K\u{1}t", "K\u{B}K\u{9}K\u{3}K\u{1}t"),
    ("K\u{9}K\u{9}K\u{3}K\u{1}t", "K\u{9}K\u{9}K\u{3}t"),
    ("K\u{9}K\u{9}K\u{3}K\u{1}t", "NK\u{9}K\u{3}K\u{1}t"),
  ])
  func aTensorThatReachesBeyondItsStorageIsRefused(old: String, new: String) throws {
    var archive = MadeArchive(net)
    let pickle = try #require(archive["net/data.pkl"])
    archive["net/data.pkl"] = pickle.replacing(old, by: new)
    try #require(archive["net/data.pkl"] != pickle)
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.message.contains("data.pkl") && error.message.contains("tensor"), "\(error)")
  }

  /// `training` is declared to be a bool; LibTorch does not compare.
  @Test func anAttributeOfAnotherTypeThanDeclaredIsRefused() throws {
    var archive = MadeArchive(net)
    let pickle = try #require(archive["net/data.pkl"])
    let name = Array("training".utf8)
    let start = try #require(pickle.indices.first { pickle[$0...].starts(with: name) })
    let place = try #require(pickle[start...].firstIndex { [0x88, 0x89].contains($0) })
    var changed = pickle
    changed[place] = 0x4E
    archive["net/data.pkl"] = changed
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.message.contains("attribute training is no bool"), "\(error)")
  }

  /// The bytes of a weight are those of a NaN, its CRC-32 that of these bytes.
  @Test func aWeightThatIsNoNumberIsNamed() throws {
    var archive = MadeArchive(net)
    archive.edit("data/0") { [0, 0, 0xC0, 0x7F] + $0[4...] }
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.message.contains("\"conv.weight\"") && error.message.contains("NaN"), "\(error)")
  }

  /// LibTorch's own reason is kept: what it does not know, and where.
  @Test func aProgramThatLibTorchDoesNotKnowIsExplained() throws {
    var archive = MadeArchive(try bytes(of: "\(fixtures)/TorchScript/old.pt"))
    archive["code/__torch__.py"] = Array(
      """
      class Rich(Module):
        def forward(self: __torch__.Rich,
          x: Tensor) -> Tensor:
          return torch.no_such_thing(x)

      """.utf8)
    let error = try #require(throws: TensorError.self) { try load(archive.file) }
    #expect(error.message.contains("no_such_thing") && error.message.contains("__torch__.py"))
    #expect(!error.message.contains("\n"))
  }

  private func load(_ file: [UInt8]) throws -> TorchScriptModule {
    try TorchScriptModule(contentsOf: scratch.file("made.pt", file))
  }
}

/// A change of an archive, and what is to be said of it.
struct Change: Sendable, CustomTestStringConvertible {
  let name: String, words: String
  let make: @Sendable (inout MadeArchive) -> Void

  init(_ name: String, _ words: String, _ make: @escaping @Sendable (inout MadeArchive) -> Void) {
    (self.name, self.words, self.make) = (name, words, make)
  }

  var testDescription: String { name }
}

/// A pickle with an opcode that PyTorch does not write, or not so; `pickletools` has their names.
struct OddPickle: Sendable, CustomTestStringConvertible {
  let name: String, bytes: [UInt8], words: String

  init(_ name: String, _ bytes: [UInt8], _ words: String) {
    (self.name, self.bytes, self.words) = (name, bytes, words)
  }

  init(_ name: String, _ text: String, _ words: String) {
    self.init(name, Array(text.utf8), words)
  }

  var testDescription: String { name }
}

private let nest = [UInt8](repeating: 0x5D, count: 300) + [UInt8](repeating: 0x61, count: 299)

private let odd: [OddPickle] = [
  OddPickle("GLOBAL of os.system", "cos\nsystem\n.", "os.system"),
  OddPickle("an unknown opcode", "(i.", "opcode 0x69"),
  OddPickle("TUPLE2 of an empty stack", [0x86, 0x2E], "takes what is not there"),
  OddPickle("APPENDS to nothing", "(Ne.", "no open list"),
  OddPickle("SETITEMS of an odd count", "}(Nu.", "a key without a value"),
  OddPickle("a list as a key", "}(]Nu.", "a key that cannot be one"),
  OddPickle("BINGET of nothing", "h\u{9}.", "was not kept"),
  OddPickle("LONG_BINPUT far away", [0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E], "out of order"),
  OddPickle("a list that is part of itself", "]q\0h\0a.", "no open list"),
  OddPickle("BINUNICODE of 4 GB", [0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E], "ends too soon"),
  OddPickle("REDUCE of a number", "K\u{1})R.", "no function"),
  OddPickle("NEWOBJ of a number", [0x4B, 1, 0x29, 0x81, 0x2E], "no class"),
  OddPickle("BUILD of a number", "K\u{1}}b.", "no object"),
  OddPickle("BINPERSID of a number", "K\u{1}Q.", "storage that is none"),
  OddPickle("nothing", ".", "one value"),
  OddPickle("more behind its end", "N.N", "behind its end"),
  OddPickle("no end", "N", "ends too soon"),
  OddPickle("a nest", nest + [0x2E], "nested more than"),
]

private let changes: [Change] = [
  Change("data/0", "72 bytes, and it has 36") { $0.edit("data/0") { Array($0[..<36]) } },
  Change("data/0", "72 bytes, and it has 144") { $0.edit("data/0") { $0 + $0 } },
  Change("data.pkl", "\"0\", which is not there") { $0["data/0"] = nil },
  Change("code", "code is not there") { $0["code/__torch__.py"] = nil },
  Change("constants", "weights without a program") { $0["constants.pkl"] = nil },
  Change("version", "no record \"version\"") { $0["/version"] = nil },
  Change("order", "highest byte") { $0["byteorder"] = Array("big".utf8) },
  Change("twice", "is there twice") { $0.add("net/VERSION", []) },
  Change("outside", "outside the folder") { $0.add("other/version", []) },
  Change("legacy", "before 1.4") { $0.add("net/model.json", []) },
  Change("encrypted", "encrypted") { $0.records[0].flags = 1 },
  Change("name", "a name that cannot be one") { $0.add("net/\u{1}", []) },
  Change("size", "has two sizes") { $0.records[0].count += 1 },
  Change("inflated", "cannot be inflated") {
    let index = $0.records.firstIndex { $0.isDeflated } ?? 0
    $0.records[index].count += 1
  },
  Change("deep", "nested deeper") {
    $0["code/__torch__.py"] = Array(String(repeating: "(", count: 300).utf8)
  },
  Change("long", "statement that is too long") {
    $0["code/__torch__.py"] = Array(String(repeating: "x + ", count: 3000).utf8)
  },
  Change("debug", "does not hold what it should") { archive in
    archive["code/__torch__.py.debug_pkl"] = [0x80, 2] + Array("K\u{1}.".utf8)
  },
]
