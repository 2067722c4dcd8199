// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
public import Specification

/// Tells what is trained from anything else, stage by stage: what a specification says but for the
/// stages after that one, so that those may still be changed before they have begun.
public struct TrainingFingerprint: Hashable, Sendable, ExpressibleByStringLiteral {
  private let texts: [String]

  /// One text for each stage; after the last, the last one holds on.
  public init(_ texts: [String]) {
    precondition(!texts.isEmpty, "a training without a stage")
    self.texts = texts
  }

  /// One text for every stage, as tests use it.
  public init(stringLiteral text: String) { self.init([text]) }

  /// Of a specification's text with `stages` in its group `training`; comments and layout do not
  /// count.
  ///
  /// - Throws: `SpecificationError` where the text is no mapping.
  public init(yaml: String, stages: Int) throws(SpecificationError) {
    try self.init(of: DescriptionReader(yaml: yaml), stages: stages)
  }

  /// Of a specification with `stages` in its group `training`; comments and layout do not count.
  init(of root: DescriptionReader, stages: Int) throws(SpecificationError) {
    self.init(
      try (1...max(1, stages)).map { (count) throws(SpecificationError) in
        [UInt8](try root.text(keeping: count, of: "stages", in: "training").utf8).fingerprint
      })
  }

  /// The same training of something else: `name` tells what, data say.
  public func with(_ name: String) -> TrainingFingerprint {
    TrainingFingerprint(texts.map { "\($0) \(name)" })
  }

  /// Of all up to the end of a stage.
  public subscript(_ stage: Int) -> String { texts[min(max(stage, 0), texts.count - 1)] }
}

extension [UInt8] {
  /// Hexadecimal digits that tell bytes apart, the same in every run (FNV-1a).
  package var fingerprint: String {
    let hash = reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
    }
    return String(hash, radix: 16)
  }
}
