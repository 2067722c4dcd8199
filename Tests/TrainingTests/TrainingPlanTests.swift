// SPDX-License-Identifier: Apache-2.0

import Testing
import Training

private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }

@Test func ratesRunAsTheirShapesSay() {
  let cosine = LearningRateSchedule(peak: 2, shape: .cosine)
  #expect(cosine.rate(at: 0, of: 100) == 2 && isNear(cosine.rate(at: 50, of: 100), 1))
  let polynomial = LearningRateSchedule(peak: 1, shape: .polynomial(power: 2))
  #expect(isNear(polynomial.rate(at: 50, of: 100), 0.25))
  #expect(LearningRateSchedule(peak: 3, shape: .constant).rate(at: 99, of: 100) == 3)
}

@Test func aWarmUpRisesInEqualSteps() {
  let rate = LearningRateSchedule(peak: 4, shape: .constant, warmUp: 3)
  #expect((0..<5).map { rate.rate(at: $0, of: 10) } == [1, 2, 3, 4, 4])
}

@Test func aPartIsNamedByTheWholeWordsOfItsPath() {
  var stage = TrainingStage(
    "s", steps: 1, optimizer: .sgd(momentum: 0, decay: 0, nesterov: false),
    rate: LearningRateSchedule(peak: 1))
  stage.frozen = ["encoder.layer1"]
  #expect(!stage.trains("encoder.layer1.0.conv1.weight") && stage.trains("encoder.layer10.weight"))
  stage.rateScales = ["encoder": 0.1, "encoder.layer4": 0.5]
  #expect(stage.scale(of: "encoder.conv1.weight") == 0.1)
  #expect(stage.scale(of: "encoder.layer4.0.conv1.weight") == 0.5)
  #expect(stage.scale(of: "decoder.4.fusion.conv.weight") == 1)
}
