// SPDX-License-Identifier: Apache-2.0

import Recipes
import Specification
import Testing

/// What `list`, help and errors say of each kind of part.
struct PartTextTests {
  private static let registries = Registries.standard

  private static let descriptors = [
    registries.schedulers.descriptors, registries.changeScores.descriptors,
    registries.propagators.descriptors, registries.fusions.descriptors,
    registries.flows.descriptors, registries.datasets.descriptors,
    registries.backbones.descriptors, registries.heads.descriptors,
    registries.metrics.descriptors,
  ].flatMap(\.self)

  // What is written begins with the kind; a backbone may be its path alone.
  @Test func aUsageBeginsWithItsKind() {
    let backbones = Set(Self.registries.backbones.descriptors.map(\.kind))
    for descriptor in Self.descriptors {
      let (kind, usage) = (descriptor.kind, descriptor.usage)
      let head = String(usage.prefix { $0 != ":" && $0 != "[" })
      let isPath =
        backbones.contains(kind)
        && descriptor.options.filter(\.isPositional).map(\.name) == ["path"]
      let isPlaceholder = head.prefix(while: \.isUppercase).count > 1
      #expect(head == kind || (isPath && isPlaceholder), "\(kind) is written \(usage)")
    }
  }

  @Test func aSummaryIsOneShortPhrase() {
    let recipes = Self.registries.recipes.all.map { ($0.name, $0.summary) }
    for (kind, summary) in Self.descriptors.map({ ($0.kind, $0.summary) }) + recipes {
      #expect(!summary.isEmpty, "\(kind) has no summary")
      #expect(summary.count <= 100, "\(kind): \(summary.count) characters")
      #expect(summary.last != ".", "\(kind) ends with a full stop")
    }
  }
}
