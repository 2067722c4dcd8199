// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// Named tensors in one file, with some text beside them (the safetensors format, version 0.4 on).
///
/// A file is checked whole when it is opened, more strictly than by the reference reader, which
/// takes a key that occurs twice and leading spaces. Its data is then in memory: tensors share it
/// as long as they live, and what happens to the file afterwards does not matter.
public struct SafetensorsFile: Sendable {
  /// The tensors, in the order of their data.
  public let entries: [SafetensorsEntry]
  /// What stands beside the tensors: anything, as text.
  public let metadata: [String: String]

  private let data: SafetensorsData
  private let places: [String: Int]

  /// Reads a file.
  public init(contentsOf path: String) throws(SafetensorsError) {
    let file = try SafetensorsInput.open(path)
    self = try Self(count: file.count) { buffer throws(SafetensorsError) in
      try file.read(into: buffer)
    }
  }

  /// Reads what would stand in a file.
  public init(bytes: [UInt8]) throws(SafetensorsError) {
    var rest = bytes[...]
    self = try Self(count: bytes.count) { buffer throws(SafetensorsError) in
      buffer.copyBytes(from: rest.prefix(buffer.count))
      rest = rest.dropFirst(buffer.count)
    }
  }

  /// Takes header length, header and data one after the other from `read`, which fills each buffer.
  private init(
    count: Int, read: (UnsafeMutableRawBufferPointer) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    let length = try Self.headerLength(in: count, read: read)
    let text = SafetensorsData(count: length)
    try read(text.bytes)
    let header = try SafetensorsHeader([UInt8](text.bytes), dataCount: count - 8 - length)
    data = SafetensorsData(count: count - 8 - length)
    try read(data.bytes)
    (entries, metadata) = (header.entries, header.metadata)
    places = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  private static func headerLength(
    in count: Int, read: (UnsafeMutableRawBufferPointer) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) -> Int {
    guard count >= 8 else {
      throw SafetensorsError(
        .badHeaderLength, "\(count) bytes are too few for the length of a header")
    }
    let word = SafetensorsData(count: 8)
    try read(word.bytes)
    let length = UInt64(littleEndian: word.bytes.load(as: UInt64.self))
    guard length <= SafetensorsHeader.longest else {
      throw SafetensorsError(
        .badHeaderLength,
        "a header of \(length) bytes is longer than \(SafetensorsHeader.longest)")
    }
    guard length <= count - 8 else {
      throw SafetensorsError(
        .badHeaderLength, "a header of \(length) bytes does not fit a file of \(count)")
    }
    return Int(length)
  }
}

extension SafetensorsFile {
  /// What the header says of a tensor; nil where there is none of that name.
  public subscript(name: String) -> SafetensorsEntry? { places[name].map { entries[$0] } }

  /// Calls `body` with the bytes of a tensor as they are stored, the last axis running fastest.
  public func withUnsafeBytes<Result>(
    of name: String, _ body: (SafetensorsEntry, UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let entry = self[name] else { throw absence(of: name) }
    return try withExtendedLifetime(data) {
      try body(entry, UnsafeRawBufferPointer(rebasing: data.bytes[entry.range]))
    }
  }

  func absence(of name: String) -> SafetensorsError {
    SafetensorsError(.missing, tensor: name, "the file has none of that name")
  }

  /// The memory of a tensor, and what keeps it.
  func storage(
    of entry: SafetensorsEntry
  ) -> (bytes: UnsafeRawBufferPointer, owner: SafetensorsData) {
    (UnsafeRawBufferPointer(rebasing: data.bytes[entry.range]), data)
  }
}

/// Bytes read once and shared from then on.
// Safe to share: nothing writes to the bytes once `SafetensorsFile.init` has returned.
final class SafetensorsData: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(count: Int) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
  }

  deinit { bytes.baseAddress?.deallocate() }
}

/// An open file to be read from its beginning to its end.
private struct SafetensorsInput: ~Copyable {
  let count: Int
  private let descriptor: Int32
  private let path: String

  private init(_ path: String, count: Int, descriptor: Int32) {
    (self.path, self.count, self.descriptor) = (path, count, descriptor)
  }

  static func open(_ path: String) throws(SafetensorsError) -> SafetensorsInput {
    // Without O_NONBLOCK a named pipe would make this wait for a writer.
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path, String(cString: strerror(errno))) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw failure(path, "it is not a regular file")
    }
    let input = SafetensorsInput(path, count: Int(status.st_size), descriptor: descriptor)
    guard UInt64(input.count) <= ProcessInfo.processInfo.physicalMemory else {
      throw failure(path, "it is larger than this machine's memory")
    }
    return input
  }

  deinit { close(descriptor) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SafetensorsError) {
    var done = 0
    while done < buffer.count {
      let count = Foundation.read(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path, "it ends too soon") }
      done += count
    }
  }

  private static func failure(_ path: String, _ why: String) -> SafetensorsError {
    SafetensorsError(.unreadable, "\(path) cannot be read: \(why)")
  }
}
