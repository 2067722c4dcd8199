// SPDX-License-Identifier: Apache-2.0

import Experiments
import Foundation
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Training

/// One number that is to become another, which the specification says.
private struct Target: TrainingTask {
  let parameters: Parameters
  let number: Tensor
  let wanted: Float

  init(wanted: Float, seed: UInt64) throws {
    parameters = Parameters(seed: seed)
    number = try parameters.root.parameter("number", [1], .weight, .constant(0))
    self.wanted = wanted
  }

  func batch(at _: Int) -> Float { wanted }

  func loss(of batch: Float, at _: Int, in _: ForwardContext) throws -> Loss {
    let difference = try number - batch
    return Loss(try (difference * difference).sum())
  }

  func evaluate() -> [String: Double] { [:] }
}

/// A kind of training that the package does not ship, told by a section of its own.
struct TrainingKindsTests {
  private func run(_ yaml: String, in scratch: Scratch, kinds: TrainingKinds) throws {
    let file = try scratch.file("spec.yaml", yaml.utf8)
    try TrainingRun(
      ModelFolder(ofSpecification: file), on: TrainingSources(data: []), into: scratch("out"),
      kinds: kinds
    ).run()
  }

  private static let yaml = """
    target: {number: 3}
    training:
      seed: 1
      stages: [{name: all, steps: 200, optimizer: sgd, rate: 0.1}]
    """

  @Test func kindsOfAnyonesAreTrained() throws {
    var kinds = TrainingKinds.standard
    kinds.register("target") { request in
      let (yaml, folder) = (request.model.specification, request.model.path)
      let plan = request.seeded(try TrainingPlan(yaml: yaml, folder: folder))
      let root = try ConfigNode(yaml: yaml, file: request.model.specificationPath)
      let wanted = root["target"]?["number"]?.text.flatMap(Float.init) ?? 0
      return PreparedTraining(
        try Target(wanted: wanted, seed: plan.seed), plan: plan,
        fingerprint: try TrainingFingerprint(yaml: yaml, stages: plan.stages.count))
    }
    let scratch = try Scratch()
    try run(Self.yaml, in: scratch, kinds: kinds)
    let weights = try SafetensorsFile(contentsOf: ModelFolder.weightsPath(in: scratch("out")))
    let learned = try weights.tensor("number").floats()[0]
    #expect(abs(learned - 3) < 0.01, "\(learned)")
  }

  @Test func whatNoKindTrainsIsSaidSo() throws {
    let error = #expect(throws: SpecificationError.self) {
      try run(Self.yaml, in: try Scratch(), kinds: .standard)
    }
    let end = "there must be one of propagation, change_score, policy, head, network"
    #expect(error?.message.hasSuffix(end) == true, "\(error?.message ?? "")")
  }
}
