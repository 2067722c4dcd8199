// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Foundation
public import Video

/// Which of a ground truth's classes each class of a network's objects is: by their names.
///
/// Names are compared without regard to case, and some classes have two: COCO's person is
/// MOTChallenge's pedestrian. Where the ground truth follows any object, all classes are that one.
public struct ClassMatch: Sendable {
  /// How many classes the ground truth has.
  public let count: Int
  /// What is odd, in one sentence; nil for nothing.
  public let remark: String?
  /// By the network's class; nil for one that the ground truth has not, or does not count.
  private let places: [Int?]

  /// What a network's own classes are among those of a ground truth.
  public init(_ own: ClassList, to truth: ObjectClasses) {
    let (names, others) = (own.names, truth.list.names)
    count = others.count
    func counts(_ place: Int) -> Bool { truth.counted?.contains(place) ?? true }
    guard truth.list != .anyObject else {
      (places, remark) = (names.map { _ in 0 }, nil)
      return
    }
    let found = names.map { name in
      others.firstIndex(of: name) ?? others.firstIndex { Self.common($0) == Self.common(name) }
    }
    guard found.contains(where: { $0.map(counts) ?? false }) else {
      places = names.indices.map { $0 < others.count && counts($0) ? $0 : nil }
      remark =
        "none of the network's classes (\(Self.listed(names))) has a name of the ground truth's "
        + "(\(Self.listed(others.indices.filter(counts).map { others[$0] }))): they are matched by "
        + "their numbers"
      return
    }
    places = found.map { $0.flatMap { counts($0) ? $0 : nil } }
    let missing = others.indices.filter { counts($0) && !found.contains($0) }.map { others[$0] }
    remark =
      missing.isEmpty
      ? nil
      : "the network has no class of the ground truth's \(Self.listed(missing)): such objects "
        + "count as missed"
  }

  /// The objects in the ground truth's classes; those that it has no class for are left out.
  public func callAsFunction(_ objects: [Detection]) -> [Detection] {
    objects.compactMap { object in
      guard places.indices.contains(object.category), let place = places[object.category] else {
        return nil
      }
      var object = object
      object.category = place
      return object
    }
  }

  /// One name for those that data sets give one class.
  private static func common(_ name: String) -> String {
    let plain = name.lowercased().map { $0 == "_" || $0 == "-" ? " " : $0 }
    let words = String(plain).trimmingCharacters(in: .whitespaces)
    return synonyms[words] ?? words
  }

  /// As MOTChallenge and PASCAL VOC call what COCO calls otherwise.
  private static let synonyms = [
    "pedestrian": "person", "motorbike": "motorcycle", "aeroplane": "airplane", "sofa": "couch",
    "tvmonitor": "tv", "diningtable": "dining table", "pottedplant": "potted plant",
  ]

  private static func listed(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
  }
}
