// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Pipeline
import Recipes
import Scheduler
import Specification
import Video

/// The parts of one role by their short texts.
struct NamedParts<Part> {
  let registry: PartRegistry<Part>

  func part(_ text: String) throws -> Part {
    let registries = Registries.standard
    return try registry.build(
      registries.grammar.parse(text, as: registry.role), in: registries.context(threads: 1))
  }
}

func clip(_ name: String, _ request: ClipRequest = ClipRequest()) throws -> any LabelledClip {
  try NamedParts(registry: Registries.standard.datasets).part(name).clip(request)
}

func flow(_ name: String) throws -> any FlowEstimator {
  try NamedParts(registry: Registries.standard.flows).part(name)
}

/// The network in a folder, with its head.
func network(
  at folder: String
) throws -> (backbone: any Backbone, head: any SegmentationHead) {
  try NamedParts(registry: Registries.standard.backbones).part("network:\(folder)").load()
}

extension PipelineSpec {
  /// The pipeline of these parts around the network in a folder.
  func pipeline(around folder: String) throws -> KeyframePipeline<Image> {
    let (backbone, head) = try network(at: folder)
    return try resolve(around: backbone, head: head, path: folder).pipeline
  }
}
