// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Foundation
internal import Recipes
internal import Tensors
internal import Training
internal import Video

/// What a specification describes.
enum TrainingJob {
  case segmentation(SegmentationSpecification)
  case flow(FlowTrainingSpecification)

  /// - Throws: `BackboneError` for a file that is missing or says nothing that can be trained.
  init(specification path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw BackboneError(.missingFile, "\(path): there is no such specification")
    }
    let bytes = try readBytes(of: path, limit: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BackboneError(.badDescription, "\(path) is no YAML text")
    }
    let folder = (path as NSString).deletingLastPathComponent
    do throws(BackboneError) {
      self =
        FlowTrainingSpecification.describes(text)
        ? .flow(try FlowTrainingSpecification(yaml: text, folder: folder))
        : .segmentation(try SegmentationSpecification(yaml: text, folder: folder))
    } catch {
      throw BackboneError(error.code, "\(path): \(error.message)")
    }
  }
}

/// The data that the command line names, as tasks take them.
struct TrainingSources {
  let data: [String]
  let validation: String?
  let threads: Int
  let device: Device

  func task(for specification: SegmentationSpecification) throws -> SegmentationTask {
    guard data.count == 1 else {
      throw Failure(.usage, "a segmentation network is trained on one --data, not \(data.count)")
    }
    let samples = SegmentationSamples(try clip(data[0], split: "train"))
    let wanted = specification.network.classes
    guard samples.classes.names == wanted.names else {
      throw Failure(
        .badInput,
        "\(data[0]) has \(samples.classes.count) classes of its own, the network \(wanted.count)")
    }
    return try specification.task(
      on: samples, validation: clip(validation ?? data[0], split: "val"), device: device)
  }

  /// Streets are rendered in pairs; pictures of any other data set are set in motion.
  func task(for specification: FlowTrainingSpecification) throws -> FlowTask {
    let sources = try data.map { name -> FlowTask.Source in
      let parts = name.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0] == "streets", let seed = UInt64(parts[1]) else {
        let stills = StillsInMotion(stills: try clip(name, split: "train"), seed: 1)
        return .init(StillPairs(stills), count: specification.pairCount)
      }
      return .init(StreetPairs(seed: seed), count: specification.pairCount)
    }
    let evaluation = FlowEvaluation(
      pairs: StreetPairs(seed: 0x5EED), clip: try validation.map { try clip($0, split: "val") })
    return try specification.task(on: sources, evaluation: evaluation, device: device)
  }

  private func clip(_ name: String, split: String) throws -> any Clip {
    try [Card<ClipMaker>].clips.part(name)(ClipRequest(split: split, threads: threads))
  }
}
