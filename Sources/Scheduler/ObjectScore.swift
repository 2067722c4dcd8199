// SPDX-License-Identifier: Apache-2.0

public import Frames

/// How far the objects of a frame have come from the key frame, where boxes are propagated.
///
/// It sees what is known: what comes into view is in no box. So it goes together with
/// `LongestInterval`, or with a scheduler that looks at whole pictures. Where there are no objects
/// there is no change.
public struct ObjectScore: ChangeScore {
  /// What is compared.
  public enum Measure: String, Sendable, Hashable, CaseIterable {
    /// Photometric error inside the boxes, in grey levels.
    case brightness
    /// How far points lie from their box's motion, in shares of its size.
    case spread
    /// The share of the boxes that are about to leave.
    case leaving
    /// The flow inside the boxes that does not speak for them.
    case unsupported
  }

  /// What is compared.
  public let measure: Measure

  /// A score of what is propagated of objects.
  public init(_ measure: Measure) { self.measure = measure }

  /// What traces call it, by the measure.
  public var name: String { "boxes' \(measure.rawValue)" }

  /// From 0, in the measure's unit; nil where pictures are needed and not at hand.
  public func score(at context: FrameContext) throws -> Double? {
    guard let change = try context.objectChange() else { return 0 }
    return switch measure {
    case .brightness: change.brightness
    case .spread: change.spread
    case .leaving: change.leaving
    case .unsupported: change.unsupported
    }
  }
}
