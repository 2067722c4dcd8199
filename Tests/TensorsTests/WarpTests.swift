// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Tensors
import TestSupport
import Testing

private let sizes: [(channels: Int, height: Int, width: Int)] = [
  (1, 1, 1), (3, 1, 7), (4, 9, 1), (12, 1, 40), (5, 2, 2), (8, 16, 16), (11, 17, 33), (12, 24, 50),
  (19, 23, 61), (33, 7, 129), (2, 3, 1030), (70, 5, 18),
]

private let layouts = [false, true]

@Test(arguments: Border.allCases, layouts)
func aWarpIsWhatTheSlowReferenceGives(border: Border, channelsLast: Bool) throws {
  for (seed, size) in sizes.enumerated() {
    for reach: Float in [0.4, 3, 40] {
      let one = WarpCase(
        channels: size.channels, height: size.height, width: size.width, reach: reach,
        seed: UInt64(seed))
      let expected = referenceWarp(
        features: one.features, channels: one.channels, height: one.height, width: one.width,
        motion: one.motion, border: border)
      let planar = try one.warped(border, channelsLast: channelsLast)
      let sideBySide = try one.warped(border, channelsLast: channelsLast, interleaved: true)
      #expect(planar.furthest(from: expected) < 1e-6, "\(one), motion up to \(reach)")
      #expect(planar.bits == sideBySide.bits, "\(one), motion side by side")
    }
  }
}

@Test(arguments: Border.allCases, layouts)
func smoothMotionIsWhatTheSlowReferenceGives(border: Border, channelsLast: Bool) throws {
  var one = WarpCase(channels: 12, height: 37, width: 83, reach: 1, seed: 5)
  for cell in 0..<one.height * one.width {
    let (x, y) = (Float(cell % one.width), Float(cell / one.width))
    one.motion[2 * cell] = 2.3 + 0.031 * x - 0.02 * y
    one.motion[2 * cell + 1] = -1.6 + 0.017 * x + 0.045 * y
  }
  let expected = referenceWarp(
    features: one.features, channels: 12, height: 37, width: 83, motion: one.motion,
    border: border)
  #expect(try one.warped(border, channelsLast: channelsLast).furthest(from: expected) < 1e-6)
}

@Test(arguments: Border.allCases, layouts)
func zeroMotionIsTheIdentity(border: Border, channelsLast: Bool) throws {
  for (seed, size) in sizes.enumerated() {
    var one = WarpCase(
      channels: size.channels, height: size.height, width: size.width, reach: 0,
      seed: UInt64(seed))
    for (place, value) in [Float.nan, .infinity, -.infinity, -0.0, 0, .leastNonzeroMagnitude]
      .enumerated()
    {
      one.features[(place * 7) % one.features.count] = value
    }
    #expect(try one.warped(border, channelsLast: channelsLast).bits == one.features.bits, "\(one)")
  }
}

@Test(arguments: Border.allCases, layouts)
func aWholeCellShiftIsExact(border: Border, channelsLast: Bool) throws {
  for (dx, dy) in [(1, 0), (0, -1), (-3, 2), (5, 5), (-100, 0), (0, 1000)] {
    var one = WarpCase(channels: 13, height: 11, width: 35, reach: 0, seed: 3)
    one.features[40] = .nan
    one.motion = (0..<11 * 35).flatMap { _ in [Float(dx), Float(dy)] }
    var expected = one.features
    for channel in 0..<13 {
      for y in 0..<11 {
        for x in 0..<35 {
          let (column, row) = (x + dx, y + dy)
          let inside = (0..<35).contains(column) && (0..<11).contains(row)
          let near = (min(max(column, 0), 34), min(max(row, 0), 10))
          let value = one.features[(channel * 11 + near.1) * 35 + near.0]
          expected[(channel * 11 + y) * 35 + x] = inside || border == .clamp ? value : 0
        }
      }
    }
    let shifted = try one.warped(border, channelsLast: channelsLast)
    #expect(shifted.bits == expected.bits, "a shift of \((dx, dy))")
  }
}

@Test(arguments: layouts)
func aNeighbourThatTakesNoPartDoesNoHarm(channelsLast: Bool) throws {
  var one = WarpCase(channels: 12, height: 4, width: 40, reach: 0, seed: 8)
  let plane = 4 * 40
  for channel in 0..<12 {
    for x in 0..<40 { one.features[channel * plane + 2 * 40 + x] = .nan }
  }
  // Half a cell to the right in the first two rows: the third row, all NaN, has weight 0.
  for cell in 0..<2 * 40 { one.motion[2 * cell] = 0.5 }
  let warped = try one.warped(.clamp, channelsLast: channelsLast)
  for channel in 0..<12 {
    for cell in 0..<2 * 40 {
      let right = cell % 40 == 39 ? cell : cell + 1
      let here = one.features[channel * plane + cell] * 0.5
      let there = one.features[channel * plane + right] * 0.5
      #expect(warped[channel * plane + cell] == here + there)
    }
  }
}

@Test(arguments: Border.allCases, layouts)
func motionThatIsNotFiniteOrNotKnownReadsItsOwnPlace(border: Border, channelsLast: Bool) throws {
  var one = WarpCase(channels: 9, height: 13, width: 45, reach: 4, seed: 12)
  var known = [UInt8](repeating: 1, count: 13 * 45)
  let strange: [Float] = [.nan, .infinity, -.infinity]
  for cell in stride(from: 0, to: known.count, by: 7) {
    one.motion[2 * cell + cell % 2] = strange[cell % 3]
    known[(cell * 5 + 3) % known.count] = 0
  }
  one.known = known
  let expected = referenceWarp(
    features: one.features, channels: 9, height: 13, width: 45, motion: one.motion,
    border: border, known: known)
  let warped = try one.warped(border, channelsLast: channelsLast)
  #expect(warped.furthest(from: expected) < 1e-6)
  for cell in known.indices where known[cell] == 0 {
    #expect(warped[cell].bitPattern == one.features[cell].bitPattern)
  }
}

@Test(arguments: layouts)
func motionBeyondAllBoundsIsClamped(channelsLast: Bool) throws {
  var one = WarpCase(channels: 6, height: 5, width: 19, reach: 0, seed: 2)
  let least = Float.leastNonzeroMagnitude
  let far: [Float] = [
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 3e9, -3e9, least, -least,
  ]
  for index in one.motion.indices { one.motion[index] = far[(index * 5) % far.count] }
  for border in Border.allCases {
    let expected = referenceWarp(
      features: one.features, channels: 6, height: 5, width: 19, motion: one.motion,
      border: border)
    #expect(try one.warped(border, channelsLast: channelsLast).furthest(from: expected) < 1e-6)
  }
}

@Test func bothLayoutsGiveTheSameBits() throws {
  for border in Border.allCases {
    for reach: Float in [0.2, 2, 30] {
      let one = WarpCase(channels: 21, height: 31, width: 67, reach: reach, seed: 31)
      let planar = try one.warped(border, channelsLast: false)
      #expect(planar.bits == (try one.warped(border, channelsLast: true)).bits)
    }
  }
}

@Test(arguments: layouts)
func theMemoryFormatIsKept(channelsLast: Bool) throws {
  let one = WarpCase(channels: 6, height: 5, width: 8, reach: 2, seed: 1)
  let warped = try one.featureTensor(channelsLast: channelsLast).warped(along: one.motionTensor())
  #expect(warped.isChannelsLast == channelsLast && warped.isContiguous != channelsLast)
}

@Test(arguments: layouts)
func theNumberOfThreadsChangesNoBit(channelsLast: Bool) throws {
  steadyThreads.lock()
  defer { steadyThreads.unlock() }
  let one = WarpCase(channels: 12, height: 120, width: 161, reach: 6, seed: 4)
  let before = try TorchRuntime.threads()
  defer { try? TorchRuntime.setThreads(before) }
  var results: [[UInt32]] = []
  for threads in [1, 2, 3] {
    try TorchRuntime.setThreads(threads)
    results.append(try one.warped(.clamp, channelsLast: channelsLast).bits)
  }
  #expect(results[0] == results[1] && results[0] == results[2])
}

@Test(arguments: layouts)
func eachImageOfABatchHasItsOwnMotion(channelsLast: Bool) throws {
  let cases = (0..<3).map { WarpCase(channels: 5, height: 9, width: 14, reach: 3, seed: $0) }
  let features = try Tensor(cases.flatMap(\.features), shape: [3, 5, 9, 14])
  let motion = try Tensor(
    cases.flatMap { try $0.motionTensor().floats() }, shape: [3, 2, 9, 14])
  let ready = try channelsLast ? features.channelsLast() : features
  let together = try ready.warped(along: motion, border: .zero).floats()
  #expect(together.bits == (try cases.flatMap { try $0.warped(.zero) }).bits)
  let shared = try ready.warped(along: cases[0].motionTensor()).floats()
  var alike = cases
  for index in alike.indices { alike[index].motion = cases[0].motion }
  #expect(shared.bits == (try alike.flatMap { try $0.warped(.clamp) }).bits)
}

@Test func halfPrecisionFeaturesStayHalfPrecision() throws {
  let one = WarpCase(channels: 4, height: 6, width: 9, reach: 2, seed: 6)
  let features = try one.featureTensor(channelsLast: false)
  let warped = try features.cast(to: .bfloat16).warped(along: one.motionTensor())
  #expect(warped.type == .bfloat16)
  #expect(try warped.floats().furthest(from: one.warped(.clamp)) < 0.02)
}

@Test func motionOfAnotherGridIsRefused() throws {
  let features = try Tensor.zeros([1, 4, 6, 8])
  let wrong: [Shape] = [[1, 2, 6, 7], [1, 3, 6, 8], [2, 2, 6, 8], [2, 6, 8], [1, 2, 8, 6]]
  for shape in wrong {
    let motion = try Tensor.zeros(shape)
    let error = #expect(throws: TensorError.self) { try features.warped(along: motion) }
    #expect(error?.code == .badShape && error?.message.contains("motion of") == true)
  }
}

@Test func featuresOfAnotherKindAreRefused() throws {
  let motion = try Tensor.zeros([1, 2, 6, 8])
  let bytes = try Tensor.zeros([1, 4, 6, 8], type: .uint8)
  let few = try Tensor.zeros([4, 6, 8])
  #expect(throws: TensorError.self) { try bytes.warped(along: motion) }
  #expect(throws: TensorError.self) { try few.warped(along: motion) }
  let known = try Tensor.zeros([1, 5, 8], type: .uint8)
  let features = try Tensor.zeros([1, 4, 6, 8])
  #expect(throws: TensorError.self) { try features.warped(along: motion, known: known) }
}

@Test func noImagesGiveNoImages() throws {
  let nothing = try Tensor.zeros([0, 4, 6, 8])
  #expect(try nothing.warped(along: Tensor.zeros([1, 2, 6, 8])).shape == [0, 4, 6, 8])
}
