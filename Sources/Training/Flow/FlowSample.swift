// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Flow
internal import Foundation
internal import Tensors
internal import Video

/// A pair as it is kept for training: everything divided by as much as the network divides a frame
/// by.
struct FlowSample: Sendable {
  /// 1 × 3 × h × w bytes.
  let current: Tensor, reference: Tensor
  /// 1 × 2 × h × w, in pixels of the frame; 0 where it is not known.
  let motion: Tensor
  /// 1 × 1 × h × w: the share of pixels whose motion is known.
  let known: Tensor
  /// 1 × h × w class numbers, the number of classes where there is none.
  let currentLabels: Tensor, referenceLabels: Tensor
}

extension FlowSample {
  init(_ pair: MotionPair, dividedBy division: Int, classes: Int) throws {
    let (field, known) = try pair.motion.tensors()
    let size = pair.current.size
    let mask =
      try known?.cast(to: .float32).unsqueezed(axis: 1)
      ?? .ones([1, 1, size.height, size.width])
    let share = try mask.reduced(by: division)
    motion = try ((field * mask).reduced(by: division)) / share.clamped(to: 1e-6...1)
    self.known = share
    current = try pair.current.tensor().reduced(by: division).rounded()
    reference = try pair.reference.tensor().reduced(by: division).rounded()
    currentLabels = try Self.labels(pair.currentLabels, size, division, classes)
    referenceLabels = try Self.labels(pair.referenceLabels, size, division, classes)
  }

  private static func labels(
    _ image: Image?, _ size: PixelSize, _ division: Int, _ classes: Int
  ) throws -> Tensor {
    let (rows, columns) = (size.height / division, size.width / division)
    guard let image else {
      return try .full([1, rows, columns], of: Double(classes), type: .uint8)
    }
    var labels = [UInt8](repeating: UInt8(classes), count: rows * columns)
    image.withUnsafeBytes { bytes in
      for y in 0..<rows {
        for x in 0..<columns {
          let place = (y * division + division / 2) * size.width + x * division + division / 2
          labels[y * columns + x] = min(bytes[place], UInt8(classes))
        }
      }
    }
    return try Tensor(labels, shape: [1, rows, columns])
  }
}

extension Tensor {
  /// Means over whole blocks of `factor` × `factor` cells; what is left over at the edges goes.
  func reduced(by factor: Int) throws(TensorError) -> Tensor {
    factor == 1 ? self : try averagePool(Extent(factor), stride: Extent(factor))
  }

  fileprivate func rounded() throws(TensorError) -> Tensor {
    try (self + 0.5).clamped(to: 0...255).cast(to: .uint8)
  }
}
