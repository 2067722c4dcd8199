// SPDX-License-Identifier: Apache-2.0

// Code of your own in the place of the heavy network: here a closure that sorts by colour.

import Inbetween

let clip = StreetClip(seed: 7, count: 12, size: PixelSize(width: 240, height: 180))

// What the closure is given is the picture, 1 × 3 × H × W: blue, green and red from 0 to 255. What
// it gives are maps of 1 × C × H / stride × W / stride: here a score for each of two classes.
let network = ClosureBackbone(stride: 4) { picture in
  let small = try picture.adaptiveAveragePool(
    Extent(height: picture.shape[2] / 4, width: picture.shape[3] / 4))
  let planes = try small.chunked(into: 3, axis: 1)
  let blue = try planes[0] - planes[2]
  return try Tensor.concatenate([blue, -blue], axis: 1)
}
let classes = ClassList(name: "two", names: ["bluish", "reddish"], void: nil)

// Every fourth frame goes through the closure; scores follow the optical flow to the others.
let pipeline = try KeyframePipeline(
  backbone: network, head: ScoreHead(classes: classes), scheduler: .every(4), propagator: .warp(),
  flow: .dis(.medium))

var stream = pipeline.start(), keys = 0
for index in 0..<clip.count {
  let result = try pipeline.label(clip.frame(at: index), in: &stream)
  let (above, below) = result.labels.withUnsafeBytes { bytes in
    let half = bytes.count / 2
    return (bytes[..<half].count { $0 == 0 }, bytes[half...].count { $0 == 0 })
  }
  print(index, result.trace.role.rawValue, "\(above) bluish pixels above, \(below) below")
  if result.trace.role == .key { keys += 1 }
  precondition(above > below + below / 4, "there is more blue above than below")
}
precondition(keys == 3, "3 key frames of 12")
