// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

private let scaling = PixelScaling(
  mean: [110.33, 108.41, 105.03], deviation: [72.13, 72.69, 69.9], scale: .init(repeating: 1 / 255))

private func picture(_ count: Int) -> [UInt8] {
  var draws = Draws(seed: 9)
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &draws) }
}

@Test(arguments: [false, true])
func pixelsAreScaledChannelByChannel(channelsLast: Bool) throws {
  for (height, width) in [(1, 1), (3, 5), (17, 67)] {
    let bytes = picture(height * width * 3)
    var expected: [Float] = []
    for channel in 0..<3 {
      for cell in 0..<height * width {
        let above = Float(bytes[3 * cell + channel]) - scaling.mean[channel]
        expected.append(above / scaling.deviation[channel] * scaling.scale[channel])
      }
    }
    let tensor = try bytes.withUnsafeBytes {
      try Tensor.pixels(
        $0, height: height, width: width, scaling: scaling, channelsLast: channelsLast)
    }
    #expect(tensor.shape == [1, 3, height, width] && tensor.type == .float32)
    #expect(try tensor.floats().bits == expected.bits)
  }
}

@Test(arguments: [false, true])
func redComesFirstWhereAskedFor(channelsLast: Bool) throws {
  let bytes: [UInt8] = [1, 2, 3, 4, 5, 6]
  let scaling = PixelScaling(mean: [3, 2, 1], order: .rgb)
  let tensor = try bytes.withUnsafeBytes {
    try Tensor.pixels($0, height: 1, width: 2, scaling: scaling, channelsLast: channelsLast)
  }
  #expect(try tensor.floats() == [0, 3, 0, 3, 0, 3])
}

@Test func bytesThatDoNotFillThePictureAreRefused() throws {
  let error = #expect(throws: TensorError.self) {
    try picture(11).withUnsafeBytes {
      try Tensor.pixels($0, height: 2, width: 2, scaling: scaling)
    }
  }
  #expect(error?.code == .badShape)
}

@Test(arguments: PixelScaling.Order.allCases)
func samplesAreScaledAsBytesAre(order: PixelScaling.Order) throws {
  let scaling = PixelScaling(
    mean: [110.33, 108.41, 105.03], deviation: [72.13, 72.69, 69.9], scale: [1, 2, 3], order: order)
  let bytes = picture(5 * 7 * 3)
  let (expected, plain) = try bytes.withUnsafeBytes {
    try (
      Tensor.pixels($0, height: 5, width: 7, scaling: scaling),
      Tensor.pixels($0, height: 5, width: 7, scaling: PixelScaling())
    )
  }
  let found = try plain.scaled(by: scaling).floats()
  #expect(try zip(found, expected.floats()).allSatisfy { abs($0 - $1) < 1e-4 })
}
