// SPDX-License-Identifier: Apache-2.0

public import Tensors
public import Video

/// A TorchScript network and the description beside it, as a backbone whose last stage gives
/// scores or depths, or, of a detector, what its decoder reads.
///
/// Any network that a user can trace or script in today's PyTorch. Where the description names
/// stages, each is an exported method of the network, called on what the one before gave, and its
/// output can be tapped; otherwise `forward` is the one stage, called `scores` or `depth`. Each
/// tensor that is read of a detector is a stage of its own, so that a head can read them all.
public struct ImportedNetwork: Backbone {
  /// What the YAML file beside the network says.
  public let description: NetworkDescription
  /// The exported methods, in order; without any, what `forward` gives.
  public let stages: [Stage]
  private let module: TorchScriptModule
  private let methods: [String]

  /// Loads `path` and the `.yaml` beside it.
  ///
  /// - Throws: `BackboneError` for the description, `TensorError` for the network.
  public init(contentsOf path: String) throws {
    try self.init(
      contentsOf: path, description: try NetworkDescription(besideNetwork: path))
  }

  /// Loads the network at `path`, to be run as `description` says.
  ///
  /// - Throws: `TensorError` for the network, `BackboneError` where the two do not fit.
  public init(contentsOf path: String, description: NetworkDescription) throws {
    let options: TorchScriptModule.Options =
      description.execution == .fused ? [.frozen, .optimized] : [.frozen, .channelsLast]
    try self.init(
      module: TorchScriptModule(contentsOf: path, options: options), description: description)
  }

  /// A network in memory, to be run as `description` says.
  ///
  /// - Throws: `BackboneError` where the network lacks a method that the description names.
  public init(module: TorchScriptModule, description: NetworkDescription) throws {
    let methods = description.stages.isEmpty ? ["forward"] : description.stages.map(\.name)
    let there = try module.methods()
    for name in methods where !there.contains(name) {
      let known = there.joined(separator: ", ")
      throw BackboneError(.noSuchStage, "the network has no method '\(name)'; there are \(known)")
    }
    (self.module, self.description, self.methods) = (module, description, methods)
    stages =
      description.stages.isEmpty
      ? description.outputs.map { Stage($0, stride: description.outputStride) }
      : description.stages
  }

  /// The size that the description states; nil for any, and of detectors, which bring pictures to
  /// their size themselves, so that boxes are in pixels of the frame.
  public var inputSize: PixelSize? { description.frameSize }

  /// The head that reads a segmentation network's scores; `description` has those of other tasks.
  public var head: ScoreHead { description.head }

  /// The frame as the description says: 1 × 3 × H × W; it throws where the size is another.
  public func input(for frame: Frame) throws -> Tensor { try description.tensor(of: frame) }

  /// What the methods of the stages give, and, of a detector, its tensors one after the other; it
  /// throws where a stage gives no map, 1 × C × H × W, or too few tensors.
  public func run(_ range: Range<Int>, on input: Features) throws -> Features {
    if description.task.isDetection { return try detect(range, on: input) }
    var tensor = input.main
    for index in range {
      let before = (tensor.shape, stride: index == 0 ? 1 : stages[index - 1].stride)
      let isLast = index == stages.count - 1
      let key = isLast ? description.outputKey : nil
      guard var output = try outputs(of: index, tensor, key: key).first else {
        throw BackboneError(.badOutput, "stage '\(stages[index].name)' gives nothing")
      }
      // Networks of depth often leave the axis of the only plane out.
      if isLast, case .depth = description.task, output.rank == 3 {
        output = try output.unsqueezed(axis: 1)
      }
      try output.checkMap(of: stages[index], after: before)
      tensor = output
    }
    if range.upperBound == stages.count, case .segmentation(let kind) = description.task {
      tensor = try tensor.scores(of: description.classes, as: kind)
    }
    return Features(tensor)
  }

  private func detect(_ range: Range<Int>, on input: Features) throws -> Features {
    var features = input
    for index in range {
      if index > 0 {
        guard let next = features.skips.first else {
          throw BackboneError(.badOutput, "stage '\(stages[index].name)' is given nothing to go on")
        }
        features = Features(next, skips: Array(features.skips.dropFirst()))
        continue
      }
      let found = try outputs(of: 0, features.main, key: description.outputKey)
      guard found.count >= stages.count else {
        throw BackboneError(
          .badOutput, "the network gives \(found.count) tensors, of which \(stages.count) are read")
      }
      let read = try found.prefix(stages.count).map {
        $0.type == .float32 ? $0 : try $0.cast(to: .float32)
      }
      features = Features(read[0], skips: Array(read.dropFirst()))
    }
    return features
  }

  /// What a stage's method gives; what it cannot take or gives otherwise than as tensors is the
  /// file's fault or the description's, not a failure of this program.
  private func outputs(of stage: Int, _ input: Tensor, key: String?) throws -> [Tensor] {
    do throws(TensorError) { return try module.call(methods[stage], [input], key: key) } catch {
      guard [.badArgument, .badType, .badShape].contains(error.code) else { throw error }
      throw BackboneError(.badOutput, "stage '\(stages[stage].name)': \(error.message)")
    }
  }
}

extension InputContract {
  /// The network's input, 1 × 3 × height × width, of an 8-bit BGR picture.
  public func tensor(of image: Image) throws -> Tensor {
    guard image.channels == 3, size.map({ $0 == image.size }) ?? true else {
      let wanted = size.map { "\($0)" } ?? "any size"
      throw BackboneError(
        .badOutput,
        "a picture of \(image.size) with \(image.channels) channels for a network of \(wanted)")
    }
    return try image.tensor(scaling: scaling)
  }
}
