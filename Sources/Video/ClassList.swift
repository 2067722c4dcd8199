// SPDX-License-Identifier: Apache-2.0

/// The classes that label ids stand for.
public struct ClassList: Hashable, Sendable {
  public let name: String
  /// The name of each class; its position is its id.
  public let names: [String]
  /// The id that claims no class: ignored in a truth, a miss in a prediction.
  public let void: UInt8?

  public init(name: String, names: [String], void: UInt8?) {
    precondition(names.count < 256, "\(names.count) classes do not fit a byte")
    (self.name, self.names, self.void) = (name, names, void)
  }

  public var count: Int { names.count }

  /// CamVid's eleven classes and their usual ids (Brostow et al., 2009; as in SegNet).
  public static let camVid = ClassList(
    name: "camvid11",
    names: [
      "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car",
      "Pedestrian", "Bicyclist",
    ], void: 11)

  /// Cityscapes' nineteen training classes (Cordts et al., CVPR 2016).
  public static let cityscapes = ClassList(
    name: "cityscapes19",
    names: [
      "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
      "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
      "motorcycle", "bicycle",
    ], void: 255)

  /// The lists that a description can name.
  public static let all = [camVid, cityscapes]

  /// The list called `name`; nil if there is none.
  public static func named(_ name: String) -> ClassList? { all.first { $0.name == name } }
}
