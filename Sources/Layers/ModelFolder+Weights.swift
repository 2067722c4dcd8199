// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Specification
public import Tensors

extension ModelFolder {
  /// Makes what the folder holds with its trained weights, on a device.
  ///
  /// - Throws: `SpecificationError` where it is not trained, or where the weights are those of
  ///   another network: every tensor has its place, and every place its tensor.
  public func load<Network>(
    on device: Device = .cpu, _ make: (Parameters) throws -> Network
  ) throws -> Network {
    guard isTrained else {
      throw SpecificationError(.missingFile, "\(path) is not trained: there is no \(weightsPath)")
    }
    do {
      let file = try SafetensorsFile(contentsOf: weightsPath)
      let parameters = Parameters(reading: file, device: device)
      parameters.base(on: try bases())
      let network = try make(parameters)
      if let name = parameters.unread.first {
        throw LayerError("the network has no place for \(String(reflecting: name))")
      }
      return network
    } catch let error as SpecificationError {
      throw error.located(in: specificationPath)
    } catch let error as LayerError {
      throw SpecificationError(
        .badWeights, "\(weightsPath) does not fit \(specificationPath): \(error)")
    } catch let error as SafetensorsError {
      throw SpecificationError(.badWeights, "\(weightsPath): \(error)")
    }
  }

  /// Makes what the folder holds: with its trained weights or, where there are none, with drawn
  /// ones.
  public func loadOrDraw<Network>(
    seed: UInt64 = 1, _ make: (Parameters) throws -> Network
  ) throws -> Network {
    try isTrained ? load(make) : make(Parameters(seed: seed))
  }

  /// The tensors of the weights, to be looked at.
  public func weights() throws(SafetensorsError) -> SafetensorsFile {
    try SafetensorsFile(contentsOf: weightsPath)
  }
}

extension Parameters {
  /// Begins with the trained weights of a folder, under names that begin with `prefix` here.
  ///
  /// They also stand in for what a file leaves out. Drawn ones stay where the folder is not
  /// trained, and of names that `mayDiffer` holds of also where the shape is another.
  package func base(
    on folder: ModelFolder, under prefix: String,
    mayDiffer: @escaping @Sendable (_ name: String) -> Bool = { _ in false }
  ) throws(SpecificationError) {
    guard folder.isTrained else { return }
    base(on: try [folder] + folder.bases(), under: prefix, mayDiffer: mayDiffer)
  }

  fileprivate func base(
    on folders: [ModelFolder], under prefix: String = "",
    mayDiffer: @escaping @Sendable (_ name: String) -> Bool = { _ in false }
  ) {
    for folder in folders {
      base(under: prefix, mayDiffer: mayDiffer) { try folder.weights() }
    }
  }
}
