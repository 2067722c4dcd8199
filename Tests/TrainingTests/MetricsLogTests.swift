// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Training

/// Writes what a run tells of some steps.
private func tell(_ log: MetricsLog, _ steps: ClosedRange<Int>) throws {
  for step in steps {
    try log.append(step: step, split: "train", ["loss": 1 / Double(step), "rate": 0.01])
    if step % 4 == 0 { try log.append(step: step, split: "val", ["val/miou": Double(step) / 40]) }
  }
}

@Test func aLineIsAnObjectThatStrictReadersTake() throws {
  let scratch = try Scratch()
  let log = try MetricsLog(path: scratch("metrics.jsonl"), keepingThrough: -1)
  let values = ["z": .nan, "a/β": 0.1, "m": -.infinity, "t": 1e-9]
  try log.append(step: 7, split: "a \"b\"\n\\", values)
  let bytes = try bytes(of: scratch("metrics.jsonl"))
  #expect(
    String(decoding: bytes, as: UTF8.self)
      == #"{"step":7,"split":"a \"b\"\u000a\\","a/β":0.1,"m":null,"t":1e-09,"z":null}"# + "\n")
  let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
  #expect(object?["split"] as? String == "a \"b\"\n\\" && object?["t"] as? Double == 1e-9)
}

@Test(arguments: [0, 1, 4, 9, 10])
func aResumedRunTellsWhatAnUnbrokenOneDoes(checkpoint: Int) throws {
  let scratch = try Scratch()
  let (unbroken, broken) = (scratch("unbroken"), scratch("broken"))
  try tell(MetricsLog(path: unbroken, keepingThrough: -1), 1...12)
  try tell(MetricsLog(path: broken, keepingThrough: -1), 1...10)
  // Killed in the middle of a line.
  try Data(bytes(of: broken) + #"{"step":11,"spl"#.utf8).write(to: URL(filePath: broken))
  try tell(MetricsLog(path: broken, keepingThrough: checkpoint), (checkpoint + 1)...12)
  #expect(try bytes(of: broken) == bytes(of: unbroken))
}

@Test(arguments: ["{\"step\":2,", "\0\0\0\0\n", "[2]\n", "\u{FEFF}half\n{\"step\":3}\n", "\n"])
func whatIsNoLineOfTheLogIsCutOff(rest: String) throws {
  let scratch = try Scratch()
  let line = "{\"step\":1,\"split\":\"train\",\"loss\":2.5}\n"
  let path = try scratch.file("metrics.jsonl", (line + rest).utf8)
  try MetricsLog(path: path, keepingThrough: 100).append(step: 2, split: "train", [:])
  #expect(
    try String(decoding: bytes(of: path), as: UTF8.self)
      == line + "{\"step\":2,\"split\":\"train\"}\n")
}

@Test func aNewRunBeginsWithAnEmptyLog() throws {
  let scratch = try Scratch()
  try tell(MetricsLog(path: scratch("log"), keepingThrough: -1), 1...3)
  _ = try MetricsLog(path: scratch("log"), keepingThrough: -1)
  #expect(try bytes(of: scratch("log")).isEmpty)
}

@Test func linesOfManyThreadsStayWhole() throws {
  let scratch = try Scratch()
  let log = try MetricsLog(path: scratch("log"), keepingThrough: -1)
  DispatchQueue.concurrentPerform(iterations: 64) { step in
    try? log.append(step: step, split: "train", ["loss": Double(step)])
  }
  let lines = try String(decoding: bytes(of: scratch("log")), as: UTF8.self).split(separator: "\n")
  let steps = try lines.map { line in
    (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["step"] as? Int
  }
  #expect(Set(steps) == Set(0..<64) && lines.count == 64)
}

@Test func aFolderOrAPipeIsNoLog() throws {
  let scratch = try Scratch()
  #expect(mkfifo(scratch("pipe"), 0o600) == 0)
  for path in [scratch.path, scratch("pipe"), scratch("none/log"), "/dev/null"] {
    let error = try #require(throws: TrainingError.self) {
      try MetricsLog(path: path, keepingThrough: -1)
    }
    #expect(error.message.hasPrefix("\(path) cannot be written: "))
  }
}
