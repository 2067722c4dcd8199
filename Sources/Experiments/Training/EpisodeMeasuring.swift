// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Recipes
internal import Scheduler
internal import Specification
internal import Training
internal import Video

/// Plays clips through from every key, as a policy's specification says, and keeps what came of it
/// in a folder.
struct EpisodeMeasuring {
  private let specification: PolicyTrainingSpecification
  private let folder: String
  private let sources: TrainingSources

  init(_ specification: PolicyTrainingSpecification, folder: String, sources: TrainingSources) {
    (self.specification, self.folder, self.sources) = (specification, folder, sources)
  }

  /// The clip called `name`, measured or as it was kept; nil where it was stopped.
  func episode(
    of clip: any LabelledClip, named name: String, isStopped: () -> Bool, advance: () -> Void
  ) throws -> PolicyEpisode? {
    let path = "\(folder)/\(try fileName(of: name, frames: clip.count)).json"
    if let kept = kept(at: path, frames: clip.count) { return kept }
    let pipeline = try pipeline()
    let network = try sources.network(at: specification.policy.backbone).load()
    let taught = try TeacherLabels(of: clip, by: network.backbone, network.head)
    let episode = try PolicyEpisode(pipeline, on: taught, horizon: specification.horizon) { _ in
      advance()
      return !isStopped()
    }
    if let episode { try keep(episode, at: path) }
    return episode
  }

  private func pipeline() throws -> KeyframePipeline<Image> {
    let policy = specification.policy
    let network = try sources.network(at: policy.backbone)
    let (backbone, head) = try network.load()
    let propagator: PartSpec =
      switch policy.propagator {
      case .copy: "copy"
      case .warp: "warp"
      case .trained(let folder): PartSpec("trained", ["folder": .text(folder)])
      }
    return try PipelineSpec(
      scheduler: "every:1", propagator: propagator, flow: PartSpec(policy.flow)
    )
    .resolve(
      around: backbone, head: head, path: network.path, in: sources.registries,
      threads: sources.threads
    ).pipeline
  }

  /// Says which clip it is, and tells apart what is measured in another way.
  private func fileName(of name: String, frames: Int) throws -> String {
    let policy = specification.policy
    var files = try sources.network(at: policy.backbone).files
    if case .trained(let part) = policy.propagator {
      files.append(ModelFolder.weightsPath(in: part))
    }
    // Other weights under the same names measure otherwise.
    let weights = try files.sorted().map { try readBytes(of: $0, limit: 1 << 30).fingerprint }
    let text = [
      name, "\(frames)", "\(specification.horizon)", policy.flow, "\(policy.propagator)",
    ]
    let hash = [UInt8]((text + weights).joined(separator: "\n").utf8).fingerprint
    let last = name.split(separator: "/").last.map(String.init) ?? name
    let clip = last.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return String(clip.prefix(60)) + "-" + hash
  }

  /// What was kept; nil where there is nothing, or nothing that fits.
  private func kept(at path: String, frames: Int) -> PolicyEpisode? {
    guard let bytes = try? readBytes(of: path, limit: 256 << 20),
      let episode = try? JSONDecoder().decode(PolicyEpisode.self, from: Data(bytes)),
      episode.isSound, episode.count == frames
    else { return nil }
    return episode
  }

  private func keep(_ episode: PolicyEpisode, at path: String) throws {
    try makeFolder(folder)
    try PendingFile.write([UInt8](JSONEncoder().encode(episode)), to: path)
  }
}
