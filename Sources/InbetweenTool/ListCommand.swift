// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Propagation
internal import Recipes
internal import Specification

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show the parts that pipelines are made of.")

  @Option(help: "The folder in which to look for the weights of recipes.")
  var models = RecipeModels.usualFolder

  func run() {
    let registries = Parts.registries
    print("Recipes (--recipe)")
    for recipe in registries.recipes.all {
      let data = recipe.dataWithWeights(in: models)
      let found = "weights: \(data.joined(separator: ", "))"
      let remark = data.isEmpty ? "no weights in \(models)" : found
      line(recipe.name, "\(recipe.summary) [\(remark)]")
    }
    print()
    show("Schedulers (--scheduler)", registries.schedulers.descriptors)
    show("Propagators (--propagator)", registries.propagators.descriptors)
    show(
      "Trained propagations (train: propagation.kind)",
      registries.trainablePropagations.kinds.descriptors)
    show("Fusions (--fusion)", registries.fusions.descriptors)
    show("Optical flow (--flow)", registries.flows.descriptors)
    show("Data sets (eval, train)", registries.datasets.descriptors)
    show("Backbones (--backbone)", registries.backbones.descriptors)
    show("Heads (--head FOLDER)", registries.heads.descriptors)
    show("Decoders of detectors (decoder: in FILE.yaml)", registries.decoders.descriptors)
    show("Metrics (--metric)", registries.metrics.descriptors)
  }

  private func show(_ title: String, _ descriptors: [PartDescriptor]) {
    guard !descriptors.isEmpty else { return }
    print(title)
    for descriptor in descriptors { line(descriptor.usage, descriptor.summary) }
    print()
  }

  private func line(_ usage: String, _ summary: String) {
    let gap = String(repeating: " ", count: max(1, 22 - usage.count))
    print("  \(usage)\(gap)\(summary)")
  }
}
