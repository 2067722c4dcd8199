// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Datasets
import Flow
import Foundation
import Frames
import Layers
import Propagation
import Specification
import Synchronization
import Tensors
import TestSupport
import Testing
import Training
import Video

/// What a training sees of a run of frames, and where flow and agreement are asked for.
struct AugmentedRunsTests {
  private let backbone: SegmentationNetwork

  init() throws {
    backbone = try sharpBackbone()
  }

  private func task(
    on pairs: some MotionPairs, isLabelled: Bool = true, along flow: some FlowEstimator,
    crop: PixelSize = PixelSize(width: 48, height: 40), frames: Int = 2,
    degradation: Degradation = Degradation()
  ) throws -> PropagationTask {
    let warp = try NetWarpBlend(
      channels: 8, after: "decoder", start: 0, refinesMotion: false,
      parameters: Parameters(seed: 2))
    return try PropagationTask(
      .propagator(warp), behind: backbone, tap: "decoder",
      on: [PairSource(pairs, count: 1, isLabelled: isLabelled)], along: flow,
      lesson: StageConfiguration(
        augmentation: Augmentation(crop: crop, flips: false), batchSize: 2,
        objective: SegmentationObjective(teaching: .init(backbone))),
      frames: frames, degradation: degradation, seed: 4)
  }

  private func teaching(_ task: PropagationTask, at step: Int = 0) throws -> Float {
    let loss = try task.loss(of: task.batch(at: step), at: step, in: .inference)
    return try #require(loss.parts["teaching"]).item()
  }

  @Test func flowIsFoundOnceOnWholeFrames() throws {
    let spy = Spy()
    let task = try task(on: ShiftedPairs(), along: spy)
    for step in 0..<3 { _ = try task.batch(at: step) }
    #expect(spy.calls.withLock { $0 } == [.init(from: 1, to: 0, size: "96×80")])
  }

  // Frames 2 and 4 of a run of every second one are reached by way of frames 1 and 3.
  @Test func aWayOfStepsGoesThroughTheFramesBetween() throws {
    let spy = Spy()
    _ = try task(on: Drift(), along: ChainedFlow(spy), frames: 3).batch(at: 0)
    let steps = spy.calls.withLock { $0.map { [$0.from, $0.to] } }
    #expect(steps == [[1, 0], [2, 1], [3, 2], [4, 3]])
  }

  // Each step moves two pixels, so that two of them move four, in a view twice as large eight, and
  // mirrored minus eight; where the way leads out of the picture, nothing is known.
  @Test(arguments: [(1.0, Float(4)), (2, 8)])
  func composedFlowIsSeenInTheViewOfTheFrames(scale: Double, expected: Float) throws {
    let probe = Probe()
    let task = try PropagationTask(
      .propagator(probe), behind: backbone, tap: "decoder",
      on: [PairSource(Drift(), count: 1)], along: ChainedFlow(Spy(dx: 2)),
      lesson: StageConfiguration(
        augmentation: Augmentation(
          crop: PixelSize(width: 48, height: 40), scale: scale...scale, flips: true),
        batchSize: 8, objective: SegmentationObjective(teaching: .init(backbone))))
    _ = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
    let seen = Set(probe.log.seen.withLock { $0 }.map { ($0 * 1000).rounded() / 1000 })
    #expect(seen == [expected, -expected])
  }

  // A teacher is not asked where void marks what nobody knows the look of.
  @Test func agreementIsMaskedWhereTheLookIsUnknown() throws {
    for voidIsUnknown in [true, false] {
      let run = AllVoid(
        void: backbone.specification.ignoredLabel, voidIsUnknown: voidIsUnknown)
      let loss = try teaching(task(on: run, isLabelled: false, along: ZeroFlow()))
      #expect((loss == 0) == voidIsUnknown, "\(loss)")
    }
  }

  @Test func framesAreDegradedOnTheirOwnAndAlwaysAlike() throws {
    func loss(_ degradation: Degradation) throws -> Float {
      try teaching(
        task(on: ShiftedPairs(reach: 0), along: ZeroFlow(), degradation: degradation))
    }
    // Nothing moves, and both frames are the same: only what each suffers by itself differs.
    #expect(try loss(Degradation()) < 1e-6)
    let noisy = try loss(Degradation(noise: 30))
    #expect(try noisy > 1e-4 && noisy == loss(Degradation(noise: 30)))
  }
}

/// Tells what it was asked, and that all moves by `dx`.
private final class Spy: FlowEstimator {
  struct Call: Hashable { let from: Int, to: Int, size: String }

  let calls = Mutex<[Call]>([])
  private let dx: Float

  init(dx: Float = 0) { self.dx = dx }

  func motion(from current: Frame, to reference: Frame) -> MotionField {
    let size = current.pixels.size
    calls.withLock {
      $0.append(Call(from: current.index, to: reference.index, size: "\(size)"))
    }
    return MotionField(
      width: size.width, height: size.height,
      displacements: (0..<(2 * size.width * size.height)).map { $0.isMultiple(of: 2) ? dx : 0 })
  }
}

/// Keeps the motion across that it is given, where that is known, and propagates nothing.
private struct Probe: LearnedPropagator {
  let reference = FlowReference.previous
  let parameters = Parameters(seed: 1)
  var remembered = RememberedMap()
  let log = Log()

  final class Log: Sendable { let seen = Mutex<[Float]>([]) }

  func propagate(
    _ map: Tensor, given context: FrameContext, in _: ForwardContext
  ) throws -> Tensor {
    let (flow, known) = try context.flow(to: .previous, height: 40, width: 48)
    let across = try flow.split(sizes: [1, 1], axis: 1)[0].floats()
    let isKnown = try #require(known).cast(to: .float32).floats()
    log.seen.withLock { seen in
      seen = zip(across, isKnown).filter { $0.1 != 0 }.map(\.0)
    }
    return map
  }
}

/// Frames that move to the left by two pixels each; every second one is learned on.
private struct Drift: MotionPairs {
  private func picture(_ frame: Int) -> Image {
    Image(width: 96, height: 80, channels: 3) { bytes in
      for place in 0..<(96 * 80) {
        var random = RandomStream(seed: 5, (place % 96 + 2 * frame) / 4, place / 96 / 4)
        let value = UInt8(truncatingIfNeeded: random.next())
        for channel in 0..<3 { bytes[3 * place + channel] = value }
      }
    }
  }

  func pair(_: Int) throws -> MotionPair { throw PairsOnly() }

  func run(_: Int, frames: Int, everyFrame: Bool) -> FrameRun {
    let last = 2 * (frames - 1)
    let pictures = stride(from: 0, through: last, by: everyFrame ? 1 : 2).map { picture($0) }
    return FrameRun(pictures, every: everyFrame ? 2 : 1, labels: nil)
  }
}

/// Two frames that have nothing in common, and labels that say nothing.
private struct AllVoid: MotionPairs {
  let void: UInt8
  let voidIsUnknown: Bool

  func pair(_ index: Int) throws -> MotionPair { try ShiftedPairs(reach: 8).pair(index) }

  func run(_ index: Int, frames _: Int, everyFrame _: Bool) throws -> FrameRun {
    let (one, other) = (try pair(0), try pair(1))
    let void = Image(width: 96, height: 80, channels: 1, repeating: void)
    return FrameRun(
      [one.current, other.current], labels: void, voidIsUnknown: voidIsUnknown)
  }
}

/// A backbone that is trained with the part behind it.
struct JointTrainingTests {
  private static let part = """
    name: joint
    backbone: network
    tap: decoder
    flow: zero
    propagation: {kind: tap-blend, start: 0.5, refined: false}
    training:
      batch: 2
      crop: [40, 48]
      pairs: 2
      gaps: [1, 1]
      distillation: 0
      backbone: trained
      per_frame: 0.5
      stages:
        - {name: all, steps: 3, optimizer: adam, rate: 0.01, rates: {backbone: 0.1}}
    """

  /// A folder with a network whose weights are drawn and written.
  private func withNetwork<Result>(_ body: (URL) throws -> Result) throws -> Result {
    try withTemporaryFolder { home in
      let folder = home.appending(path: "network")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let text = specificationText(
        stages: "    - {name: a, steps: 1, optimizer: sgd, rate: 0.1}")
      try text.write(
        to: folder.appending(path: "spec.yaml"), atomically: true, encoding: .utf8)
      let network = try NetworkFolder(at: folder.path).drawnNetwork(seed: 3)
      try SafetensorsFile.write(
        Dictionary(
          uniqueKeysWithValues: network.parameters.all.map { ($0.name, $0.tensor) }),
        to: folder.appending(path: "weights.safetensors").path)
      return try body(home)
    }
  }

  private func task(in home: URL, _ text: String = part) throws -> (PropagationTask, TrainingPlan) {
    let specification = try PropagationTrainingSpecification(yaml: text, folder: home.path)
    let backbone = try NetworkFolder(at: specification.part.backbone).network().folded()
    let task = try specification.task(
      behind: backbone, on: [PairSource(ShiftedPairs(), count: 2)], along: ZeroFlow())
    return (task, specification.plan)
  }

  @Test func lawsAreKept() throws {
    let broken = try withNetwork { home in try brokenLaws(of: task(in: home).0) }
    #expect(broken == [])
  }

  @Test func itBeginsAsTheNetworkAloneDoes() throws {
    try withNetwork { home in
      let (task, _) = try task(in: home)
      let own = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
      let frozen = try self.task(
        in: home,
        Self.part.replacing("backbone: trained", with: "backbone: frozen")
          .replacing("per_frame: 0.5", with: "per_frame: 0")
      ).0
      let theirs = try frozen.loss(of: frozen.batch(at: 0), at: 0, in: .inference).total.item()
      let alone: Float = try #require(own.parts["per_frame"]).item()
      #expect(try abs(own.total.item() - 0.5 * alone - theirs) < 1e-4 * abs(theirs))
    }
  }

  @Test func theBackboneLearnsAndItsStatisticsStay() throws {
    try withNetwork { home in
      let (task, plan) = try task(in: home)
      let out = home.appending(path: "out").path
      _ = try Trainer(task, plan: plan, folder: out, fingerprint: "test").run(resuming: false)
      let before = try SafetensorsFile(contentsOf: home.path + "/network/weights.safetensors")
      let after = try SafetensorsFile(contentsOf: out + "/backbone/weights.safetensors")
      #expect(Set(before.entries.map(\.name)) == Set(after.entries.map(\.name)))
      for entry in before.entries {
        let (old, new) = (try before.tensor(entry.name), try after.tensor(entry.name))
        let change = try (new.cast(to: .float32) - old.cast(to: .float32)).abs().max().item()
        let isStatistic = entry.name.contains("running_")
        #expect((change < 1e-6) == isStatistic, "\(entry.name): \(change)")
      }
      // What is written is a network that loads, and the part's own weights hold nothing of it.
      _ = try SegmentationNetwork(contentsOf: out + "/backbone")
      let part = try SafetensorsFile(contentsOf: out + "/weights.safetensors")
      #expect(Set(part.entries.map(\.name)) == ["own", "carried"])
    }
  }

  // A network of which a part stays as it is is not stored twice: what is left out is read from the
  // network that it began with, and the whole is the one that was trained.
  @Test func whatStaysIsReadFromTheNetworkItBeganWith() throws {
    try withNetwork { home in
      let text = Self.part.replacing(
        "rates: {backbone", with: "frozen: [backbone.encoder], rates: {backbone")
      let (task, plan) = try task(in: home, text)
      let out = home.appending(path: "out").path
      _ = try Trainer(task, plan: plan, folder: out, fingerprint: "test").run(resuming: false)
      let written = try SafetensorsFile(contentsOf: out + "/backbone/weights.safetensors")
      #expect(!written.entries.isEmpty)
      #expect(!written.entries.contains { $0.name.hasPrefix("encoder.") })
      let network = try SegmentationNetwork(contentsOf: out + "/backbone")
      let base = try SegmentationNetwork(contentsOf: home.path + "/network")
      for (new, old) in zip(network.parameters.all, base.parameters.all) {
        let isSame = try new.tensor.floats() == old.tensor.floats()
        #expect(isSame == (new.name.hasPrefix("encoder.") || new.kind == .statistic), "\(new.name)")
      }
      let files = try ModelFolder(at: out + "/backbone").files
      #expect(files.contains(home.path + "/network/weights.safetensors"))
    }
  }

  // Each folder leads to the other: neither has all of its weights.
  @Test func foldersThatLeadToEachOtherAreRefused() throws {
    try withNetwork { home in
      let spec = home.appending(path: "network/spec.yaml")
      try (String(contentsOf: spec, encoding: .utf8) + "base: ../network\n").write(
        to: spec, atomically: true, encoding: .utf8)
      #expect(throws: SpecificationError.self) {
        try NetworkFolder(at: spec.deletingLastPathComponent().path).network()
      }
    }
  }

  // Nothing is left to learn from where neither labels nor agreement count.
  @Test func labelsAreLeftOutWhereTheSpecificationSaysSo() throws {
    try withNetwork { home in
      let usual = try task(in: home).0
      #expect(usual.usesLabels)
      let nothing = Self.part.replacing("training:\n", with: "training:\n  labels: none\n")
      let agreement = nothing.replacing("distillation: 0", with: "distillation: 1")
      let unlabelled = try task(in: home, agreement).0
      #expect(!unlabelled.usesLabels)
      let error = #expect(throws: SpecificationError.self) { try task(in: home, nothing) }
      #expect(error?.message.contains("no labels are used") == true, "\(error?.message ?? "")")
    }
  }

  @Test(arguments: [
    ("labels: some", "given, none"), ("labels: none\n  carried: 1", "counts labels"),
  ])
  func labelsThatCannotBeLeftOutAreRefused(_ lines: String, complaint: String) throws {
    let text = Self.part.replacing("training:\n", with: "training:\n  \(lines)\n")
    let error = #expect(throws: SpecificationError.self) {
      try PropagationTrainingSpecification(yaml: text, folder: "")
    }
    #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
  }

  @Test func aLossOfABackboneThatStaysIsRefused() throws {
    let text = Self.part.replacing("backbone: trained", with: "backbone: frozen")
    #expect(throws: SpecificationError.self) {
      try PropagationTrainingSpecification(yaml: text, folder: "")
    }
  }
}

extension String {
  fileprivate func replacing(_ old: String, with new: String) -> String {
    replacingOccurrences(of: old, with: new)
  }
}
