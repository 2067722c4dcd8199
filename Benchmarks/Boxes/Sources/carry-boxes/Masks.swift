// SPDX-License-Identifier: Apache-2.0
// True masks of key frames carried to the frames between: mean overlap, and time a mask and frame.
import Datasets
import Flow
import Foundation
import Synthesis
import Tracking
import Video

/// How masks are brought to a frame.
enum MaskWay: String, CaseIterable {
  /// They stay.
  case copied
  /// From frame to frame along the flow of the whole picture, read bilinearly: what `cv2.remap`
  /// does.
  case remapped
  /// `CarriedMask`.
  case carried
}

/// A clip whose objects have masks, with the flow from each frame to the one before.
struct MaskSequence {
  let name: String
  let frames: [Frame]
  let truth: [[GroundTruthBox]]
  let flows: [MotionField]

  init(_ name: String, _ frames: [Frame], _ truth: [[GroundTruthBox]]) throws {
    (self.name, self.frames, self.truth) = (name, frames, truth)
    let flow = DISFlow(preset: .medium, threads: 2)
    flows = try frames.indices.dropFirst().map {
      try flow.motion(from: frames[$0], to: frames[$0 - 1])
    }
  }

  /// Mean overlap of the masks of non-key frames, and milliseconds a mask and frame;
  /// objects of fewer than 300 pixels on the key frame are left out.
  func carried(every interval: Int, _ way: MaskWay) -> (overlap: Double, milliseconds: Double) {
    var objects: [Int: Carried] = [:]
    var (sum, count, time) = (0.0, 0, Duration.zero)
    for index in frames.indices {
      guard index % interval != 0 else {
        objects = [:]
        for object in truth[index] where !object.isIgnored {
          guard let identity = object.identity, let mask = object.mask, mask.area >= 300 else {
            continue
          }
          objects[identity] = Carried(object.box, mask)
        }
        continue
      }
      let step = MotionStep(
        size: frames[index].pixels.size, backward: flows[index - 1],
        pictures: (frames[index - 1].pixels, frames[index].pixels))
      let start = ContinuousClock.now
      for identity in objects.keys { objects[identity]?.advance(along: step, way) }
      time += ContinuousClock.now - start
      for object in truth[index] where !object.isIgnored {
        guard let mask = object.mask, let found = object.identity.flatMap({ objects[$0] }) else {
          continue
        }
        sum += found.mask(way).intersectionOverUnion(with: mask)
        count += 1
      }
    }
    let number = Double(max(1, count))
    return (sum / number, time / .milliseconds(1) / number)
  }
}

private struct Carried {
  private var motion: BoxMotion
  private var own: CarriedMask
  private var plane: [Float]

  init(_ box: BoundingBox, _ mask: ObjectMask) {
    (motion, own) = (BoxMotion(box: box), CarriedMask(mask))
    let (width, height) = (mask.size.width, mask.size.height)
    plane = (0..<width * height).map { mask.covers($0 % width, $0 / width) ? 1 : 0 }
  }

  mutating func advance(along step: MotionStep, _ way: MaskWay) {
    switch way {
    case .copied: break
    case .remapped: remap(along: step)
    case .carried:
      let last = motion.uncutBox
      motion.advance(along: step)
      own.advance(along: step, from: last, to: motion.uncutBox)
    }
  }

  private mutating func remap(along step: MotionStep) {
    guard let field = step.backward else { return }
    let (width, height, before) = (step.size.width, step.size.height, plane)
    for y in 0..<height {
      for x in 0..<width {
        let motion = field[x: x, y: y]
        let (u, v) = (Float(x) + motion.dx, Float(y) + motion.dy)
        guard u >= 0, v >= 0, u <= Float(width - 1), v <= Float(height - 1) else {
          plane[y * width + x] = 0
          continue
        }
        let (column, row) = (min(Int(u), width - 2), min(Int(v), height - 2))
        let (a, b) = (u - Float(column), v - Float(row)), first = row * width + column
        let upper = (1 - a) * before[first] + a * before[first + 1]
        let lower = (1 - a) * before[first + width] + a * before[first + width + 1]
        plane[y * width + x] = (1 - b) * upper + b * lower
      }
    }
  }

  func mask(_ way: MaskWay) -> ObjectMask {
    guard way == .remapped else { return own.mask }
    let size = own.key.size
    return ObjectMask(
      size: size, left: 0, top: 0, width: size.width, cells: plane.map { $0 >= 0.5 ? 1 : 0 })
  }
}

/// Prints each way's overlaps, of DAVIS' sequences and of rendered streets, 40 frames each.
func printMasks(_ data: String, streets: [UInt64]) throws {
  let names = try FileManager.default.contentsOfDirectory(atPath: "\(data)/davis/JPEGImages/480p")
  var sequences = try names.sorted().map { name in
    let clip = try BoxClip.davis(root: "\(data)/davis", sequence: name)
    return try MaskSequence(
      name, (0..<clip.count).map { try clip.frame(at: $0) },
      (0..<clip.count).map { try clip.target(at: $0) ?? [] })
  }
  for seed in streets {
    let street = MovingStreet(seed: seed, width: 480, height: 360)
    sequences.append(
      try MaskSequence(
        "street:\(seed)",
        (0..<40).map { Frame(index: $0, time: 0, pixels: street.view(at: $0).image) },
        (0..<40).map { street.masks(at: $0) }))
  }
  for interval in [2, 5, 10] {
    for way in MaskWay.allCases {
      let found = sequences.map { $0.carried(every: interval, way) }
      let each = zip(sequences, found).map {
        let (overlap, time) = (
          String(format: "%.3f", $1.overlap), String(format: "%.1f", $1.milliseconds)
        )
        return "\($0.name)=\(overlap)=\(time)"
      }
      print("\(interval) \(way.rawValue) \(each.joined(separator: " "))")
    }
  }
}
