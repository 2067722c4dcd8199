// SPDX-License-Identifier: Apache-2.0
internal import CTorch
internal import Foundation

/// What an archive is read from: a regular file, or bytes in memory, by position and never beyond
/// its end.
struct ArchiveInput: ~Copyable {
  let count: Int
  private let descriptor: Int32
  private let held: [UInt8]

  init(bytes: [UInt8]) { (count, descriptor, held) = (bytes.count, -1, bytes) }

  /// Opens a file; without waiting, as a pipe would make one do.
  init(contentsOf path: String) throws(TensorError) {
    func failure(_ message: String) -> TensorError {
      TensorError(.badFile, in: "TorchScriptModule.init" as StaticString, message)
    }
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("there is no readable file at \(path)") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw failure("\(path) is not a regular file")
    }
    (count, self.descriptor, held) = (Int(status.st_size), descriptor, [])
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The `size` bytes from `offset` on.
  func bytes(at offset: Int, count size: Int) throws(ArchiveFault) -> [UInt8] {
    guard offset >= 0, size >= 0, offset <= count, size <= count - offset else {
      throw ArchiveFault(nil, "it ends too soon")
    }
    guard descriptor >= 0 else { return Array(held[offset..<offset + size]) }
    var bytes = [UInt8](repeating: 0, count: size)
    let isRead = bytes.withUnsafeMutableBytes { fill($0, from: offset) }
    guard isRead else { throw ArchiveFault(nil, "it cannot be read to its end") }
    return bytes
  }

  /// The CRC-32 of the `size` bytes from `offset` on, a piece at a time.
  func checksum(at offset: Int, count size: Int) throws(ArchiveFault) -> UInt32 {
    var (sum, done): (UInt32, Int) = (0, 0)
    while done < size {
      let piece = try bytes(at: offset + done, count: min(size - done, 1 << 20))
      sum = crc32(piece, after: sum)
      done += piece.count
    }
    return sum
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
    var done = 0
    while done < buffer.count {
      let place = buffer.baseAddress?.advanced(by: done)
      let count = pread(descriptor, place, buffer.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}

/// The CRC-32 of zip archives, going on from that of what came before.
func crc32(_ bytes: [UInt8], after sum: UInt32 = 0) -> UInt32 {
  bytes.withUnsafeBytes { ct_crc32(sum, $0.baseAddress, $0.count) }
}

/// The `count` bytes that deflated ones stand for; nil where they stand for anything else.
func inflated(_ packed: [UInt8], count: Int) -> [UInt8]? {
  // A byte gives at most 1032: what claims more is not worth its memory.
  guard count >= 0, count / 1032 <= packed.count + 1 else { return nil }
  var bytes = [UInt8](repeating: 0, count: count)
  let isWhole = packed.withUnsafeBytes { packed in
    bytes.withUnsafeMutableBytes { bytes in
      ct_inflate(packed.baseAddress, packed.count, bytes.baseAddress, count) != 0
    }
  }
  return isWhole ? bytes : nil
}
