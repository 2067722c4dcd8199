// SPDX-License-Identifier: Apache-2.0
// True boxes of key frames carried to the frames between: mean overlap, and time a frame.
import Datasets
import Flow
import Foundation
import Tracking
import Video

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 1 else {
  print("usage: carry-boxes DATA [--time FRAMES]   (DATA holds davis/ and boxes/Crossing)")
  print("       carry-boxes DATA --masks [STREET ...]   (seeds of rendered streets, beside DAVIS)")
  print("       carry-boxes --streets FOLDER FRAMES STREET ...   (writes them for other programs)")
  exit(64)
}
if arguments[0] == "--streets", arguments.count > 3, let count = Int(arguments[2]) {
  try writeStreets(
    to: arguments[1], count: count, seeds: arguments.dropFirst(3).compactMap { UInt64($0) })
  exit(0)
}
if arguments.dropFirst().first == "--masks" {
  try printMasks(arguments[0], streets: arguments.dropFirst(2).compactMap { UInt64($0) })
  exit(0)
}
let data = CommandLine.arguments[1]
/// How many frames of each sequence are timed; nil where overlaps are asked for.
let timed =
  CommandLine.arguments.dropFirst(2).first == "--time"
  ? CommandLine.arguments.dropFirst(3).first.flatMap { Int($0) } ?? 30 : nil
let flow = DISFlow(preset: .medium, threads: 2)

/// How boxes are brought to a frame.
enum Way: String, CaseIterable {
  case forward, backward, both, key
}

struct Sequence {
  let name: String
  let frames: [Frame]
  let boxes: [BoundingBox?]

  init(_ clip: BoxClip) throws {
    name = String(clip.name.split(separator: "/").last ?? "")
    let count = min(clip.count, timed ?? clip.count)
    frames = try (0..<count).map { try clip.frame(at: $0) }
    boxes = try (0..<count).map { try clip.target(at: $0)?.first?.box }
  }

  /// The step that brings boxes to the frame at `index`.
  func step(to index: Int, key: Int, _ way: Way) throws -> MotionStep {
    let (now, last) = (frames[index], frames[way == .key ? key : index - 1])
    let forward = way == .backward ? nil : try flow.motion(from: last, to: now)
    let backward =
      way == .backward || way == .both ? try flow.motion(from: now, to: last) : nil
    return MotionStep(
      size: now.pixels.size, forward: forward, backward: backward,
      pictures: (last.pixels, now.pixels))
  }

  /// Mean overlap over the non-key frames, as the script beside which this is measured
  /// counts it, and milliseconds of each frame.
  func carried(every interval: Int, _ way: Way) throws -> (overlap: Double, times: [Double]) {
    var tracks = BoxTracks()
    var (atKey, key, isKnown) = (tracks, 0, false)
    var (overlaps, times) = ([Double](), [Double]())
    for (index, truth) in boxes.enumerated() {
      let start = ContinuousClock.now
      if index > 0 {
        if way == .key { tracks = atKey }
        tracks.advance(along: try step(to: index, key: key, way))
        times.append((ContinuousClock.now - start) / .milliseconds(1))
      }
      if index % interval == 0 || !isKnown {
        isKnown = truth != nil
        tracks.take(truth.map { [Detection(box: $0, category: 0, score: 1)] } ?? [])
        (atKey, key) = (tracks, index)
      } else if let truth {
        overlaps.append(tracks.boxes.first?.detection.box.intersectionOverUnion(with: truth) ?? 0)
      }
    }
    return (overlaps.reduce(0, +) / Double(max(1, overlaps.count)), times)
  }
}

let davis = try FileManager.default.contentsOfDirectory(atPath: "\(data)/davis/JPEGImages/480p")
let sequences =
  try davis.sorted().map { try Sequence(.davis(root: "\(data)/davis", sequence: $0)) } + [
    Sequence(.otb(root: "\(data)/boxes/Crossing"))
  ]

if timed != nil {
  let times = try sequences.map { sequence in
    let sorted = try sequence.carried(every: 5, .forward).times.sorted()
    return "\(sequence.name)=\(sorted[sorted.count / 2])"
  }
  print(times.joined(separator: " "))
} else {
  for interval in [2, 5, 10] {
    for way in Way.allCases {
      let overlaps = try sequences.map { try $0.carried(every: interval, way).overlap }
      let mean = overlaps.reduce(0, +) / Double(overlaps.count)
      let each = zip(sequences, overlaps).map { "\($0.name)=\($1)" }
      print("\(interval) \(way.rawValue) \(mean) \(each.joined(separator: " "))")
    }
  }
}
