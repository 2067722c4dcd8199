// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Video

/// What part each class plays when a still is set in motion.
struct StillRoles: Sendable {
  enum Role: Sendable {
    /// So far away that it only turns.
    case sky
    /// A plane below the camera.
    case ground
    /// Stands on the ground and closes the view.
    case upright
    /// Stands before what is upright, and stays where it is.
    case fixture
    /// The same, but could be anywhere: what is pasted into other stills.
    case mover
    case unknown
  }

  private let roles: [Role]
  /// What grows together into one cut-out, as a rider and what is ridden do; nil where nothing is
  /// cut out.
  private let groups: [UInt8?]

  /// The roles of classes with the usual names; nil where they are of no street.
  init?(_ classes: ClassList) {
    let names = classes.names.map { $0.lowercased() }
    let known = names.map { Self.usual[$0] ?? .unknown }
    guard known.contains(.ground), known.contains(.upright) else { return nil }
    roles = known + [Role](repeating: .unknown, count: 256 - known.count)
    let ridden = UInt8(names.firstIndex { Self.ridden.contains($0) } ?? 0)
    let cutOut = roles.enumerated().map { label, role -> UInt8? in
      guard role == .fixture || role == .mover else { return nil }
      return label < names.count && Self.ridden.contains(names[label]) ? ridden : UInt8(label)
    }
    groups = cutOut
  }

  subscript(label: UInt8) -> Role { roles[Int(label)] }

  func group(of label: UInt8) -> UInt8? { groups[Int(label)] }

  private static let ridden: Set = ["rider", "bicycle", "motorcycle"]

  private static let usual: [String: Role] = [
    "sky": .sky,
    "road": .ground, "pavement": .ground, "sidewalk": .ground, "terrain": .ground,
    "building": .upright, "wall": .upright, "fence": .upright, "tree": .upright,
    "vegetation": .upright,
    "pole": .fixture, "sign": .fixture, "signsymbol": .fixture, "traffic light": .fixture,
    "traffic sign": .fixture,
    "car": .mover, "truck": .mover, "bus": .mover, "train": .mover, "person": .mover,
    "pedestrian": .mover, "rider": .mover, "bicyclist": .mover, "motorcycle": .mover,
    "bicycle": .mover,
  ]
}
