// SPDX-License-Identifier: Apache-2.0

/// The classes of a label map: a name and a colour for each id.
public struct Palette: Sendable, Hashable {
  /// A colour as samples from 0 to 255.
  public struct Colour: Sendable, Hashable {
    /// The three samples.
    public let red: UInt8, green: UInt8, blue: UInt8
    /// A colour of these samples, red first.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
      (self.red, self.green, self.blue) = (red, green, blue)
    }
  }

  /// What one id stands for.
  public struct Entry: Sendable, Hashable {
    /// The name of the class, as legends and tables show it.
    public let name: String
    /// How the class is drawn.
    public let colour: Colour
    /// A class of this name, drawn in this colour.
    public init(_ name: String, _ colour: Colour) { (self.name, self.colour) = (name, colour) }
  }

  /// By class id.
  public let entries: [Entry]
  /// Ids that mean "no class": they are not drawn.
  public let void: Set<UInt8>

  /// Classes by id, at most 256; ids in `void` claim no class.
  public init(_ entries: [Entry], void: Set<UInt8> = [255]) {
    precondition(entries.count <= 256, "\(entries.count) classes do not fit in 8 bits")
    (self.entries, self.void) = (entries, void)
  }

  /// The colour of a class; black for void and for ids beyond the palette.
  public func colour(of label: UInt8) -> Colour {
    Int(label) < entries.count ? entries[Int(label)].colour : Colour(0, 0, 0)
  }

  /// The name of a class, or its number.
  public func name(of label: UInt8) -> String {
    Int(label) < entries.count ? entries[Int(label)].name : "\(label)"
  }
}

extension Palette {
  /// CamVid's 11 classes in the order of SegNet's labels, and 11 for void.
  public static let camVid = Palette(
    [
      Entry("Sky", Colour(128, 128, 128)), Entry("Building", Colour(128, 0, 0)),
      Entry("Pole", Colour(192, 192, 128)), Entry("Road", Colour(128, 64, 128)),
      Entry("Pavement", Colour(60, 40, 222)), Entry("Tree", Colour(128, 128, 0)),
      Entry("Sign", Colour(192, 128, 128)), Entry("Fence", Colour(64, 64, 128)),
      Entry("Car", Colour(64, 0, 128)), Entry("Pedestrian", Colour(64, 64, 0)),
      Entry("Bicyclist", Colour(0, 128, 192)), Entry("Void", Colour(0, 0, 0)),
    ], void: [11, 255])

  /// The 19 training classes of Cityscapes, by train id.
  public static let cityscapes = Palette([
    Entry("road", Colour(128, 64, 128)), Entry("sidewalk", Colour(244, 35, 232)),
    Entry("building", Colour(70, 70, 70)), Entry("wall", Colour(102, 102, 156)),
    Entry("fence", Colour(190, 153, 153)), Entry("pole", Colour(153, 153, 153)),
    Entry("traffic light", Colour(250, 170, 30)), Entry("traffic sign", Colour(220, 220, 0)),
    Entry("vegetation", Colour(107, 142, 35)), Entry("terrain", Colour(152, 251, 152)),
    Entry("sky", Colour(70, 130, 180)), Entry("person", Colour(220, 20, 60)),
    Entry("rider", Colour(255, 0, 0)), Entry("car", Colour(0, 0, 142)),
    Entry("truck", Colour(0, 0, 70)), Entry("bus", Colour(0, 60, 100)),
    Entry("train", Colour(0, 80, 100)), Entry("motorcycle", Colour(0, 0, 230)),
    Entry("bicycle", Colour(119, 11, 32)),
  ])

  /// The classes of rendered streets' boxes, in colours bright enough for lines over a picture.
  public static let streetObjects = Palette(
    [
      Entry("car", Colour(80, 220, 100)), Entry("pedestrian", Colour(255, 70, 110)),
      Entry("bicyclist", Colour(190, 120, 255)),
    ], void: [])

  /// Colours for any number of classes, told apart by bits as in PASCAL VOC; class 0 is black.
  public static func distinct(_ names: [String], void: Set<UInt8> = [255]) -> Palette {
    let entries = names.enumerated().map { index, name in Entry(name, vocColour(index)) }
    return Palette(entries, void: void)
  }

  /// PASCAL VOC: the id's bits, three at a time, become the high bits of red, green and blue.
  private static func vocColour(_ index: Int) -> Colour {
    var (red, green, blue, rest) = (0, 0, 0, index)
    for shift in (0..<8).reversed() {
      red |= (rest & 1) << shift
      green |= (rest >> 1 & 1) << shift
      blue |= (rest >> 2 & 1) << shift
      rest >>= 3
    }
    return Colour(UInt8(red), UInt8(green), UInt8(blue))
  }
}
