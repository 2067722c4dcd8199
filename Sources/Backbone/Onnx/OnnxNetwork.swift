// SPDX-License-Identifier: Apache-2.0

public import Engines
internal import Foundation
internal import Layers
public import Specification
public import Tensors
public import Video

/// An ONNX network that an engine runs, as a backbone.
///
/// Any network of one colour picture, 1 × 3 × H × W or 1 × H × W × 3, of fixed or any size, in
/// single or half precision or integers. Without cuts it is one stage, called `scores`, `depth` or,
/// of a detector, as its outputs: each further output of a detector is a stage of its own, so that
/// a head can read them all. With cuts, each named tensor ends a stage: its maps can be tapped, and
/// what else later stages read of earlier ones goes along as skips.
public struct OnnxNetwork: Backbone {
  /// What the file and the YAML beside it say.
  public let description: OnnxDescription
  /// What runs it.
  public let engine: InferenceEngine
  /// The stages: one for each cut, and what comes after the last of them.
  public let stages: [Stage]
  /// Whether the file takes any number of pictures at once.
  public let takesBatches: Bool
  /// What computes each stage but those that hand on a detector's further outputs.
  private let pieces: [OnnxPiece]
  private let path: String

  /// Loads the network at `path` and the YAML beside it, where there is one.
  ///
  /// `grammar` knows the decoders of detectors; the usual ones unless given. At most `threads`
  /// threads run it; LibTorch's number of them unless given.
  ///
  /// - Throws: `EngineError` for the file and the engine, `SpecificationError` for the description,
  ///   `BackboneError` where the two do not fit.
  public init(
    contentsOf path: String, engine: InferenceEngine, threads: Int? = nil,
    by grammar: Grammar = DetectionDecoders.standard
  ) throws {
    try self.init(OnnxFile(at: path, by: grammar), engine: engine, threads: threads)
  }

  /// Loads a network that has been opened, to compute on a device: its maps are in main memory
  /// whichever that is.
  ///
  /// - Throws: `EngineError` for the engine and the device, `BackboneError` where a cut is not
  ///   there.
  public init(
    _ file: OnnxFile, engine: InferenceEngine, threads: Int? = nil,
    precision: EnginePrecision = .single, device: EngineDevice = .cpu
  ) throws {
    (description, self.engine, path) = (file.description, engine, file.path)
    let threads = try threads ?? TorchRuntime.threads()
    do {
      pieces = try OnnxPiece.all(of: file, engine, threads, precision, device)
    } catch let error as EngineError {
      let located = error.located(in: file.path)
      guard !description.fixedInputs.isEmpty, error.code == .badModel else { throw located }
      throw EngineError(
        .badModel, "\(located.message); the numbers of input.constants may not fit it")
    }
    let sessions = pieces.compactMap(\.session)
    // Numbers that replace inputs are those of one picture.
    takesBatches =
      file.description.fixedInputs.isEmpty
      && sessions.allSatisfy { session in
        session.inputs.allSatisfy { $0.sizes?.first.map { $0 == nil } ?? false }
      }
    do { stages = try pieces.stages(of: file.description) } catch let error as SpecificationError {
      throw error.located(in: file.descriptionPath ?? file.path)
    }
  }

  /// The size that the file or its description states; nil for any, and of detectors, which bring
  /// pictures to their size themselves, so that boxes are in pixels of the frame.
  public var inputSize: PixelSize? { description.frameSize }

  /// The head that reads a segmentation network's scores; `description` has those of other tasks.
  public var head: ScoreHead { description.head }

  /// The frame as the description says, 1 × 3 × H × W, from which the engine's input is made; it
  /// throws where the size is another.
  public func input(for frame: Frame) throws -> Tensor {
    try description.tensor(of: frame)
  }

  /// The cuts whose tensors later pieces read, where these are all that they read of earlier ones.
  public func skipStages(through count: Int) -> [String] {
    guard count > 0, count <= pieces.count else { return [] }
    let skips = pieces[count - 1].outputs.dropFirst().map(\.name)
    let names = skips.compactMap { skip in
      pieces[..<count].firstIndex { $0.cut != nil && $0.outputs[0].name == skip }
        .map { stages[$0].name }
    }
    return names.count == skips.count ? names : []
  }

  /// What the pieces of the network give, and, of a detector, its outputs one after the other.
  public func run(_ range: Range<Int>, on input: Features) throws -> Features {
    do {
      return try compute(range, on: input)
    } catch let error as BackboneError {
      throw error.located(in: path)
    } catch let error as EngineError {
      throw advised(error).located(in: path)
    }
  }

  /// The failure with the way out where the size of the pictures may be what the engine stumbles
  /// on: many networks take any size that the file admits but only multiples of their stride.
  private func advised(_ error: EngineError) -> EngineError {
    guard [.failed, .badArgument].contains(error.code) else { return error }
    var advice: [String] = []
    if description.input.size == nil {
      advice = [
        "where the network does not take pictures of this size, input.size in its description "
          + "brings them to one that it takes"
      ]
    } else if !takesOneSize {
      advice = ["another input.size in its description may be one that it takes"]
    }
    if !description.fixedInputs.isEmpty {
      advice.append("the numbers of input.constants may not fit it")
    }
    let message = error.message.trimmingCharacters(in: .whitespaces)
    return EngineError(.badArgument, ([message] + advice).joined(separator: "; "))
  }

  /// Whether the file itself states the size of pictures.
  private var takesOneSize: Bool {
    pieces.first { $0.session != nil }?.session?.inputs.allSatisfy { port in
      port.sizes?.dropFirst().allSatisfy { $0 != nil } ?? false
    } ?? true
  }

  private func compute(_ range: Range<Int>, on input: Features) throws -> Features {
    var features = input
    for index in range {
      if index < pieces.count {
        features = try run(pieces[index], on: features)
        if index == pieces.count - 1 { features = try read(features) }
        try checkMap(features.main, of: index, after: (input.main, range))
      } else {
        guard let next = features.skips.first else {
          throw BackboneError(.badOutput, "stage '\(stages[index].name)' is given nothing to go on")
        }
        features = Features(next, skips: Array(features.skips.dropFirst()))
      }
    }
    return features
  }

  private func run(_ piece: OnnxPiece, on features: Features) throws -> Features {
    let given = [features.main] + features.skips
    let outputs = try piece.run(given) { try laidOut($0) }
    return Features(outputs[0], skips: Array(outputs.dropFirst()))
  }

  /// The input in the file's order of axes.
  private func laidOut(_ input: Tensor) throws -> Tensor {
    description.layout == .nhwc ? try input.permuted(0, 2, 3, 1).contiguous() : input
  }

  private func read(_ outputs: Features) throws -> Features {
    Features(try read(outputs.main), skips: try outputs.skips.map(read))
  }

  /// An output as what comes after reads it: N × C × H × W where it is a map.
  private func read(_ output: Tensor) throws -> Tensor {
    switch description.task {
    case .segmentation(let kind):
      return try map(output).scores(of: description.classes, as: kind)
    case .depth: return try map(output)
    case .detection:
      return output.type == .float32 ? output : try output.cast(to: .float32)
    }
  }

  /// A map of floating-point numbers, its planes first; labels become a score of 1 each.
  private func map(_ output: Tensor) throws -> Tensor {
    var map = output
    let isLabels = !map.type.isFloatingPoint
    if map.rank == 3 { map = try map.unsqueezed(axis: description.outputLayout == .nhwc ? 3 : 1) }
    guard map.rank == 4, map.count > 0 else {
      throw BackboneError(
        .badOutput, "the network gives \(output.shape), which is no map of the picture")
    }
    if description.outputLayout == .nhwc { map = try map.permuted(0, 3, 1, 2) }
    if isLabels, map.shape[1] == 1, case .segmentation = description.task {
      let count = max(description.classes.count, description.classes.void.map { Int($0) + 1 } ?? 0)
      let places = try map.squeezed(axis: 1).cast(to: .int64).oneHot(classes: count)
      map = try places.permuted(0, 3, 1, 2).cast(to: .float32)
    }
    return map.type.isFloatingPoint ? map : try map.cast(to: .float32)
  }

  private func checkMap(
    _ map: Tensor, of index: Int, after input: (tensor: Tensor, range: Range<Int>)
  ) throws {
    if case .detection = description.task, index == pieces.count - 1 { return }
    // Of stages in the middle nobody knows the picture's size but by what came in.
    guard input.range.lowerBound <= index else { return }
    let stride = input.range.lowerBound == 0 ? 1 : stages[input.range.lowerBound - 1].stride
    try map.checkMap(of: stages[index], after: (input.tensor.shape, stride))
  }
}
