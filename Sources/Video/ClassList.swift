// SPDX-License-Identifier: Apache-2.0

/// The classes that label ids stand for, and how they are drawn.
public struct ClassList: Hashable, Sendable {
  /// The name by which descriptions refer to the list.
  public let name: String
  /// How many classes there are; their ids are 0 up to, and without, this.
  public let count: Int
  /// The id that claims no class: ignored in a truth, a miss in a prediction.
  public let void: UInt8?
  /// A name and a colour for each id, void among them where it has one.
  public let palette: Palette

  /// The first `count` entries of a palette as classes; entries after them, such as void's, are no
  /// classes.
  ///
  /// - Precondition: the palette has an entry for each class, and there are fewer than 256.
  public init(name: String, palette: Palette, count: Int, void: UInt8?) {
    precondition(
      count < 256 && palette.entries.count >= count, "\(count) classes, one byte, one entry each")
    (self.name, self.palette, self.count, self.void) = (name, palette, count, void)
  }

  /// Classes of these names, in colours that tell them apart.
  public init(name: String, names: [String], void: UInt8?) {
    let palette = Palette.distinct(names, void: Set([void, 255].compactMap { $0 }))
    self.init(name: name, palette: palette, count: names.count, void: void)
  }

  /// The name of each class; its position is its id.
  public var names: [String] { palette.entries.prefix(count).map(\.name) }

  /// The same classes with another id for void.
  public func with(void: UInt8?) -> ClassList {
    ClassList(name: name, palette: palette, count: count, void: void)
  }

  /// CamVid's eleven classes and their usual ids (Brostow et al., 2009; as in SegNet).
  public static let camVid = ClassList(name: "camvid11", palette: .camVid, count: 11, void: 11)

  /// Cityscapes' nineteen training classes (Cordts et al., CVPR 2016).
  public static let cityscapes = ClassList(
    name: "cityscapes19", palette: .cityscapes, count: 19, void: 255)

  /// The objects that `MovingStreet` puts boxes around: car, pedestrian, bicyclist.
  public static let streetObjects = ClassList(
    name: "street3", palette: .streetObjects, count: 3, void: nil)

  /// The eighty kinds of object of COCO's detections (Lin et al., ECCV 2014), in the order in which
  /// networks number them.
  public static let coco = ClassList(
    name: "coco80",
    names: [
      "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
      "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat",
      "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack",
      "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball",
      "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket",
      "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
      "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair",
      "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse",
      "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator",
      "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
    ], void: nil)

  /// The lists that a description can name.
  public static let all = [camVid, cityscapes, streetObjects, coco]

  /// The list called `name`; nil if there is none.
  public static func named(_ name: String) -> ClassList? { all.first { $0.name == name } }
}
