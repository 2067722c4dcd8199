// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Foundation
import Frames
import Layers
import Propagation
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// A backbone, a light network and a flow network in folders of their own, and parts that name
/// them.
struct PropagationSpecificationTests {
  private let scratch: Scratch
  private let backbone: SegmentationNetwork

  private static func network(_ encoder: String) -> String {
    """
    name: small
    input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
    classes: [ground, sky, tree]
    network:
      encoder: \(encoder)
      context: {kind: linear, channels: 8}
      decoder: [{stride: 4, channels: 6}]
    """
  }

  init() throws {
    scratch = try Scratch()
    for name in ["heavy", "light", "flow", "part"] {
      try FileManager.default.createDirectory(
        atPath: scratch(name), withIntermediateDirectories: true)
    }
    let heavy = Self.network("{kind: resnet, depth: 10, width: 0.125, stride: 16}")
    _ = try scratch.file("heavy/spec.yaml", heavy.utf8)
    _ = try scratch.file("light/spec.yaml", Self.network("{kind: light, width: 0.125}").utf8)
    _ = try scratch.file(
      "flow/spec.yaml", "name: f\nnetwork: {kind: flownet-s, width: 0.05}\n".utf8)
    let folder = try NetworkFolder(at: scratch("light"))
    try Self.write(folder.drawnNetwork(seed: 7).parameters, to: folder.folder.weightsPath)
    backbone = try NetworkFolder(at: scratch("heavy")).drawnNetwork(seed: 3)
  }

  private static func write(_ parameters: Parameters, to path: String) throws {
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: parameters.all.map { ($0.name, $0.tensor) }), to: path)
  }

  private func specification(_ part: String, tap: String? = nil) throws -> PropagationSpecification
  {
    let yaml = """
      name: part
      backbone: ../heavy
      \(tap.map { "tap: \($0)" } ?? "")
      propagation: {\(part)}
      """
    return try PropagationSpecification(yaml: yaml, folder: scratch("part"))
  }

  private static let parts: [(String, tap: String?)] = [
    ("kind: scaled-warp, flow: ../flow", "decoder"),
    ("kind: displaced-convolution, size: 3, channels: 4", nil),
    ("kind: variant-convolution, after: stem, size: 3, channels: 4", "decoder"),
    (
      "kind: variant-convolution, after: stem, size: 3, channels: 4, centre: 0.5, adapted: true",
      "decoder"
    ),
    ("kind: adaptive-warp, after: stem", "decoder"),
    ("kind: adaptive-warp, after: stem, prior: 0.5, adapts: false", "decoder"),
    ("kind: gated-recurrence, after: classifier", nil),
    ("kind: tap-blend, start: 0.5", "decoder"),
    ("kind: tap-blend, start: 1, refined: false", "decoder"),
    ("kind: difference, size: 3", nil),
    ("kind: correction, branch: {network: ../light}, behind: copy", nil),
    ("kind: correction, branch: {network: ../light, scale: 0.5}, start: noise", nil),
    ("kind: error-guided, branch: {network: ../light}, channels: 4", nil),
    // More channels than scores.
    ("kind: error-guided, branch: {network: ../light, through: decoder}, channels: 4", nil),
    ("kind: correction, branch: {network: ../light, through: decoder}", nil),
    ("kind: independent, after: stem, channels: 4", "decoder"),
    ("kind: decoder", "context"), ("kind: decoder, behind: copy", "decoder"),
    (
      "kind: attention, branch: {network: ../light, through: decoder, scale: 0.5, trained: true}",
      "decoder"
    ),
  ]

  /// What a frame of 64 × 48 and the one after it give.
  private func context() throws -> FrameContext {
    var draws = Draws(seed: 5)
    let pictures = try (0..<2).map { _ in
      try Tensor(draws.floats(3 * 48 * 64, in: 0...255), shape: [1, 3, 48, 64])
    }
    return FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { (try .zeros([1, 2, $1, $2]), nil) },
        image: { pictures[$0 == .current ? 0 : 1] },
        features: { [backbone] stage, side in
          let picture = try pictures[side == .current ? 0 : 1]
            .scaled(by: backbone.specification.input.scaling)
          return try backbone.run(0..<backbone.index(ofStage: stage) + 1, on: Features(picture))
            .main
        }))
  }

  @Test(arguments: parts.indices)
  func everyPartIsMadePropagatesAndIsReadAgain(index: Int) throws {
    let (text, tap) = Self.parts[index]
    let specification = try specification(text, tap: tap)
    #expect(specification.backbone == scratch("part/../heavy"))
    let part = try specification.part(behind: backbone, parameters: Parameters(seed: 1))
    let context = try context(), stage = tap ?? "classifier"
    let map = try context.features(after: stage, of: .keyframe)
    func result(of part: TrainablePropagation) throws -> [Float] {
      var propagator = part.propagator
      try propagator.keyframe(FeatureMaps(map, after: stage), in: context)
      let propagated = try propagator.propagate(to: context)
      let fused = try part.fusion?(propagated, in: context) ?? propagated
      #expect(try fused.only().shape == map.shape)
      return try fused.only().floats()
    }
    let before = try result(of: part)
    #expect(before.allSatisfy { $0.isFinite })
    try Self.write(part.parameters, to: scratch("weights"))
    let stored = Parameters(reading: try SafetensorsFile(contentsOf: scratch("weights")))
    let again = try specification.part(behind: backbone, parameters: stored)
    #expect(stored.unread.isEmpty)
    #expect(try result(of: again) == before)
    // Fewer operations, which round otherwise.
    let folded = try result(of: again.folded())
    #expect(zip(folded, before).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test func aTrainedBranchBeginsWithItsWeightsAndAFrozenOneKeepsThem() throws {
    let text = "kind: correction, branch: {network: ../light, trained: TRUTH}"
    let light = try NetworkFolder(at: scratch("light")).network()
    for truth in [true, false] {
      let part = try specification(text.replacing("TRUTH", with: "\(truth)"))
        .part(behind: backbone, parameters: Parameters(seed: 1))
      let names = part.parameters.all.map(\.name)
      #expect(names.contains { $0.hasPrefix("branch.encoder.") } == truth, "\(names)")
      for parameter in light.parameters.all where truth {
        let other = part.parameters.all.first { $0.name == "branch.\(parameter.name)" }
        #expect(try #require(other).tensor.floats() == parameter.tensor.floats())
      }
      for parameter in part.parameters.all where parameter.kind != .statistic {
        try parameter.tensor.setRequiresGradient(true)
      }
      guard case .fusion(let fusion, _) = part else {
        Issue.record("no fusion")
        return
      }
      let context = try context()
      let propagated = try context.features(after: "classifier", of: .keyframe)
      let fused = try fusion.fuse(propagated, given: context, in: .training(seed: 1))
      #expect(try (fused * fused).sum().requiresGradient)
    }
  }

  // Another network's skeleton with the stages of 'light' is 'light' from there on, whatever the
  // skeleton's own are.
  @Test(arguments: ["context", "decoder"])
  func aDecoderBeginsAsTheBackbonesOwnStages(tap: String) throws {
    let yaml = "name: part\nbackbone: ../light\ntap: \(tap)\npropagation: {kind: decoder}\n"
    let specification = try PropagationSpecification(yaml: yaml, folder: scratch("part"))
    let other = try NetworkFolder(at: scratch("light")).drawnNetwork(seed: 8).folded()
    let part = try specification.part(behind: other, parameters: Parameters(seed: 1))
    let decoder = try #require(part.decoder)
    #expect(part.parameters.all.allSatisfy { $0.name.hasPrefix("own.") })
    #expect(part.parameters.all.contains { $0.name == "own.classifier.weight" })
    #expect(part.parameters.all.contains { $0.name.contains("decoder") } == (tap == "context"))
    let light = try NetworkFolder(at: scratch("light")).network()
    let count = try light.index(ofStage: tap) + 1, last = light.stages.count
    let features = try light.run(0..<count, on: Features(try context().image(.current)))
    let expected = try light.run(count..<last, on: features).main.floats()
    for decoder in [decoder, try decoder.folded()] {
      let found = try decoder.run(count..<last, on: features).main.floats()
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    let differs = try other.run(count..<last, on: features).main.floats()
    #expect(zip(differs, expected).contains { abs($0 - $1) > 1e-3 })
  }

  @Test(arguments: [
    ("stem", "stages after 'stem' cannot be another network's; those after layer4, context"),
    ("classifier", "stages after 'classifier' cannot be another network's"),
    ("none", "no stage 'none'"),
  ]) func aDecoderWithoutStagesOfItsOwnIsRefused(tap: String, complaint: String) throws {
    let specification = try specification("kind: decoder", tap: tap)
    let error = #expect(throws: BackboneError.self) {
      try specification.part(behind: backbone, parameters: Parameters(seed: 1))
    }
    #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
  }

  @Test func aDecoderBehindAnotherKindOfNetworkIsRefused() throws {
    let specification = try specification("kind: decoder", tap: "low")
    let error = #expect(throws: SpecificationError.self) {
      try specification.part(behind: Pixels(), parameters: Parameters(seed: 1))
    }
    #expect(error?.message.contains("needs a network of the package's own") == true)
  }

  // Means of four pixels are what a network at half the size sees.
  @Test func aBranchSeesSmallerPictures() throws {
    let light = try NetworkFolder(at: scratch("light")).network()
    let picture = try context().image(.current)
    let small = try picture.averagePool(2, stride: 2)
      .scaled(by: light.specification.input.scaling)
    let branch = try NetworkBranch(light, scale: 0.5)
    let (found, expected) = (
      try branch.features(of: picture, in: .inference).floats(),
      try light.scores(of: small, in: .inference).floats()
    )
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func aBranchIsShownPicturesOfAnotherScale() throws {
    let half = try specification("kind: correction, branch: {network: ../light, scale: 0.5}")
    let whole = try specification("kind: correction, branch: {network: ../light}")
    #expect(half.part != whole.part)
    #expect(try half.seeing(scale: 1).part == whole.part)
    #expect(try whole.seeing(scale: 0.5).part == half.part)
    let error = #expect(throws: SpecificationError.self) { try half.seeing(scale: 1.5) }
    #expect(error?.message.contains("not above 1 for scale, not '1.5'") == true)
    let none = try specification("kind: gated-recurrence, after: classifier")
    let refused = #expect(throws: SpecificationError.self) { try none.seeing(scale: 1) }
    #expect(refused?.message.contains("gated-recurrence has no branch") == true)
  }

  // Two pictures have not the statistics of all that it will see.
  @Test func aTrainedBranchKeepsItsStatistics() throws {
    let light = try NetworkFolder(at: scratch("light")).network()
    let branch = try NetworkBranch(light, isTrained: true)
    let statistics = light.parameters.all.filter { $0.kind == .statistic }
    let before = try statistics.map { try $0.tensor.floats() }
    for parameter in light.parameters.all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(true)
    }
    let picture = try context().image(.current)
    let found = try branch.features(of: picture, in: .training(seed: 1))
    #expect(found.requiresGradient && !before.isEmpty)
    #expect(try found.detached().floats() == branch.features(of: picture, in: .inference).floats())
    #expect(try statistics.map { try $0.tensor.floats() } == before)
  }

  @Test(
    arguments: [
      ("kind: magic", "propagation: no trained propagation 'magic'; there are scaled-warp,"),
      ("kind: differense", "did you mean 'difference'?"),
      ("kind: variant-convolution, size: 3", "needs text for after"),
      ("kind: variant-convolution, after: stem, size: 4", "needs an odd size, not 4"),
      ("kind: difference, size: 99", "needs a whole number from 1 to 25 for size, not '99'"),
      ("kind: difference, refined: true", "has no option 'refined'; there is only size"),
      ("kind: tap-blend, refined: perhaps", "needs true or false for refined, not 'perhaps'"),
      ("kind: correction", "needs a branch"),
      ("kind: correction, branch: light", "propagation.branch must be given, as a group of keys"),
      (
        "kind: correction, branch: {network: x, scale: 2}",
        "needs a number of at least 0.05 and not above 1 for scale, not '2'"
      ),
      ("kind: attention, branch: {network: x}, behind: magic", "needs one of copy, warp"),
    ])
  func whatMakesNoSenseIsRefusedByKey(part: String, complaint: String) throws {
    let error = #expect(throws: SpecificationError.self) { try specification(part) }
    #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
  }

  // Half of everything that is propagated: no kind of the package's.
  @Test func kindsOfAnyonesAreReadAndMade() throws {
    struct Faded: LearnedPropagator {
      let parameters: Parameters
      let share: Double
      var remembered = RememberedMap()
      let reference = FlowReference.keyframe
      let usesFlow = false

      func propagate(
        _ map: Tensor, given _: FrameContext, in _: ForwardContext
      ) throws -> Tensor { try map * Float(share) }
    }
    var known = TrainablePropagations.standard
    known.kinds.register(
      "faded", "less of everything", options: [.required("share", .share)]
    ) { options, context in
      let site = context.propagationSite
      let channels = try site.channels()
      #expect(channels == 3)
      return .propagator(
        Faded(parameters: site.parameters, share: options.number("share")))
    }
    let yaml = "name: mine\nbackbone: ../heavy\npropagation: {kind: faded, share: 0.5}\n"
    let specification = try PropagationSpecification(
      yaml: yaml, folder: scratch("part"), in: known)
    #expect(specification.part == PartSpec("faded", ["share": 0.5]))
    var propagator = try specification.part(
      behind: backbone, parameters: Parameters(seed: 1)
    ).propagator
    let map = try Tensor([2, 4, 6, 8], shape: [1, 1, 2, 2]), context = try context()
    try propagator.keyframe(FeatureMaps(map, after: "classifier"), in: context)
    #expect(try propagator.propagate(to: context).only().floats() == [1, 2, 3, 4])
  }

  @Test(
    arguments: [
      ("kind: variant-convolution, after: neck", "no stage 'neck'"),
      ("kind: scaled-warp, flow: ../nothing", "nothing"),
      ("kind: correction, branch: {network: ../heavy}", "is not trained"),
      ("kind: correction, branch: {network: ../light, through: neck}", "no stage 'neck'"),
      (
        "kind: attention, branch: {network: ../light, through: context}",
        "the branch gives 8 channels, 3 are propagated"
      ),
    ])
  func whatIsMissingIsNamed(part: String, complaint: String) throws {
    let specification = try specification(part)
    let error = #expect(throws: (any Error).self) {
      try specification.part(behind: backbone, parameters: Parameters(seed: 1))
    }
    #expect(String(describing: error).contains(complaint))
  }
}
