// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Flow
internal import Propagation
internal import Recipes
internal import Scheduler

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show the parts that pipelines are made of.")

  @Option(help: "The folder in which to look for the weights of recipes.")
  var models = "Models"

  func run() {
    show("Recipes (--recipe)", .recipes as [Card<RecipeMaker>]) { card in
      guard let recipe = Recipe.all.first(where: { $0.name == card.name }) else { return nil }
      let data = recipe.dataWithWeights(in: models)
      return data.isEmpty
        ? "no weights in \(models)" : "weights: \(data.joined(separator: ", "))"
    }
    show("Schedulers (--scheduler)", .schedulers as [Card<any KeyframeScheduler>])
    show("Propagators (--propagation)", .strategies as [Card<StrategyMaker>])
    show("Flow estimators (--flow)", .flows(threads: 1) as [Card<any FlowEstimator>])
    show("Labelled clips (eval)", .clips as [Card<ClipMaker>])
    print(
      """
      Backbones (--backbone)
        FILE.pt             a TorchScript network, with FILE.yaml beside it that says how to feed it
        FOLDER              a network of this package's own: spec.yaml and weights.safetensors
        truth               a clip's own labels in the place of a network (eval only)
      """)
  }

  private func show<Product>(
    _ title: String, _ cards: [Card<Product>], remark: (Card<Product>) -> String? = { _ in nil }
  ) {
    print(title)
    for card in cards {
      let usage = card.usage.padding(to: 20)
      let remark = remark(card).map { " [\($0)]" } ?? ""
      print("  \(usage)\(card.summary)\(remark)")
    }
    print()
  }
}

extension String {
  /// Filled up with spaces, and at least one of them, to `width` columns.
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}
