// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// What a step of a flow network's training reads; images and all are divided alike.
public struct FlowBatch: Sendable {
  /// N × 3 × h × w, scaled as the network wants them.
  public let current: Tensor, reference: Tensor
  /// N × 2 × h × w, in pixels of the frame.
  public let motion: Tensor
  /// N × 1 × h × w: the share of pixels whose motion is known.
  public let known: Tensor
  /// N × h × w class numbers, the number of classes where there is none.
  public let currentLabels: Tensor, referenceLabels: Tensor

  init(on device: Device, _ samples: [FlowSample]) throws(TensorError) {
    func joined(_ part: (FlowSample) -> Tensor) throws(TensorError) -> Tensor {
      try .concatenate(samples.map(part), axis: 0).to(device)
    }
    (current, reference) = (try joined(\.current), try joined(\.reference))
    (motion, known) = (try joined(\.motion), try joined(\.known))
    (currentLabels, referenceLabels) = (
      try joined(\.currentLabels), try joined(\.referenceLabels)
    )
  }
}

/// How pairs are changed before a flow network sees them.
public struct FlowAugmentation: Hashable, Sendable {
  /// How far contrast, brightness and each channel stray from what they were, alike in both frames.
  public var colour: Double
  /// The same, for each frame on its own.
  public var difference: Double
  /// The largest deviation of noise, of 255.
  public var noise: Double
  /// Whether every other pair is mirrored.
  public var flips: Bool

  /// Changes of colour, noise and mirroring as strong as these numbers say; 0 leaves one out.
  public init(
    colour: Double = 0.3, difference: Double = 0.04, noise: Double = 4, flips: Bool = true
  ) {
    (self.colour, self.difference) = (colour, difference)
    (self.noise, self.flips) = (noise, flips)
  }

  /// A window of `rows` × `columns` cells of a sample, mirrored or not, in other colours.
  func view(
    _ sample: FlowSample, rows: Int, columns: Int, scaling: PixelScaling,
    random: inout RandomStream
  ) throws(TensorError) -> FlowSample {
    let (top, left) = (
      random.below(sample.current.shape[2] - rows + 1),
      random.below(sample.current.shape[3] - columns + 1)
    )
    let isFlipped = random.unit() < 0.5 && flips
    func cut(_ tensor: Tensor) throws(TensorError) -> Tensor {
      let part = try tensor.slice(axis: -2, top..<top + rows)
        .slice(axis: -1, left..<left + columns)
      return isFlipped ? try part.flipped(axes: -1) : part
    }
    var motion = try cut(sample.motion)
    if isFlipped { motion = try motion * Tensor([-1, 1], shape: [1, 2, 1, 1]) }
    let shared = Self.colours(straying: colour, from: &random)
    return FlowSample(
      current: try recolour(cut(sample.current), shared, scaling, &random),
      reference: try recolour(cut(sample.reference), shared, scaling, &random),
      motion: motion, known: try cut(sample.known),
      currentLabels: try cut(sample.currentLabels),
      referenceLabels: try cut(sample.referenceLabels))
  }

  /// A gain for each channel, and what is added to all.
  private typealias Colours = (gain: SIMD3<Float>, offset: SIMD3<Float>)

  private static func colours(
    straying amount: Double, from random: inout RandomStream
  ) -> Colours {
    let contrast = random.draw(in: 1 - amount...1 + amount)
    let brightness = random.draw(in: -amount...amount) * 128
    var gain = SIMD3<Float>()
    for channel in 0..<3 {
      gain[channel] = Float(contrast * random.draw(in: 1 - amount / 3...1 + amount / 3))
    }
    return (gain, (1 - gain) * 110 + Float(brightness))
  }

  private func recolour(
    _ image: Tensor, _ shared: Colours, _ scaling: PixelScaling, _ random: inout RandomStream
  ) throws(TensorError) -> Tensor {
    let own = Self.colours(straying: difference, from: &random)
    let factor = scaling.scale / scaling.deviation
    let gain = shared.gain * own.gain * factor
    let offset = (shared.offset * own.gain + own.offset - scaling.mean) * factor
    let deviation = random.unit() * noise * Double(factor.sum()) / 3
    let noise = try Tensor.normal(image.shape, deviation: deviation, seed: random.next())
    // Samples are blue, green, red; gains and offsets are by the order of the result.
    let ordered = try scaling.order == .rgb ? image.flipped(axes: 1) : image
    return try ordered.cast(to: .float32) * gain.column + offset.column + noise
  }
}

extension SIMD3<Float> {
  fileprivate var column: Tensor {
    get throws(TensorError) { try Tensor([x, y, z], shape: [1, 3, 1, 1]) }
  }
}
