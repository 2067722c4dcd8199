// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A flow estimator: one shift to the side for the whole picture, the one that looks most alike.
///
/// Of the laws it breaks that of the moved picture, since it knows no motion up or down.
struct PanFlow: FlowEstimator {
  /// The longest shift that is tried, in pixels.
  let reach: Int

  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    let (here, there) = (current.pixels, reference.pixels)
    guard here.size == there.size else {
      throw FlowError(.sizesDiffer, "frames of \(here.size) and \(there.size)")
    }
    let (new, old) = (here.bytes, there.bytes)
    let furthest = min(reach, here.width - 1)
    var best = (shift: 0, difference: Double.infinity)
    // From none outwards, so that of shifts that look equal the shortest is taken.
    for shift in (-furthest...furthest).sorted(by: { abs($0) < abs($1) }) {
      let difference = difference(new, old, shift: shift, width: here.width, height: here.height)
      if difference < best.difference { best = (shift, difference) }
    }
    // The horizontal part of every pixel, and then the vertical one.
    let pixels = here.width * here.height
    let displacements = (0..<2 * pixels).map { $0 < pixels ? Float(best.shift) : 0 }
    return MotionField(width: here.width, height: here.height, displacements: displacements)
  }

  /// The mean difference of green where the shifted pictures overlap.
  private func difference(
    _ new: [UInt8], _ old: [UInt8], shift: Int, width: Int, height: Int
  ) -> Double {
    let columns = max(0, -shift)..<min(width, width - shift)
    var sum = 0
    for row in 0..<height {
      for column in columns {
        let place = row * width + column
        sum += abs(Int(new[3 * place + 1]) - Int(old[3 * (place + shift) + 1]))
      }
    }
    return Double(sum) / Double(columns.count * height)
  }
}

extension Registries {
  mutating func registerPanFlow() {
    flows.register(
      "pan", "one shift to the side for the whole picture, up to REACH pixels",
      options: [.optional("reach", .integer(1...64), standard: 16)]
    ) { options, _ in PanFlow(reach: options.integer("reach")) }
  }
}
