// SPDX-License-Identifier: Apache-2.0
// Dense inverse search beside OpenCV's: time, end-point error, and labels carried along the motion.
import Flow
import Foundation
import Video

guard CommandLine.arguments.count >= 2 else {
  print("usage: compare-flow DATA [THREADS] [ROUNDS]   (DATA holds camvid/ and flow/)")
  exit(64)
}
let data = URL(fileURLWithPath: CommandLine.arguments[1])
let threads = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 2
let rounds = CommandLine.arguments.dropFirst(3).first.flatMap { Int($0) } ?? 2
try OpenCV.setThreads(threads)

let street = try StreetFrames(folder: data.appendingPathComponent("camvid"))
print("\(threads) threads; \(OpenCV.version); medians, least in brackets")
for preset in DISFlow.Preset.allCases { try printTimes(of: preset) }
let pairs = try truePairs(in: data.appendingPathComponent("flow"))
print("\nend-point error: " + pairs.map(\.name).joined(separator: " "))
for preset in DISFlow.Preset.allCases { try printErrors(of: preset, on: pairs) }
print("\nmIoU of true labels carried over 1, 2, 5, 10 frames")
for preset in DISFlow.Preset.allCases { try printCarried(by: preset) }

/// Both estimators of one preset: ours first.
func estimators(_ preset: DISFlow.Preset) -> [any FlowEstimator] {
  let other = OpenCVDISFlow.Preset(rawValue: preset.rawValue) ?? .medium
  return [DISFlow(preset: preset, threads: threads), OpenCVDISFlow(preset: other)]
}

/// Times both on the same pairs in turn: to a key at most five frames back, as a pipeline asks.
func printTimes(of preset: DISFlow.Preset) throws {
  for (kind, frames) in [("grey", street.grey), ("colour", street.colour)] {
    var times: [[Double]] = [[], []]
    let both = estimators(preset)
    for _ in 0..<rounds {
      for current in frames.indices where current % 6 != 0 {
        for (index, estimator) in both.enumerated() {
          let reference = frames[current - current % 6]
          let start = ContinuousClock.now
          _ = try estimator.motion(from: frames[current], to: reference)
          times[index].append((ContinuousClock.now - start) / .milliseconds(1))
        }
      }
    }
    let cells = times.map { list in
      let sorted = list.sorted()
      return String(format: "%6.2f ms [%.2f]", sorted[sorted.count / 2], sorted[0])
    }
    let medians = times.map { $0.sorted()[$0.count / 2] }
    print(
      "\(preset.rawValue), \(kind), \(times[0].count) pairs: ours \(cells[0]), OpenCV \(cells[1]), "
        + String(format: "%.2f times as fast", medians[1] / medians[0]))
  }
}

func printErrors(of preset: DISFlow.Preset, on pairs: [TruePair]) throws {
  for (name, estimator) in zip(["ours  ", "OpenCV"], estimators(preset)) {
    let cells = try pairs.map { pair in
      let motion = try estimator.motion(from: pair.current, to: pair.reference)
      return String(format: "%5.3f", try motion.endPointError(against: pair.truth)?.mean ?? .nan)
    }
    print(
      "\(name) \(preset.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0))",
      cells.joined(separator: " "))
  }
}

func printCarried(by preset: DISFlow.Preset) throws {
  for (name, estimator) in zip(["ours  ", "OpenCV"], estimators(preset)) {
    let scores = try [1, 2, 5, 10].map { try street.carried(over: $0, by: estimator) }
    print(
      "\(name) \(preset.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0))",
      scores.map { String(format: "%.4f", $0) }.joined(separator: " "))
  }
}
