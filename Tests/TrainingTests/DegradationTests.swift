// SPDX-License-Identifier: Apache-2.0

import Testing
import Training
import Video

struct DegradationTests {
  private let grey = Image(width: 64, height: 48, channels: 3, repeating: 120)

  private func degraded(
    _ image: Image, _ degradation: Degradation, seed: UInt64 = 1
  ) throws -> Image {
    var random = RandomStream(seed: seed)
    return try degradation(image, from: &random)
  }

  private func moments(_ image: Image) -> (mean: Double, deviation: Double) {
    let values = image.bytes.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, square.squareRoot())
  }

  @Test func nothingLeavesFramesAsTheyAre() throws {
    #expect(try degraded(grey, Degradation()) == grey)
    #expect(Degradation().isNothing && !Degradation(noise: 1).isNothing)
  }

  @Test func noiseHasAtMostTheDeviationAndNoMean() throws {
    var deviations: [Double] = []
    for seed in 0..<20 {
      let (mean, deviation) = moments(
        try degraded(grey, Degradation(noise: 8), seed: UInt64(seed)))
      #expect(abs(mean - 120) < 0.5 && deviation < 8.3)
      deviations.append(deviation)
    }
    // Drawn from nothing to all of it.
    #expect((deviations.max() ?? 0) > 6 && (deviations.min() ?? 9) < 2)
  }

  @Test func exposureChangesAllSamplesAlike() throws {
    let means = try (0..<20).map { seed in
      let image = try degraded(grey, Degradation(exposure: 0.1), seed: UInt64(seed))
      let (mean, deviation) = moments(image)
      #expect(deviation < 1e-9 && abs(mean / 120 - 1) < 0.105)
      return mean
    }
    #expect((means.max() ?? 0) > 126 && (means.min() ?? 120) < 114)
  }

  // A Gaussian's variance is what a step's slope shows: the derivative of the blurred step is the
  // kernel itself.
  @Test func blurIsGaussianAlongBothAxes() throws {
    let step = Image(width: 40, height: 40, channels: 3) { bytes in
      for place in 0..<(40 * 40) {
        let isBright = place % 40 >= 20 && place / 40 >= 20
        for channel in 0..<3 { bytes[3 * place + channel] = isBright ? 250 : 0 }
      }
    }
    for seed in 0..<5 {
      let image = try degraded(step, Degradation(blur: 2), seed: UInt64(seed))
      func variance(_ sample: (Int) -> UInt8) -> Double {
        let slopes = (1..<40).map { Double(sample($0)) - Double(sample($0 - 1)) }
        let sum = slopes.reduce(0, +)
        let square = zip(1..<40, slopes).reduce(0) {
          $0 + $1.1 * (Double($1.0) - 20) * (Double($1.0) - 20)
        }
        return square / sum
      }
      let across = variance { image[x: $0, y: 39] }, down = variance { image[x: 39, y: $0] }
      #expect(across < 4.3 && abs(across - down) < 0.1, "\(across), \(down)")
    }
    let untouched = try degraded(grey, Degradation(blur: 2))
    #expect(untouched == grey)
  }

  @Test func compressionLosesMoreAtALowerQuality() throws {
    let noisy = try degraded(grey, Degradation(noise: 40), seed: 3)
    func distance(_ quality: Int) throws -> Double {
      let image = try degraded(noisy, Degradation(quality: quality...quality))
      return zip(image.bytes, noisy.bytes).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) }
    }
    let (good, bad) = (try distance(95), try distance(20))
    #expect(good > 0 && bad > 1.2 * good, "\(good), \(bad)")
  }

  @Test func aFrameFollowsFromItsDraws() throws {
    let all = Degradation(exposure: 0.1, blur: 1, noise: 5, quality: 50...90)
    #expect(try degraded(grey, all, seed: 7) == degraded(grey, all, seed: 7))
    #expect(try degraded(grey, all, seed: 7) != degraded(grey, all, seed: 8))
  }
}
