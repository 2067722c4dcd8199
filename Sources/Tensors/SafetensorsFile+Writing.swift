// SPDX-License-Identifier: Apache-2.0

extension SafetensorsFile {
  /// Writes named tensors, and text beside them, to a file that is there whole or not at all.
  ///
  /// Equal tensors and text give equal bytes: the header is sorted by name; the data by the size of
  /// an element, so that each lies at a multiple of it, and then by name. The bytes go to a
  /// temporary name in the same folder, are synced, and take the place of what was there.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String
  ) throws(SafetensorsError) {
    try write(tensors, metadata: metadata, to: path, keepingFormerAs: nil)
  }

  /// The same; what was there before stays under the name `former`, where one is given.
  package static func write(
    _ tensors: [String: Tensor], metadata: [String: String], to path: String,
    keepingFormerAs former: String?
  ) throws(SafetensorsError) {
    let (header, entries) = try plan(tensors, metadata)
    try SafetensorsOutput.write(to: path, keepingFormerAs: former) {
      output throws(SafetensorsError) in
      try header.withUnsafeBufferPointer { bytes throws(SafetensorsError) in
        try output.append(UnsafeRawBufferPointer(bytes))
      }
      for entry in entries {
        try append(tensors[entry.name], named: entry.name, to: output)
      }
    }
  }

  /// What `write` would write.
  public static func encode(
    _ tensors: [String: Tensor], metadata: [String: String] = [:]
  ) throws(SafetensorsError) -> [UInt8] {
    var (bytes, entries) = try plan(tensors, metadata)
    for entry in entries {
      try read(tensors[entry.name], named: entry.name) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private static func append(
    _ tensor: Tensor?, named name: String, to output: borrowing SafetensorsOutput
  ) throws(SafetensorsError) {
    var failure: SafetensorsError?
    try read(tensor, named: name) { bytes in
      do throws(SafetensorsError) { try output.append(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private static func read(
    _ tensor: Tensor?, named name: String, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(SafetensorsError) {
    do {
      try tensor?.withUnsafeBytes(body)
    } catch {
      let isMemory = (error as? TensorError)?.code == .outOfMemory
      throw SafetensorsError(isMemory ? .outOfMemory : .badTensor, tensor: name, "\(error)")
    }
  }

  /// The length and the header of a file, and its tensors in the order of their data.
  private static func plan(
    _ tensors: [String: Tensor], _ metadata: [String: String]
  ) throws(SafetensorsError) -> (header: [UInt8], entries: [SafetensorsEntry]) {
    guard tensors.count <= SafetensorsHeader.mostTensors else {
      throw SafetensorsError(.badTensor, "\(tensors.count) tensors are too many for one file")
    }
    let sorted = tensors.sorted {
      ($1.value.type.byteCount, $0.key) < ($0.value.type.byteCount, $1.key)
    }
    var (entries, end): ([SafetensorsEntry], Int) = ([], 0)
    for (name, tensor) in sorted {
      try check(name)
      let begin = end
      end += tensor.count * tensor.type.byteCount
      entries.append(
        SafetensorsEntry(
          name: name, type: SafetensorsType(tensor.type), shape: tensor.shape, range: begin..<end))
    }
    return (try header(entries, metadata), entries)
  }

  private static func check(_ name: String) throws(SafetensorsError) {
    guard name != "__metadata__", !name.isEmpty, name.utf8.count <= SafetensorsHeader.longestName
    else {
      throw SafetensorsError(.badTensor, tensor: name, "a tensor in a file cannot be called that")
    }
  }

  private static func header(
    _ entries: [SafetensorsEntry], _ metadata: [String: String]
  ) throws(SafetensorsError) -> [UInt8] {
    var members = entries.sorted { $0.name < $1.name }.map(\.json)
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { key, value in
        "\(quoted(key)):\(quoted(value))"
      }
      members.insert("\"__metadata__\":{\(pairs.joined(separator: ","))}", at: 0)
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    guard text.count <= SafetensorsHeader.longest else {
      throw SafetensorsError(.badTensor, "names and metadata make a header of \(text.count) bytes")
    }
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }
}

extension SafetensorsEntry {
  fileprivate var json: String {
    let sizes = shape.dimensions.map(String.init).joined(separator: ",")
    return "\(quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(sizes)],"
      + "\"data_offsets\":[\(range.lowerBound),\(range.upperBound)]}"
  }
}

/// Text as JSON writes it.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\0"..<" ":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
