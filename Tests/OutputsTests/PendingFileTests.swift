// SPDX-License-Identifier: Apache-2.0

import Foundation
import Outputs
import Tensors
import TestSupport
import Testing
import Video

/// Files that appear whole or not at all, whichever step of writing them fails.
struct PendingFileTests {
  let scratch: Scratch
  private let old = [UInt8](repeating: 1, count: 70_000)
  private let new = [UInt8](repeating: 2, count: 90_001)

  init() throws { scratch = try Scratch() }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
  }

  /// Every writer that a file of its own kind comes from.
  enum Writer: CaseIterable {
    case bytes, picture, tensors
  }

  private func write(_ value: UInt8, by writer: Writer, to path: String) throws {
    switch writer {
    case .bytes: try PendingFile.write([UInt8](repeating: value, count: 70_000), to: path)
    case .picture:
      try Image(width: 8, height: 8, channels: 1, bytes: [UInt8](repeating: value, count: 64))
        .writePNG(to: path)
    case .tensors:
      let tensor = try Tensor([Float](repeating: Float(value), count: 16), shape: [16])
      try SafetensorsFile.write(["a": tensor, "b": tensor], to: path)
    }
  }

  @Test(arguments: Writer.allCases, [EIO, ENOSPC])
  func eachStepMayFailAndOneOfTheTwoFilesIsThere(writer: Writer, number: Int32) throws {
    let path = scratch("file")
    try write(1, by: writer, to: scratch("old"))
    try write(2, by: writer, to: scratch("new"))
    let (before, after) = (try bytes(of: scratch("old")), try bytes(of: scratch("new")))
    var (turn, steps) = (1, Int.max)
    while turn <= steps {
      for lasts in [false, true] {
        try Data(before).write(to: URL(filePath: path))
        let faults = Faults(failing: turn, with: number, lasts: lasts)
        #expect(throws: (any Error).self, "step \(turn)") {
          try Faults.$current.withValue(faults) { try write(2, by: writer, to: path) }
        }
        let found = try bytes(of: path)
        #expect(found == before || found == after, "step \(turn) of \(faults.steps)")
        #expect((found == after) == (faults.steps.contains(.folder)))
        #expect(try names() == ["file", "new", "old"])
      }
      let whole = Faults(failing: .max)
      try Faults.$current.withValue(whole) { try write(2, by: writer, to: path) }
      #expect(try bytes(of: path) == after)
      steps = whole.steps.count
      turn += 1
    }
    // Create, at least one write, synchronise, rename, synchronise the folder.
    #expect(steps >= 5)
  }

  @Test func aLinkIsWrittenThroughWhereverItLeads() throws {
    let files = FileManager.default
    try files.createDirectory(atPath: scratch("there"), withIntermediateDirectories: true)
    try Data(old).write(to: URL(filePath: scratch("there/target")))
    try files.createSymbolicLink(atPath: scratch("there/one"), withDestinationPath: "target")
    try files.createSymbolicLink(atPath: scratch("two"), withDestinationPath: "there/one")
    try files.createSymbolicLink(atPath: scratch("dangling"), withDestinationPath: "there/later")
    try PendingFile.write(new, to: scratch("two"))
    try PendingFile.write(new, to: scratch("dangling"))
    #expect(try bytes(of: scratch("there/target")) == new)
    #expect(try bytes(of: scratch("there/later")) == new)
    #expect(try files.destinationOfSymbolicLink(atPath: scratch("two")) == "there/one")
    #expect(try files.destinationOfSymbolicLink(atPath: scratch("dangling")) == "there/later")
    #expect(FileIdentity(scratch("two")) == FileIdentity(scratch("there/target")))
    try files.createSymbolicLink(atPath: scratch("x"), withDestinationPath: "y")
    try files.createSymbolicLink(atPath: scratch("y"), withDestinationPath: "x")
    #expect(throws: OutputError.self) { try PendingFile.write(new, to: scratch("x")) }
  }

  @Test func aPipeIsWrittenIntoAndStaysOne() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    // A reader that is there already, so that nobody waits; a pipe holds 64 KiB.
    let reader = open(scratch("pipe"), O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let whole = Array(new.prefix(50_000))
    try PendingFile.write(whole, to: scratch("pipe"))
    var got = [UInt8](repeating: 0, count: 1 << 17)
    #expect(read(reader, &got, got.count) == whole.count && Array(got.prefix(whole.count)) == whole)
    let file = try PendingFile(for: "/dev/null")
    try whole.withUnsafeBytes { try file.append($0) }
    try file.commit()
    var status = stat()
    #expect(stat(scratch("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func descriptorsAreWrittenIntoAndNotReplaced() throws {
    let path = scratch("open")
    let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(descriptor) }
    try PendingFile.write(new, to: "/dev/fd/\(descriptor)")
    var (there, here) = (stat(), stat())
    #expect(fstat(descriptor, &here) == 0 && stat(path, &there) == 0)
    #expect(there.st_ino == here.st_ino && there.st_size == new.count)
    // One that the process may not even have.
    let closed = getdtablesize()
    #expect(throws: OutputError.self) { try PendingFile.check("/dev/fd/\(closed)") }
  }

  @Test func permissionsOutliveAReplacement() throws {
    try Data(old).write(to: URL(filePath: scratch("file")))
    #expect(chmod(scratch("file"), 0o640) == 0)
    try PendingFile.write(new, to: scratch("file"))
    var status = stat()
    #expect(stat(scratch("file"), &status) == 0 && status.st_mode & 0o777 == 0o640)
  }

  @Test func whatTheDeadLeftIsRemovedAndWhatIsHeldIsNot() throws {
    let stale = scratch("o.mp4.inbetween-3w5e11264sgsf.tmp")
    let others = ["o.mp4.inbetween-later.tmp.txt", "inbetween-1.tmp", "notes.tmp"].map {
      scratch($0)
    }
    for path in [stale] + others { try Data([1]).write(to: URL(filePath: path)) }
    let held = open(scratch("p.mp4.inbetween-1z.tmp"), O_RDWR | O_CREAT, 0o600)
    defer { close(held) }
    #expect(flock(held, LOCK_EX) == 0)
    try PendingFile.write(new, to: scratch("another.json"))
    #expect(!FileManager.default.fileExists(atPath: stale))
    for path in others + [scratch("p.mp4.inbetween-1z.tmp")] {
      #expect(FileManager.default.fileExists(atPath: path), "\(path)")
    }
  }

  @Test func aFolderIsHeldByOne() throws {
    let first = try FolderLock(scratch.path)
    #expect(first != nil)
    #expect(try FolderLock(scratch.path) == nil)
    withExtendedLifetime(first) {}
  }
}
