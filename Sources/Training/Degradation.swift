// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Specification
internal import Tensors
public import Video

/// What a camera and a codec do to each frame on its own: exposure, blur, noise, compression.
///
/// Filmed frames differ by more than what moves. A still that is set in motion shows the same
/// samples twice, so that any difference means an error of the motion; where frames are degraded
/// independently it also means noise, as on video.
public struct Degradation: Hashable, Sendable {
  /// How far a frame's brightness strays from 1, either way.
  public var exposure: Double
  /// The largest deviation of a Gaussian blur, in pixels.
  public var blur: Double
  /// The largest deviation of the noise of a sample, in levels of 255.
  public var noise: Double
  /// JPEG qualities; nil leaves frames uncompressed.
  public var quality: ClosedRange<Int>?

  /// Nothing, unless asked for.
  ///
  /// - Precondition: nothing is negative, and qualities are from 1 to 100.
  public init(
    exposure: Double = 0, blur: Double = 0, noise: Double = 0, quality: ClosedRange<Int>? = nil
  ) {
    precondition(exposure >= 0 && blur >= 0 && noise >= 0, "a degradation below nothing")
    precondition(
      quality.map { $0.lowerBound >= 1 && $0.upperBound <= 100 } ?? true, "JPEG of no quality")
    (self.exposure, self.blur, self.noise, self.quality) = (exposure, blur, noise, quality)
  }

  /// Whether frames stay as they are.
  public var isNothing: Bool { self == Degradation() }

  /// The frame as it was filmed: exposed, blurred, noisy and compressed, in this order, each as
  /// much as is drawn.
  ///
  /// - Throws: `VideoError` where it cannot be compressed, which needs memory only.
  public func callAsFunction(_ frame: Image, from random: inout RandomStream) throws -> Image {
    guard !isNothing else { return frame }
    let gain = Float(1 + exposure * random.draw(in: -1...1))
    let blur = self.blur * random.unit(), noise = self.noise * random.unit()
    let seed = random.next(), place = random.unit()
    var samples = frame.bytes.map { Float($0) * gain }
    if blur > 0.1 {
      samples.blur(width: frame.width, height: frame.height, channels: frame.channels, blur)
    }
    if noise > 0 {
      let drawn = try Tensor.normal([samples.count], deviation: noise, seed: seed).floats()
      for place in samples.indices { samples[place] += drawn[place] }
    }
    let degraded = Image(
      width: frame.width, height: frame.height, channels: frame.channels,
      bytes: samples.map { UInt8(Swift.min(Swift.max($0, 0), 255).rounded()) })
    guard let quality else { return degraded }
    return try degraded.compressedAsJPEG(
      quality: quality.lowerBound + Int(place * Double(quality.count)))
  }
}

extension [Float] {
  /// A Gaussian blur of packed samples, rows then columns; what is outside repeats the edge.
  fileprivate mutating func blur(width: Int, height: Int, channels: Int, _ deviation: Double) {
    let kernel = gaussian(deviation: deviation)
    let row = width * channels
    var across = self
    for y in 0..<height {
      convolve(
        into: &across, kernel, count: width, stride: channels, lines: channels, from: y * row)
    }
    across.convolve(into: &self, kernel, count: height, stride: row, lines: row, from: 0)
  }

  /// `lines` lines side by side, each of `count` samples that are `stride` apart.
  private func convolve(
    into result: inout [Float], _ kernel: [Float], count: Int, stride: Int, lines: Int,
    from start: Int
  ) {
    let radius = kernel.count / 2
    for place in 0..<count {
      let to = start + place * stride
      for line in 0..<lines { result[to + line] = 0 }
      for (tap, weight) in kernel.enumerated() {
        let from = start + Swift.min(Swift.max(place + tap - radius, 0), count - 1) * stride
        for line in 0..<lines { result[to + line] += weight * self[from + line] }
      }
    }
  }
}

/// Weights that sum to 1, three deviations to either side.
private func gaussian(deviation: Double) -> [Float] {
  let radius = max(1, Int((3 * deviation).rounded(.up)))
  let weights = (-radius...radius).map { place in
    exp(-Double(place * place) / (2 * deviation * deviation))
  }
  let sum = weights.reduce(0, +)
  return weights.map { Float($0 / sum) }
}

extension DescriptionReader {
  /// The group `degradation`; nothing where it is left out.
  func degradation() throws(SpecificationError) -> Degradation {
    guard has("degradation") else { return Degradation() }
    let group = try group("degradation")
    try group.allow(["exposure", "blur", "noise", "quality"])
    var degradation = Degradation(
      exposure: try group.number("exposure", in: 0...1, usual: 0),
      blur: try group.number("blur", in: 0...20, usual: 0),
      noise: try group.number("noise", in: 0...255, usual: 0))
    guard group.has("quality") else { return degradation }
    let quality = try group.integers("quality", in: 1...100)
    guard quality.count == 2, quality[0] <= quality[1] else {
      throw group.complaint("quality", "must be a range within 1…100, lowest first")
    }
    degradation.quality = quality[0]...quality[1]
    return degradation
  }
}
