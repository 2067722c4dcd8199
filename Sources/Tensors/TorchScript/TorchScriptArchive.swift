// SPDX-License-Identifier: Apache-2.0

/// A TorchScript archive, looked through before LibTorch sees it.
///
/// LibTorch trusts a file that it is given: a tensor's record that is too short is read beyond its
/// end, and an odd pickle ends the process. So that neither happens, every record is checked
/// against its CRC-32, every tensor against its record, and every pickle and program against what
/// `torch.jit.save` can write, of today's PyTorch back to that of 1.4.
struct TorchScriptArchive: ~Copyable {
  private let zip: ZipArchive

  private static let longestPickle = 32 << 20
  private static let exportHint =
    "; export it in Python with torch.jit.save(torch.jit.script(network), path)"

  /// Checks the file at `path`.
  ///
  /// - Throws: `.badFile` with the record that is at fault.
  static func check(_ path: String) throws(TensorError) {
    let input = try ArchiveInput(contentsOf: path)
    func refusal(_ message: String) -> TensorError {
      TensorError(.badFile, in: "TorchScriptModule.init" as StaticString, message)
    }
    if let other = kind(of: input) { throw refusal("\(path) \(other)") }
    do throws(ArchiveFault) {
      try Self(input).check()
    } catch {
      throw refusal("\(path) cannot be read as a TorchScript archive: \(error)")
    }
  }

  init(_ input: consuming ArchiveInput) throws(ArchiveFault) { zip = try ZipArchive(input) }

  /// Checks everything in it.
  func check() throws(ArchiveFault) {
    try checkParts()
    for record in zip.records.values { try zip.check(record) }
    try checkPickle("constants.pkl", storages: "constants")
    try checkPickle("data.pkl", storages: "data")
    for (name, record) in zip.records where name.hasPrefix("code/") {
      if name.hasSuffix(".py") {
        let text = try zip.bytes(of: record, limit: Self.longestPickle)
        if let fault = ProgramText.fault(in: text) { throw ArchiveFault(record.name, fault) }
      } else if name.hasSuffix(".debug_pkl") {
        try checkDebugging(record)
      }
    }
  }
}

// What the parts are.
extension TorchScriptArchive {
  /// What a file is that is no zip archive at all; nil for one that may be.
  private static func kind(of input: borrowing ArchiveInput) -> String? {
    let magic = (try? input.bytes(at: 0, count: min(4, input.count))) ?? []
    if magic.count == 4, magic[0] == 0x80, (2...5).contains(magic[1]) {
      return "is a pickle of Python objects, not a TorchScript archive\(exportHint)"
    }
    return magic == [0x50, 0x4B, 3, 4] ? nil : "is not a TorchScript archive"
  }

  private func checkParts() throws(ArchiveFault) {
    let records = zip.records
    // `torch.export.save` writes no program, but a graph that only PyTorch itself runs.
    let isExported =
      records["serialized_exported_program.json"] != nil || records["archive_format"] != nil
      || records.keys.contains { $0.hasPrefix("models/") && $0.hasSuffix(".json") }
    guard !isExported else {
      throw ArchiveFault(
        nil,
        "it is what torch.export.save writes (.pt2), which only PyTorch runs; write it with "
          + "torch.jit.trace and torch.jit.save, or with torch.onnx.export")
    }
    guard records["model.json"] == nil else {
      throw ArchiveFault(nil, "it is of a PyTorch before 1.4; export it with a later one")
    }
    if records["data.pkl"] != nil, records["constants.pkl"] == nil {
      throw ArchiveFault(
        nil,
        "it holds what torch.save writes, weights without a program\(Self.exportHint)")
    }
    for name in ["data.pkl", "constants.pkl", "version"] where records[name] == nil {
      throw ArchiveFault(nil, "it has no record \"\(name)\"")
    }
    guard records.keys.contains(where: { $0.hasPrefix("code/") }) else {
      throw ArchiveFault(nil, "it has no program: nothing is in its folder \"code\"")
    }
    guard let order = records["byteorder"] else { return }
    guard try zip.bytes(of: order, limit: 16) == Array("little".utf8) else {
      throw ArchiveFault(order.name, "says that its numbers begin with their highest byte")
    }
  }

  private func checkPickle(_ name: String, storages folder: String) throws(ArchiveFault) {
    guard let record = zip.records[name] else { return }
    let records = zip.records
    let surroundings = PickleMachine.Surroundings(
      storage: { key in
        let name = key.contains("/") ? key : "\(folder)/\(key)"
        return records[name].map { (name, $0.count) }
      },
      hasClass: { name in
        let path = name.split(separator: ".").dropLast().joined(separator: "/")
        return records["code/\(path).py"] != nil || name.hasPrefix("__torch__.torch.classes.")
      })
    let value = try value(of: record, in: surroundings)
    switch (name, value) {
    case ("constants.pkl", .tuple), ("data.pkl", .object): return
    default: throw ArchiveFault(record.name, "does not hold what it should")
    }
  }

  private func value(
    of record: ZipArchive.Record, in surroundings: PickleMachine.Surroundings
  ) throws(ArchiveFault) -> PickleValue {
    let bytes = try zip.bytes(of: record, limit: Self.longestPickle)
    do throws(PickleFault) {
      return try PickleMachine.value(of: bytes, in: surroundings)
    } catch {
      throw ArchiveFault(record.name, error.message)
    }
  }

  /// What is said of the lines of a program, which LibTorch reads when the program fails.
  private func checkDebugging(_ record: ZipArchive.Record) throws(ArchiveFault) {
    guard DebuggingLines.areSound(try value(of: record, in: .init())) else {
      throw ArchiveFault(record.name, "does not hold what it should")
    }
  }
}
