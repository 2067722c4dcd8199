// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Layers
internal import Tensors
public import Video

/// Trains a flow network on pairs of known motion.
///
/// Pairs are made once, kept at the size the network reads, and seen again in other windows and
/// colours.
public struct FlowTask: TrainingTask {
  /// The network that is trained.
  public let network: FlowNetwork
  /// How pairs are changed before they are seen.
  public var augmentation = FlowAugmentation()
  /// What is brought down.
  public var objective = FlowObjective()
  /// What `evaluate()` measures on; nothing where nil.
  public var evaluation: FlowEvaluation?
  private let sources: [PairSource]
  private let pools: [Memo<FlowSample>]
  private let batchSize: Int
  private let window: PixelSize
  private let seed: UInt64
  private let division: Int
  private let classes: Int

  /// A task on windows of `window` pixels, `batchSize` of them a step, out of pairs of `sources`.
  ///
  /// - Precondition: there is a source, and the window is a multiple of what the network divides
  ///   frames by.
  public init(
    _ network: FlowNetwork, sources: [PairSource], batchSize: Int = 8,
    window: PixelSize = PixelSize(width: 320, height: 240), classes: Int = 11, seed: UInt64 = 1
  ) {
    let division = Self.division(of: network.specification)
    precondition(!sources.isEmpty, "nothing to train on")
    precondition(
      window.width % division == 0 && window.height % division == 0,
      "a window of \(window) divided by \(division)")
    (self.network, self.sources, self.batchSize) = (network, sources, batchSize)
    (self.window, self.classes, self.seed, self.division) = (window, classes, seed, division)
    pools = sources.map { source in
      Memo { index in
        try FlowSample(source.pairs.pair(index), dividedBy: division, classes: classes)
      }
    }
  }

  /// What every step of a network divides frames by a multiple of.
  static func division(of specification: FlowNetSpecification) -> Int {
    func greatestDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestDivisor(b, a % b) }
    return specification.steps.reduce(0, greatestDivisor)
  }

  /// What training changes: the network's parameters.
  public var parameters: Parameters { network.parameters }

  /// The pairs of a step, which follow from the step and the seed.
  public func batch(at step: Int) throws -> FlowBatch {
    try withoutGradients {
      try FlowBatch(
        on: parameters.device,
        (0..<batchSize).map { place in
          var random = RandomStream(seed: seed, step, place)
          let source = sources.draw(&random)
          let sample = try pools[source][random.below(sources[source].count)]
          return try augmentation.view(
            sample, rows: window.height / division, columns: window.width / division,
            scaling: network.specification.scaling, random: &random)
        })
    }
  }

  /// The distance of all levels and steps from the truth, and what carried labels lose.
  public func loss(of batch: FlowBatch, at step: Int, in pass: ForwardContext) throws -> Loss {
    let steps = try network.steps(
      from: batch.current, to: batch.reference, dividedBy: division, in: pass)
    let distance = try objective.distance(
      of: steps, from: batch.motion, known: batch.known, dividedBy: division)
    guard let last = steps.last else { return Loss(distance) }
    var parts = ["distance": try distance.detached()]
    parts["epe"] = try endPointError(of: last, on: batch, in: pass)
    guard objective.labels > 0 else { return Loss(distance, parts: parts) }
    let labels = try carriedLabels(last, batch, in: pass)
    parts["labels"] = try labels.detached()
    return Loss(try distance + labels * Float(objective.labels), parts: parts)
  }

  /// Labels are compared on blocks of two cells of the batch each way.
  private func carriedLabels(
    _ step: FlowStep, _ batch: FlowBatch, in pass: ForwardContext
  ) throws -> Tensor {
    let stride = 2 * division
    let (rows, columns) = (window.height / stride, window.width / stride)
    let motion = try step.motion(onGridOf: stride, height: rows, width: columns, in: pass)
    return try CarriedLabels(classes: classes).loss(
      current: batch.currentLabels, reference: batch.referenceLabels,
      motion: motion * (1 / Float(stride)), dividedBy: stride / division)
  }

  /// Of the finest motion, on the batch's grid.
  private func endPointError(
    of step: FlowStep, on batch: FlowBatch, in pass: ForwardContext
  ) throws -> Tensor {
    try withoutGradients {
      let motion = try step.motion(
        onGridOf: division, height: batch.motion.shape[2], width: batch.motion.shape[3], in: pass)
      let error = try motion - batch.motion
      let distance = try (error * error).sum(axes: [1], keepingAxes: true).sqrt()
      return try (distance * batch.known).sum() / (batch.known.sum() + 1e-6)
    }
  }

  /// What the evaluation measures of the network as it stands; empty without one.
  public func evaluate() throws -> [String: Double] {
    try evaluation?.run(on: NetworkFlow(network)) ?? [:]
  }
}
