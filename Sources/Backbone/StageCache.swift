// SPDX-License-Identifier: Apache-2.0

package import Tensors
package import Video

/// What a backbone has made of one frame, stage by stage as it was asked for: nothing is computed
/// twice.
package struct StageCache: Sendable {
  /// Runs some stages on what those before them gave.
  package typealias Run = @Sendable (Range<Int>, Features) throws -> Features

  private let stages: [Stage]
  private let input: @Sendable () throws -> Tensor
  private let run: Run
  private let remembersAll: Bool
  private let stops: Set<String>
  /// What is known, by stage.
  package private(set) var known: [String: Features] = [:]

  /// Nothing is known yet of what `stages` make of `input`.
  ///
  /// Where it `remembersAll`, stages run one by one, so that an early one can be asked for after a
  /// later one; else those of `stops` are remembered so, and what nobody asked for is let go.
  package init(
    of stages: [Stage], remembersAll: Bool = false, stoppingAt stops: Set<String> = [],
    input: @escaping @Sendable () throws -> Tensor, run: @escaping Run
  ) {
    (self.stages, self.remembersAll, self.input, self.run) = (stages, remembersAll, input, run)
    self.stops = stops
  }

  /// Of a frame, as the backbone sees it.
  package init(
    of frame: Frame, in backbone: any Backbone, stoppingAt stops: Set<String> = []
  ) {
    self.init(
      of: backbone.stages, stoppingAt: stops, input: { try backbone.input(for: frame) },
      run: { try backbone.run($0, on: $1) })
  }

  /// How many stages lead to the furthest one that is known, among the first `count`.
  package func furthest(within count: Int) -> Int {
    (stages[..<count].lastIndex { known[$0.name] != nil } ?? -1) + 1
  }

  /// The output of the first `count` stages, going on from the furthest one that is known.
  ///
  /// - Precondition: there are so many, and at least one.
  package mutating func features(through count: Int) throws -> Features {
    var done = furthest(within: count)
    let known = done > 0 ? self.known[stages[done - 1].name] : nil
    var features = try known ?? Features(input())
    while done < count {
      let next =
        (done + 1..<count).first { remembersAll || stops.contains(stages[$0 - 1].name) } ?? count
      features = try run(done..<next, features)
      self.known[stages[next - 1].name] = features
      done = next
    }
    return features
  }

  /// The output of the named stage.
  package mutating func features(after stage: String) throws -> Features {
    guard let index = stages.firstIndex(where: { $0.name == stage }) else {
      let names = stages.map(\.name).joined(separator: ", ")
      throw BackboneError(.noSuchStage, "no stage '\(stage)'; there are \(names)")
    }
    return try features(through: index + 1)
  }

  /// The first `count` outputs of stages that later ones read too.
  ///
  /// No stage runs that they do not need, and none again that is known to have given them.
  package mutating func skips(_ count: Int) throws -> [Tensor] {
    guard count > 0 else { return [] }
    for stage in stages {
      if let known = known[stage.name], known.skips.count == count { return known.skips }
    }
    // What is known with fewer of them is mostly on the way there.
    let begun = stages.lastIndex { known[$0.name].map { $0.skips.count < count } ?? false }
    let first = begun.map { $0 + 1 } ?? 0
    for index in [Int](first..<stages.count) + [Int](0..<first) {
      let skips = try features(through: index + 1).skips
      if skips.count == count { return skips }
    }
    throw BackboneError(.badOutput, "the frame has fewer than \(count) skips of its key frame")
  }

  /// The output of the stage `later` where it reads `map` in the place of what `stage` gives.
  ///
  /// It is not remembered.
  package mutating func features(
    after later: String, reading map: Tensor, after stage: String
  ) throws -> Tensor {
    let skips = try features(after: stage).skips
    func count(_ name: String) -> Int { (stages.firstIndex { $0.name == name } ?? -1) + 1 }
    guard count(later) > count(stage) else {
      throw BackboneError(.noSuchStage, "no stage '\(later)' after '\(stage)'")
    }
    return try run(count(stage)..<count(later), Features(map, skips: skips)).main
  }

  /// What was made elsewhere is known too.
  package mutating func add(_ features: Features, after stage: String) { known[stage] = features }
}
