// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Training

private let counted: LabelFrequencies = {
  var frequencies = LabelFrequencies(classes: 4)
  // Sixty of 0 and forty of 1; then a hundred and fifty of 0 and fifty of 2, with void around.
  frequencies.add([UInt8](repeating: 0, count: 60) + [UInt8](repeating: 1, count: 40))
  frequencies.add(
    [UInt8](repeating: 0, count: 150) + [UInt8](repeating: 2, count: 50)
      + [UInt8](repeating: 255, count: 500) + [UInt8](repeating: 4, count: 9))
  return frequencies
}()

private func isNear(_ values: [Float], _ expected: [Double]) -> Bool {
  values.count == expected.count && zip(values, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 }
}

@Test func pixelsAreCountedWithoutVoid() {
  #expect(counted.pixels == [210, 40, 50, 0])
  #expect(counted.pixelsOfItsPictures == [300, 100, 200, 0])
}

@Test func logarithmicWeightsAreThoseOfENet() {
  let shares = [0.7, 40.0 / 300, 50.0 / 300, 0]
  #expect(isNear(counted.logarithmicWeights(), shares.map { 1 / log(1.02 + $0) }))
}

@Test func medianWeightsMakeTheMiddleClassOne() {
  // Frequencies 0.7, 0.4 and 0.25.
  #expect(isNear(counted.medianWeights(), [4.0 / 7, 1, 1.6, 0]))
  #expect(isNear(counted.medianWeights(exponent: 0.5), [sqrt(4.0 / 7), 1, sqrt(1.6), 0]))
}

@Test func nothingCountedGivesNumbers() {
  let none = LabelFrequencies(classes: 2)
  #expect(none.medianWeights() == [0, 0] && none.logarithmicWeights().allSatisfy(\.isFinite))
}
