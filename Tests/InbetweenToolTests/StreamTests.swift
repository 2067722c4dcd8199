// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// Whether a small file system of one's own can be mounted here.
private let canMount: Bool = {
  guard geteuid() == 0, let scratch = try? Scratch() else { return false }
  let script = "mount -t tmpfs -o size=64k tmpfs . && umount -l ."
  return (try? Running("/bin/bash", ["-c", script], in: scratch.path).wait().code) == 0
}()

/// Standard output and disks as they are found in the wild.
struct StreamTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 24, width: 160, height: 120)
  }

  @Test(arguments: ["list", "--help", "run clip.mp4 --backbone NET", "doctor"])
  func aReaderThatHasSeenEnoughIsNoFailure(line: String) throws {
    let pipe = Pipe()
    let running = try { () throws -> Running in
      try pipe.fileHandleForReading.close()
      return try scratch.start(line, output: pipe.fileHandleForWriting)
    }()
    let outcome = try running.wait()
    #expect(outcome.code == 0)
    #expect(outcome.err.isEmpty)
  }

  @Test(arguments: ["list", "run clip.mp4 --backbone NET"])
  func outputThatCannotBePrintedIsAFailure(line: String) throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let outcome = try scratch.start(line, output: full).wait()
    #expect(outcome.code == 74)
    #expect(outcome.err.contains("standard output"))
  }

  @Test func closedStreamsLendTheirNumbersToNoFile() throws {
    let line = "run clip.mp4 --backbone NET --output o.mp4 --json r.json"
    #expect(try scratch.bash("exec \"$@\" <&- >&- 2>&-", line).code == 0)
    let source = try VideoSource.open(scratch("o.mp4"))
    while try source.next() != nil {}
    #expect(source.report.isClean && source.report.decoded == 24)
    #expect(try scratch.json("r.json")["status"] as? String == "ok")
  }

  @Test(arguments: ["--json -", "--json /dev/stdout"])
  func theResultCanBePiped(option: String) throws {
    let outcome = try scratch.inbetween("run clip.mp4 --backbone NET \(option)")
    #expect(outcome.code == 0)
    let result = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any]
    #expect(result?["status"] as? String == "ok")
  }

  @Test func aDeviceIsWrittenIntoAndNeverReplaced() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let reader = try Running("/bin/cat", ["pipe"], in: scratch.path)
    #expect(try scratch.inbetween("run clip.mp4 --backbone NET --json pipe").code == 0)
    #expect(try reader.wait().out.contains("schema_version"))
    let other = try Running("/bin/bash", ["-c", "cat pipe > o.mp4"], in: scratch.path)
    #expect(try scratch.inbetween("run clip.mp4 --backbone NET --output pipe").code == 0)
    _ = try other.wait()
    let source = try VideoSource.open(scratch("o.mp4"))
    while try source.next() != nil {}
    #expect(source.report.isClean && source.report.decoded == 24)
    var status = stat()
    #expect(stat(scratch("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test(arguments: ["", " --overlap"])
  func aFileThatGrowsTooLargeIsGivenUpWhole(option: String) throws {
    let line = "run clip.mp4 --backbone NET --output o.mp4 --json r.json" + option
    let outcome = try scratch.bash("ulimit -f 8; exec \"$@\"", line)
    #expect(outcome.code == 74, "\(outcome.err)")
    #expect(outcome.err.contains("o.mp4"))
    #expect(!scratch.has("o.mp4"))
    #expect(try scratch.json("r.json")["status"] as? String == "failed")
    #expect(try scratch.names() == ["clip.mp4", "r.json"])
  }

  @Test(.enabled(if: canMount, "mounting takes a right that is not there"))
  func aFullDiskIsToldAndLeavesNoHalfFile() throws {
    let script = """
      mkdir disk && mount -t tmpfs -o size=16k tmpfs disk || exit 99
      "$@"; code=$?
      ls -A disk > left; umount -l disk; exit $code
      """
    let line = "run clip.mp4 --backbone NET --output disk/o.mp4 --json r.json"
    let outcome = try scratch.bash(script, line)
    #expect(outcome.code == 74, "\(outcome.err)")
    #expect(outcome.err.contains("No space left"))
    #expect(try scratch.bytes("left").isEmpty)
    #expect(try scratch.json("r.json")["status"] as? String == "failed")
  }
}
