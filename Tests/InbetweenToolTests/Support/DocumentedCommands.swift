// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Video

/// How commands of the documentation are made to run within a test.
enum DocumentedCommands {
  /// What is not run, and why; it must stand on a page as it is here.
  static let unrun = [
    "Scripts/demo": "installs packages and builds; DemoCommand's own tests run what it shows",
    "Scripts/test": "runs this test",
    "Scripts/install-engines onnxruntime": "downloads a library of 28 MB",
    "Scripts/install-engines onnxruntime-gpu": "downloads a library of 260 MB",
    "Scripts/install-engines torch": "downloads a library of 540 MB, and builds against it",
    "sudo apt-get install --no-install-recommends ./inbetween_0.1.0_amd64.deb && man inbetween":
      "needs the package and root; Scripts/package-test does it on a fresh Debian",
  ]

  /// Why a command is not run; nil for one that is.
  ///
  /// Networks in ONNX files need an engine, which tests do without: EnginesTests and HeadTests run
  /// what these commands do, where one is installed.
  static func reasonNotToRun(_ command: String) -> String? {
    if let reason = unrun[command] { return reason }
    return command.contains(".onnx") ? "needs an engine and a network of the reader's" : nil
  }

  /// What stands in for a name that a reader fills in, or for what a test does not have.
  static let standIns: [(text: String, by: String)] = [
    // Names that stand for the reader's own.
    ("NET", "net.torchscript.pt"), ("CLIP", "street:12"), ("SOURCE", "video.mp4"),
    ("score DIR", "score maps"), ("SPEC", "Models/camvid-light/spec.yaml"),
    ("--recipe NAME", "--recipe davss:street"), ("flow A B", "flow a.png b.png"),
    ("--flow yours", "--flow dis"), (" …", ""),
    // A tool of the reader's own with a part of the reader's own, which Examples/OwnParts builds.
    ("my-inbetween", "inbetween"), ("seconds:0.4", "every:2"),
    // What sends live frames: a camera, an address, a program that need not be there.
    ("live 0", "live drive.mp4"), ("rtsp://host/stream", "drive.mp4"),
    ("ffmpeg -i IN -f yuv4mpegpipe -", "cat clip.y4m"),
    (
      "inbetween live pipe",
      "timeout 20 sh -c 'head -c 2764800 /dev/zero > pipe' & inbetween live pipe"
    ),
    // Fewer frames, and none that are rendered only to be measured on.
    ("--data streets:2 --validation street:12", "--data streets:2"),
    (
      "--data streets:1",
      "--data streets:1 --validation camvid:DIR --set training.focus=0 "
        + "--set training.class_weights=none"
    ),
    ("--frames 40", "--frames 2"), ("street:13", "camvid:DIR"),
    ("--set frames=20", "--set frames=2"),
  ]

  /// What is said beside what a page says, so that little is done.
  static let reductions: [(command: String, options: String)] = [
    ("run", "--threads 1"), ("eval", "--threads 1 --frames 2"), ("live", "--threads 1"),
    ("score", "--threads 1 --frames 2"), ("report", "--threads 1"),
    ("calibrate", "--threads 1 --frames 12"),
    ("sweep", "--threads 1 --frames 2 --rounds 1 --timed-frames 2 --jobs 1"),
    ("tune", "--threads 1 --frames 16 --budget 5"), ("inspect", "--threads 1"),
    (
      "train",
      "--threads 1 --set training.batch=2 --set 'training.crop=[48, 64]' --set 'training.stages="
        + "[{name: all, steps: 1, optimizer: sgd, rate: 0.001}]'"
    ),
  ]

  /// The same of the files that a page shows.
  static func reduced(file text: String) -> String {
    text.replacing(/\b(frames|pictures|pairs): \d+/) { "\($0.1): 4" }
      .replacing(/\b(horizon|length): \d+/) { "\($0.1): 3" }
  }

  /// Files and folders that commands read and no command of the page wrote.
  static let fixtures: [(name: String, make: @Sendable (Scratch) throws -> Void)] = [
    ("video.mp4", { try $0.writeClip(to: "video.mp4", frames: 16, width: 160, height: 120) }),
    ("drive.mp4", { try $0.writeClip(to: "drive.mp4", frames: 16, width: 160, height: 120) }),
    ("IN.mp4", { try $0.writeClip(to: "IN.mp4") }),
    ("a.mp4", { try $0.writeClip(to: "a.mp4") }),
    ("b.mp4", { try $0.writeClip(to: "b.mp4") }),
    ("c.mp4", { try $0.writeClip(to: "c.mp4") }),
    ("clip.y4m", { try $0.write(LiveTests.y4m, to: "clip.y4m") }),
    ("pipe", { _ = mkfifo($0("pipe"), 0o600) }),
    ("net.torchscript.pt", { try $0.writeNetwork() }),
    ("DIR", { try $0.writeCamVid(to: "DIR") }),
    ("a.png", { try $0.writePair() }),
    ("truth.flo", { try $0.writes("flow a.png b.png -o truth.flo") }),
    ("result.json", { try $0.writes("eval \(clip) --scheduler every:2 --json result.json") }),
    ("RUNS", { try $0.writes(evaluation + "every:3 --out RUNS") }),
    ("A", { try $0.writes(evaluation + "every:1 --out A") }),
    ("B", { try $0.writes(evaluation + "every:5 --out B") }),
    ("per-frame", { try $0.writes(evaluation + "every:1 --out per-frame") }),
    ("every-5", { try $0.writes(evaluation + "every:5 --out every-5") }),
    ("every-10", { try $0.writes(evaluation + "every:10 --out every-10") }),
    (
      "SWEEP",
      { try $0.writes("sweep \(clip) --set scheduler=every:2,every:5 --rounds 0 --out SWEEP") }
    ),
  ]

  private static let clip =
    "camvid:DIR --backbone net.torchscript.pt --flow zero --consistency none --threads 1"
  private static let evaluation = "eval \(clip) --scheduler "

  /// The line that is run in the place of one that is documented.
  static func line(for documented: String) -> String {
    var line = documented
    for standIn in standIns { line = line.replacing(whole: standIn.text, by: standIn.by) }
    guard let match = line.firstMatch(of: /(?:^|& |\| )inbetween ([a-z]+)/) else { return line }
    for (command, options) in reductions where command == match.1 {
      line += " "
      line += line.contains(" --frames ") ? options.replacing(/--frames \d+ ?/, with: "") : options
    }
    return line
  }

  /// The files and folders that a line says it writes.
  static func outputs(of line: String) -> [String] {
    line.matches(of: /(?:--(?:out|output|json|labels|keep)|-o) ([^\s-]\S*)/).map { String($0.1) }
      // Of several sources, each writes to a name of its own.
      .filter { !$0.contains("{name}") }
  }
}

extension String {
  /// Replaces text where it is no part of a longer word.
  func replacing(whole text: String, by other: String) -> String {
    var (result, rest) = ("", self[...])
    while let range = rest.range(of: text) {
      let isBegin = (result + rest[..<range.lowerBound]).last.map(\.isPartOfName) != true
      let isEnd = rest[range.upperBound...].first.map(\.isPartOfName) != true
      let isWhole = (isBegin || text.first == " ") && isEnd
      result += rest[..<range.lowerBound] + (isWhole ? other[...] : rest[range])
      rest = rest[range.upperBound...]
    }
    return result + rest
  }

  func names(_ word: String) -> Bool { replacing(whole: word, by: "\0").contains("\0") }
}

extension Character {
  fileprivate var isPartOfName: Bool { isLetter || isNumber || "-_./".contains(self) }
}

extension Scratch {
  /// Runs the program, whose work a page's commands go on from.
  fileprivate func writes(_ line: String) throws {
    for (name, make) in DocumentedCommands.fixtures
    where line.contains("\(name) ") && !has(name) && ["DIR", "net.torchscript.pt"].contains(name) {
      try make(self)
    }
    let outcome = try inbetween(line)
    guard outcome.code == 0 else { throw FixtureFailure(line: line, said: outcome.err) }
  }

  /// A network as PyTorch writes it, and the description beside it unless the page gave one.
  fileprivate func writeNetwork() throws {
    try write(TestSupport.bytes(of: Fixtures.network("camvid.pt")), to: "net.torchscript.pt")
    guard !has("net.yaml") else { return }
    try write(TestSupport.bytes(of: Fixtures.network("camvid.yaml")), to: "net.yaml")
  }

  /// Two parts of stills with labels, laid out as CamVid is.
  fileprivate func writeCamVid(to folder: String) throws {
    let stills = DrawnStills(count: 20, size: PixelSize(width: 160, height: 120))
    for split in ["train", "val"] {
      for part in [split, split + "annot"] {
        try FileManager.default.createDirectory(
          atPath: self("\(folder)/\(part)"), withIntermediateDirectories: true)
      }
      for index in 0..<stills.count {
        let name = "0016E5_0\(7960 + index).png"
        try stills.frame(at: index).pixels.writePNG(to: self("\(folder)/\(split)/\(name)"))
        try stills.labels(at: index)?.writePNG(to: self("\(folder)/\(split)annot/\(name)"))
      }
    }
  }

  /// Two pictures of the same size.
  fileprivate func writePair() throws {
    let stills = DrawnStills(count: 2, size: PixelSize(width: 96, height: 64))
    for (index, name) in ["a.png", "b.png"].enumerated() {
      try stills.frame(at: index).pixels.writePNG(to: self(name))
    }
  }
}

/// A command that prepares what is documented and did not work.
struct FixtureFailure: Error {
  let line: String, said: String
}
