// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Layers
internal import Tensors
public import Video

/// Motion by a trained network.
///
/// Frames of any size; the weights are only read. How many threads it takes is the tensors' business.
public struct NetworkFlow: FlowEstimator {
  public let network: FlowNetwork

  public init(_ network: FlowNetwork) { self.network = network }

  /// The network of a folder that holds its description, `spec.yaml`, and `weights.safetensors`.
  ///
  /// - Throws: `FlowError` where a file is missing or does not fit.
  public init(folder: String) throws(FlowError) {
    do {
      let text = try readBytes(
        of: "\(folder)/spec.yaml", limit: MappingReader<FlowError>.maximumBytes)
      guard let yaml = String(validating: text, as: UTF8.self) else {
        throw FlowError(.badDescription, "\(folder)/spec.yaml is no YAML text: it is not UTF-8")
      }
      let weights = try SafetensorsFile(contentsOf: "\(folder)/weights.safetensors")
      network = try FlowNetwork(
        FlowNetSpecification(yaml: yaml), parameters: Parameters(reading: weights))
    } catch let error as FlowError {
      throw FlowError(error.code, "\(folder): \(error.message)")
    } catch {
      throw FlowError(.unreadable, "\(folder) holds no flow network: \(error)")
    }
  }

  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try motion(from: current, to: reference, in: .inference)
  }

  /// The same, in a pass that may count its work.
  public func motion(
    from current: Frame, to reference: Frame, in pass: ForwardContext
  ) throws -> MotionField {
    try requireEqualSizes(current, reference)
    let size = current.pixels.size
    return try withoutGradients {
      let steps = try network.steps(
        from: tensor(current), to: tensor(reference), in: pass)
      guard let last = steps.last else { return .zero(width: size.width, height: size.height) }
      let motion = try last.motion(height: size.height, width: size.width, in: pass)
      pass.ledger?.end("motion", stride: 1, giving: motion)
      return try MotionField(motion)
    }
  }

  private func tensor(_ frame: Frame) throws -> Tensor {
    try frame.pixels.tensor(scaling: network.specification.scaling).to(network.parameters.device)
  }
}
