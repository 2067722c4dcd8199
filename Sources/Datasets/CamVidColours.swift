// SPDX-License-Identifier: Apache-2.0

internal import Video

/// The colours of CamVid's 32 classes, and which of the eleven each belongs to.
///
/// The merge is SegNet's (Badrinarayanan, Kendall and Cipolla, TPAMI 2017), as its readers have it:
/// vans and buses are cars, motorcycles are bicyclists, lane markings are road.
struct CamVidColours {
  let coding: LabelCoding

  /// The colours that `class_dict.csv` in `root` states, `name,r,g,b` a line; CamVid's own without
  /// it.
  init(in root: DataFolder) throws(DatasetError) {
    let file = "class_dict.csv"
    guard root.holds(file) else {
      let known = Self.classes.map { ($0.value.colour, $0.value.id) }
      coding = .colours(Dictionary(known) { first, _ in first }, void: Self.void)
      return
    }
    var ids: [UInt32: UInt8] = [:]
    for line in try root.lines(of: file, limit: 1 << 16) {
      let parts = line.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
      if parts.first == "name" { continue }
      let samples = parts.dropFirst().compactMap { UInt8($0) }
      guard parts.count == 4, samples.count == 3 else {
        throw DatasetError(
          .malformed, "\(root.path)/\(file): '\(line.prefix(80))' is no name and three samples")
      }
      guard let known = Self.classes[parts[0].lowercased()] else {
        throw DatasetError(
          .malformed, "\(root.path)/\(file): CamVid has no class '\(parts[0].prefix(40))'")
      }
      ids[samples.reduce(0) { $0 << 8 | UInt32($1) }] = known.id
    }
    coding = .colours(ids, void: Self.void)
  }

  private static let void: UInt8 = 11

  /// By name in small letters: the colour, red in the highest of three bytes, and the id of the
  /// eleven.
  private static let classes: [String: (colour: UInt32, id: UInt8)] = [
    "sky": (0x808080, 0),
    "archway": (0xC00080, 1), "bridge": (0x008040, 1), "building": (0x800000, 1),
    "tunnel": (0x400040, 1), "wall": (0x40C000, 1),
    "column_pole": (0xC0C080, 2), "trafficcone": (0x000040, 2),
    "lanemkgsdriv": (0x8000C0, 3), "lanemkgsnondriv": (0xC00040, 3), "road": (0x804080, 3),
    "parkingblock": (0x40C080, 4), "roadshoulder": (0x8080C0, 4), "sidewalk": (0x0000C0, 4),
    "tree": (0x808000, 5), "vegetationmisc": (0xC0C000, 5),
    "misc_text": (0x808040, 6), "signsymbol": (0xC08080, 6), "trafficlight": (0x004040, 6),
    "fence": (0x404080, 7),
    "car": (0x400080, 8), "othermoving": (0x804040, 8), "suvpickuptruck": (0x4080C0, 8),
    "train": (0xC04080, 8), "truck_bus": (0xC080C0, 8),
    "animal": (0x408040, 9), "cartluggagepram": (0x4000C0, 9), "child": (0xC08040, 9),
    "pedestrian": (0x404000, 9),
    "bicyclist": (0x0080C0, 10), "motorcyclescooter": (0xC000C0, 10),
    "void": (0x000000, 11),
  ]
}
