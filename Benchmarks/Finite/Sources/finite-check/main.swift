// SPDX-License-Identifier: Apache-2.0
// What it costs to look whether a keyframe's scores are finite, beside the network that makes them.
// `finite-check [NETWORK] [ROUNDS]`, with a folder of Models, from the root of the repository.
//
// Processor time of one thread, which other programs disturb less than the clock on the wall.
// Keyframes with and without the check take turns; what the check takes alone is told too, since
// it is less than what turns differ by.

import Foundation
import Inbetween

let arguments = CommandLine.arguments.dropFirst()
let folder = arguments.first ?? "Models/camvid-resnet18"
let rounds = max(arguments.dropFirst().first.flatMap { Int($0) } ?? 51, 1)
try TorchRuntime.setThreads(1)

let network = try SegmentationNetwork(contentsOf: folder).folded()
let clip = StreetClip(seed: 7, count: 1, size: PixelSize(width: 480, height: 360))
let input = Features(try network.input(for: clip.sample(at: 0).frame))
let scores = try network.run(0..<network.stages.count, on: input).main

/// Milliseconds that the processor worked.
func work(_ body: () throws -> Void) rethrows -> Double {
  let begin = clock()
  try body()
  return Double(clock() - begin) * 1000 / Double(CLOCKS_PER_SEC)
}

func keyframe(isChecked: Bool) throws -> Double {
  try work {
    let made = try network.run(0..<network.stages.count, on: input).main
    if isChecked { guard try made.isFinite() else { fatalError("scores are not finite") } }
  }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

for _ in 0..<3 { _ = try keyframe(isChecked: true) }
var (plain, checked, alone): ([Double], [Double], [Double]) = ([], [], [])
for round in 0..<rounds {
  for isChecked in round % 2 == 0 ? [false, true] : [true, false] {
    let time = try keyframe(isChecked: isChecked)
    if isChecked { checked.append(time) } else { plain.append(time) }
  }
  alone.append(try work { for _ in 0..<100 { _ = try scores.isFinite() } } / 100)
}
let ratios = zip(checked, plain).map { $0 / $1 }

let facts = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
let processor =
  facts.split(separator: "\n").first { $0.hasPrefix("model name") }
  .flatMap { $0.split(separator: ":").last }.map { $0.trimmingCharacters(in: .whitespaces) }
let set = [("avx512f", "AVX-512"), ("avx2", "AVX2")].first { facts.contains(" \($0.0) ") }?.1
print("\(processor ?? "a processor"), \(set ?? "neither AVX2 nor AVX-512"); \(folder) at 480×360")
print("scores of \(scores.shape), \(rounds) rounds of one keyframe each way")
print(
  String(
    format: "a keyframe: %.2f ms, checked: %.2f ms; a round's ratio: median %.4f, %.4f to %.4f",
    median(plain), median(checked), median(ratios), ratios.min() ?? 1, ratios.max() ?? 1))
print(
  String(
    format: "the check alone: %.4f ms, %.4f of a keyframe", median(alone),
    median(alone) / median(plain)))
