// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Recipes
internal import Specification

extension PartOptions {
  /// What is wrong with them, once the parser knows all arguments, where frames are to be labelled
  /// of which nothing is known beforehand.
  func checkLabelling(
    _ own: [(key: String, value: OptionValue)], takesHeads: Bool
  ) throws {
    let spec = try validated(own)
    guard let backbone = spec.pipeline.backbone else {
      throw ValidationError("--backbone must be given, or a --recipe that has one")
    }
    let (registries, grammar) = (Parts.registries, Parts.registries.grammar)
    guard
      !grammar.requirements(of: spec.pipeline.scheduler, as: registries.schedulers.role)
        .contains(.labels)
    else {
      let text = grammar.text(of: spec.pipeline.scheduler, as: registries.schedulers.role)
      throw ValidationError("--scheduler \(text) chooses by labels, which only eval has")
    }
    guard
      !grammar.requirements(of: backbone, as: registries.backbones.role).contains(.labels)
    else { throw ValidationError("--backbone truth needs a labelled clip, which only eval has") }
    guard takesHeads || spec.pipeline.head == nil else {
      throw ValidationError("--head is for run and eval; live labels frames")
    }
  }
}
