// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing
import Video

/// `inbetween live`, from whatever sends it frames on this machine.
struct LiveTests {
  let scratch: Scratch
  private static let frames = 12

  init() throws {
    scratch = try Scratch()
    try scratch.write(Self.y4m, to: "clip.y4m")
  }

  /// A drifting square at 25 frames a second, in a form that needs no encoder.
  static let y4m: [UInt8] = {
    var bytes = Array("YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n".utf8)
    for index in 0..<frames {
      bytes += Array("FRAME\n".utf8)
      for y in 0..<48 {
        for x in 0..<64 {
          bytes.append((index + 8..<index + 24).contains(x) && (12..<28).contains(y) ? 200 : 60)
        }
      }
      for plane in 0..<2 {
        for y in 0..<24 {
          for x in 0..<32 {
            let isIn = (index / 2 + 4..<index / 2 + 12).contains(x) && (6..<14).contains(y)
            bytes.append(isIn ? (plane == 0 ? 90 : 240) : 128)
          }
        }
      }
    }
    return bytes
  }()

  private static let headerSize = 41
  private static let frameSize = 6 + 64 * 48 * 3 / 2

  /// The lines that were printed, each an object.
  private func lines(_ outcome: Outcome) throws -> [[String: Any]] {
    try outcome.out.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func live(_ name: String = "r.json") throws -> [String: Any] {
    try #require(try scratch.json(name)["live"] as? [String: Any])
  }

  private static let options =
    "--backbone NET --scheduler every:5 --propagator copy --every-frame --threads 1"

  @Test func standardInputIsLabelledAsTheFileIs() throws {
    let outcome = try scratch.bash(
      "\"$@\" < clip.y4m", "live - \(Self.options) --labels a --json r.json --output o.mp4")
    #expect(outcome.code == 0, "\(outcome.err)")
    let lines = try lines(outcome)
    #expect(lines.map { $0["frame"] as? Int } == (0..<12).map { $0 })
    #expect(lines.map { $0["time"] as? Double } == (0..<12).map { Double($0) / 25 })
    let roles = (0..<12).map { $0 % 5 == 0 ? "key" : "propagated" }
    #expect(lines.map { $0["role"] as? String } == roles)
    #expect(lines.allSatisfy { ($0["age_ms"] as? Double ?? -1) >= 0 })
    #expect(lines.map { $0["map"] as? String } == (0..<12).map { String(format: "a/%06d.png", $0) })
    for line in lines {
      let shares = try #require(line["labels"] as? [String: Double])
      #expect(abs(shares.values.reduce(0, +) - 1) < 0.001 && !shares.isEmpty)
    }
    let file = try scratch.inbetween(
      "run clip.y4m --backbone NET --scheduler every:5 --propagator copy --labels b")
    #expect(file.code == 0)
    for name in try scratch.names("b") {
      #expect(try scratch.bytes("a/" + name) == scratch.bytes("b/" + name))
    }
    let live = try live()
    #expect(live["results"] as? Int == 12 && live["dropped"] as? Int == 0)
    #expect(live["stalls"] as? Int == 0 && live["frames"] as? String == "every")
    #expect(try scratch.json("r.json")["status"] as? String == "ok")
  }

  @Test func rawPicturesComeThroughAPipe() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let pixels = (0..<6).flatMap { index in
      (0..<64 * 48).flatMap { [UInt8](repeating: UInt8($0 % 64 < 10 * index ? 200 : 20), count: 3) }
    }
    try scratch.write(pixels, to: "raw")
    let outcome = try scratch.bash(
      "cat raw > pipe & \"$@\"", "live pipe --raw 64x48:bgr24@10 \(Self.options) --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(try lines(outcome).map { $0["time"] as? Double } == (0..<6).map { Double($0) / 10 })
  }

  // The one that is newest when the next can be labelled; each with its own time.
  @Test func ofAFileAtItsOwnRateTheNewestFramesAreLabelled() throws {
    let options = Self.options.replacingOccurrences(of: "--every-frame", with: "--newest")
    let outcome = try scratch.inbetween("live clip.y4m \(options) --deadline-ms 500 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let (lines, live) = (try lines(outcome), try live())
    #expect(live["decoded"] as? Int == 12)
    let dropped = try #require(live["dropped"] as? Int)
    #expect(lines.count + dropped == 12 && lines.last?["frame"] as? Int == 11)
    for line in lines {
      let (frame, time) = (line["frame"] as? Int, line["time"] as? Double)
      #expect(time == frame.map { Double($0) / 25 })
      #expect(line["late"] as? Bool == line["age_ms"].flatMap { $0 as? Double }.map { $0 > 500 })
    }
    let missed = lines.count { $0["late"] as? Bool == true }
    #expect(live["missed"] as? Int == missed)
    #expect(live["miss_rate"] as? Double == Double(missed) / Double(lines.count))
  }

  @Test(arguments: ["drop", "reuse", "degrade"])
  func whatIsAlwaysLateIsLabelledAndCounted(onLate: String) throws {
    let outcome = try scratch.bash(
      "\"$@\" < clip.y4m",
      "live - \(Self.options) --deadline-ms 0.0001 --on-late \(onLate) --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let lines = try lines(outcome)
    #expect(lines.count == 12 && lines.allSatisfy { $0["late"] as? Bool == true })
    #expect(try live()["miss_rate"] as? Double == 1)
  }

  @Test func aStallForcesAKeyFrame() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let cut = Self.headerSize + 3 * Self.frameSize
    let outcome = try scratch.bash(
      "(head -c \(cut) clip.y4m; sleep 1.2; tail -c +\(cut + 1) clip.y4m) > pipe & \"$@\"",
      "live pipe \(Self.options) --timeout 0.5 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let lines = try lines(outcome)
    #expect(lines.count == 12)
    let broken = lines.filter { $0["break"] != nil }
    #expect(broken.count == 1 && broken[0]["break"] as? String == "gap")
    #expect(broken[0]["role"] as? String == "key")
    #expect(broken[0]["reason"] as? String == "stream broke: gap")
    #expect(try live()["stalls"] as? Int == 1)
    #expect(outcome.err.contains("pipe stalled"))
    #expect(try scratch.json("r.json")["status"] as? String == "partial")
  }

  @Test func aPipesNextSenderIsWaitedForWhereThatIsAsked() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let outcome = try scratch.bash(
      "(cat clip.y4m > pipe; sleep 0.3; cat clip.y4m > pipe) & \"$@\"",
      "live pipe \(Self.options) --max-outage 20 --frames 20 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let lines = try lines(outcome)
    try #require(lines.map { $0["frame"] as? Int } == (0..<20).map { $0 })
    #expect(lines[12]["break"] as? String == "gap" && lines[12]["role"] as? String == "key")
    let times = lines.compactMap { $0["time"] as? Double }
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    #expect(try live()["reconnections"] as? Int == 1)
  }

  @Test func aStreamThatStaysAwayIsGivenUp() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let outcome = try scratch.bash(
      "cat clip.y4m > pipe & \"$@\"",
      "live pipe \(Self.options) --max-outage 1.5 --labels a --json r.json")
    #expect(outcome.code == 75, "\(outcome.err)")
    #expect(outcome.err.contains("pipe: nothing has come for"))
    #expect(try lines(outcome).count == 12 && scratch.names("a").count == 12)
    #expect(try scratch.json("r.json")["status"] as? String == "partial")
  }

  @Test func aReaderThatHasSeenEnoughEndsIt() throws {
    let outcome = try scratch.bash("\"$@\" < clip.y4m | head -1", "live - \(Self.options)")
    #expect(outcome.code == 0 && outcome.out.split(separator: "\n").count == 1)
  }

  @Test func aSignalEndsWaitingWithWhatWasDone() throws {
    #expect(mkfifo(scratch("pipe"), 0o600) == 0)
    let outcome = try scratch.bash(
      """
      (cat clip.y4m; sleep 20) > pipe & sender=$!
      "$@" & pid=$!
      for i in $(seq 200); do [ -e a/000011.png ] && break; sleep 0.1; done
      kill -INT $pid; wait $pid; code=$?; kill -9 $sender; exit $code
      """, "live pipe \(Self.options) --labels a --json r.json")
    #expect(outcome.code == 130, "\(outcome.err)")
    #expect(try scratch.json("r.json")["status"] as? String == "cancelled")
    #expect(try live()["results"] as? Int == 12)
  }

  // Debian has the library that reads cameras in a package of its own, which few have.
  @Test func aCameraThatIsNotThereIsToldSo() throws {
    let outcome = try scratch.inbetween("live /dev/video97 --backbone NET --newest")
    let isMissing = outcome.err.contains("libavdevice")
    #expect(outcome.code == (isMissing ? 69 : 66), "\(outcome.err)")
    #expect(outcome.errorLines.count == 1 && outcome.err.contains("/dev/video97"))
  }

  @Test(arguments: [
    ("live - --backbone NET", 64, "--newest or --every-frame"),
    ("live - --backbone NET --newest --every-frame", 64, "--newest or --every-frame"),
    ("live - --backbone NET --newest --on-late drop", 64, "--deadline-ms"),
    ("live - --backbone NET --newest --deadline-ms 0", 64, "--deadline-ms"),
    ("live - --backbone NET --newest --raw 64x48", 64, "--raw"),
    ("live clip.y4m --backbone NET --newest --raw 64x48:rgb24@5", 64, "--raw"),
    ("live - --backbone NET --newest --json -", 64, "--json"),
    ("live nothing --backbone NET --newest", 66, "nothing"),
    ("live ftp://127.0.0.1/a --backbone NET --newest", 65, "ftp://"),
    ("live file:///etc/hostname --backbone NET --newest", 65, "file://"),
    ("live tcp://127.0.0.1:9/ --backbone NET --newest", 66, "127.0.0.1"),
    ("live - --backbone NET --newest", 65, "standard input"),
    ("live clip.y4m --backbone NET --newest --flow codec", 64, "--every-frame"),
  ])
  func whatCannotBeIsSaidInOneSentence(line: String, code: Int, words: String) throws {
    let outcome = try scratch.inbetween(line)
    #expect(outcome.code == Int32(code), "\(outcome.err)")
    #expect(outcome.errorLines.count == 1 && outcome.err.contains(words), "\(outcome.err)")
    #expect(outcome.out.isEmpty)
  }
}

/// Whether a program is found.
private func isThere(_ program: String) -> Bool {
  (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
  }
}

/// Addresses on loopback, with the `ffmpeg` program as the sender.
@Suite(.enabled(if: isThere("ffmpeg"), "there is no ffmpeg to send frames"), .serialized)
struct LiveAddressTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 50)
  }

  private func label(
    _ address: String, _ sender: String, frames: Int = 20
  ) throws -> (outcome: Outcome, lines: [Substring]) {
    let outcome = try scratch.bash(
      """
      ffmpeg -v error -nostdin -re -stream_loop -1 -i clip.mp4 \(sender) & sender=$!
      sleep 0.5; "$@"; code=$?; kill -9 $sender; exit $code
      """,
      "live \(address) --backbone NET --scheduler every:5 --newest --threads 1 "
        + "--frames \(frames) --json r.json")
    return (outcome, outcome.out.split(separator: "\n"))
  }

  private static func port(_ offset: Int) -> Int { 20_000 + Int(getpid()) % 20_000 + offset }

  @Test(arguments: ["udp", "http", "tcp"])
  func framesComeFromAnAddress(scheme: String) throws {
    let port = Self.port(["udp", "http", "tcp"].firstIndex(of: scheme) ?? 0)
    let address = "\(scheme)://127.0.0.1:\(port)"
    let form = "-c:v mpeg2video -g 5 -f mpegts"
    let sender =
      switch scheme {
      case "udp": "\(form) \(address)?pkt_size=1316"
      case "http": "\(form) -listen 1 \(address)"
      default: "\(form) \(address)?listen"
      }
    let (outcome, lines) = try label(address, sender)
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(lines.count == 20)
    let live = try #require(try scratch.json("r.json")["live"] as? [String: Any])
    #expect(live["results"] as? Int == 20)
  }

  // A playlist may lead anywhere: it is no video, whoever serves it.
  @Test func aPlaylistFromAnAddressIsRefused() throws {
    try scratch.write(
      "#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", to: "list.m3u8")
    let port = Self.port(7)
    let outcome = try scratch.bash(
      """
      ffmpeg -v error -nostdin -f data -i list.m3u8 -map 0 -c copy -f data \\
        -listen 1 http://127.0.0.1:\(port) & sender=$!
      sleep 0.5; "$@"; code=$?; kill -9 $sender; exit $code
      """, "live http://127.0.0.1:\(port)/list.m3u8 --backbone NET --newest --threads 1")
    #expect(outcome.code == 65, "\(outcome.err)")
    #expect(!outcome.err.contains("hostname"))
  }
}
