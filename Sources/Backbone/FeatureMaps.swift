// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// Feature maps of one frame by the stage that gives each: a feature pyramid, say.
public struct FeatureMaps: Sendable {
  /// In the order of the stages.
  public private(set) var stages: [String] = []
  private var maps: [String: Tensor] = [:]

  /// No map at all.
  public init() {}

  /// One map.
  public init(_ map: Tensor, after stage: String) { self[stage] = map }

  /// What the named stage gives, N × C × H × W; nil where it is not here.
  public subscript(_ stage: String) -> Tensor? {
    get { maps[stage] }
    set {
      if maps.updateValueOrRemove(newValue, forKey: stage) { stages.append(stage) }
      if newValue == nil { stages.removeAll { $0 == stage } }
    }
  }

  /// What the named stage gives, N × C × H × W.
  ///
  /// - Throws: `BackboneError` naming the stages there are.
  public func map(after stage: String) throws(BackboneError) -> Tensor {
    guard let map = maps[stage] else {
      throw BackboneError(
        .noSuchStage, "no features of stage '\(stage)'; there are \(stages.joined(separator: ", "))"
      )
    }
    return map
  }

  /// The map, where there is one and no more.
  ///
  /// - Throws: `BackboneError` naming the stages where there are several, or none.
  public func only() throws(BackboneError) -> Tensor {
    guard stages.count == 1 else {
      let names = stages.isEmpty ? "none" : stages.joined(separator: ", ")
      throw BackboneError(.badOutput, "one feature map is wanted; there are those of \(names)")
    }
    return try map(after: stages[0])
  }

  /// - Throws: `BackboneError` with the stage whose map holds numbers that are NaN or infinite: no
  ///   class, depth or box can be told from them.
  package func checkNumbers() throws {
    for stage in stages {
      guard let map = maps[stage], try !map.isFinite() else { continue }
      throw BackboneError(.badOutput, "stage '\(stage)' gives numbers that are NaN or infinite")
    }
  }

  /// What `transform` makes of each map.
  public func mapped(_ transform: (Tensor) throws -> Tensor) rethrows -> FeatureMaps {
    var result = self
    result.maps = try maps.mapValues(transform)
    return result
  }
}

extension [String: Tensor] {
  /// Whether the key is new.
  fileprivate mutating func updateValueOrRemove(_ value: Tensor?, forKey key: String) -> Bool {
    guard let value else {
      removeValue(forKey: key)
      return false
    }
    return updateValue(value, forKey: key) == nil
  }
}
