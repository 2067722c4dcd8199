// SPDX-License-Identifier: Apache-2.0

import Datasets
import Testing
import Video

/// The download with coloured labels.
struct CamVidColourTests {
  /// Red, green and blue of all 32 classes in the order of their usual chart, and the id each has
  /// among the eleven.
  private static let chart: [(String, [UInt8], UInt8)] = [
    ("Animal", [64, 128, 64], 9), ("Archway", [192, 0, 128], 1), ("Bicyclist", [0, 128, 192], 10),
    ("Bridge", [0, 128, 64], 1), ("Building", [128, 0, 0], 1), ("Car", [64, 0, 128], 8),
    ("CartLuggagePram", [64, 0, 192], 9), ("Child", [192, 128, 64], 9),
    ("Column_Pole", [192, 192, 128], 2), ("Fence", [64, 64, 128], 7),
    ("LaneMkgsDriv", [128, 0, 192], 3), ("LaneMkgsNonDriv", [192, 0, 64], 3),
    ("Misc_Text", [128, 128, 64], 6), ("MotorcycleScooter", [192, 0, 192], 10),
    ("OtherMoving", [128, 64, 64], 8), ("ParkingBlock", [64, 192, 128], 4),
    ("Pedestrian", [64, 64, 0], 9), ("Road", [128, 64, 128], 3),
    ("RoadShoulder", [128, 128, 192], 4), ("Sidewalk", [0, 0, 192], 4),
    ("SignSymbol", [192, 128, 128], 6), ("Sky", [128, 128, 128], 0),
    ("SUVPickupTruck", [64, 128, 192], 8), ("TrafficCone", [0, 0, 64], 2),
    ("TrafficLight", [0, 64, 64], 6), ("Train", [192, 64, 128], 8), ("Tree", [128, 128, 0], 5),
    ("Truck_Bus", [192, 128, 192], 8), ("Tunnel", [64, 0, 64], 1),
    ("VegetationMisc", [192, 192, 0], 5), ("Void", [0, 0, 0], 11), ("Wall", [64, 192, 0], 1),
  ]

  /// A split of one picture of 32 × 1 pixels, one of each class.
  private func made(dictionary: String?) throws -> MadeUpFolder {
    let folder = try MadeUpFolder()
    let grey = Image(width: 32, height: 1, channels: 3, repeating: 90)
    try folder.write(grey, "train/0001TP_006690.png")
    let colours = Self.chart.flatMap { [$0.1[2], $0.1[1], $0.1[0]] }
    try folder.write(
      Image(width: 32, height: 1, channels: 3, bytes: colours),
      "train_labels/0001TP_006690_L.png")
    if let dictionary { try folder.text("class_dict.csv", dictionary) }
    return folder
  }

  private var dictionary: String {
    Self.chart.reduce("name,r,g,b\r\n") { text, row in
      text + "\(row.0), \(row.1.map(String.init).joined(separator: ","))\r\n"
    }
  }

  @Test(arguments: [true, false]) func coloursBecomeTheElevenClasses(isStated: Bool) throws {
    let folder = try made(dictionary: isStated ? dictionary : nil)
    let clip = try CamVid(root: folder.path, split: "train")
    #expect(clip.labelledCount == 1)
    #expect(try clip.labels(at: 0)?.bytes == Self.chart.map(\.2))
  }

  @Test func theDictionarysColoursCount() throws {
    let text = "Sky,0,0,1\nRoad,128,64,128\nVoid,0,0,0"
    let folder = try made(dictionary: text)
    let colours = [[0, 0, 1], [128, 64, 128], [0, 0, 0]] as [[UInt8]]
    try folder.write(
      Image(width: 3, height: 1, channels: 3, bytes: colours.flatMap { $0.reversed() }),
      "train_labels/0001TP_006690_L.png")
    #expect(try CamVid(root: folder.path, split: "train").labels(at: 0)?.bytes == [0, 3, 11])
  }

  @Test(arguments: [
    ("Sky,1,2", "'Sky,1,2' is no name and three samples"),
    ("Sky,1,2,256", "'Sky,1,2,256' is no name and three samples"),
    ("Ocean,1,2,3", "CamVid has no class 'Ocean'"),
  ])
  func aWrongDictionaryIsRefused(text: String, sentence: String) throws {
    let folder = try made(dictionary: text)
    let error = try #require(throws: DatasetError.self) {
      try CamVid(root: folder.path, split: "train")
    }
    #expect(error.code == .malformed && error.message.hasSuffix(sentence))
  }

  @Test func coloursOfAnotherDataSetAreRefused() throws {
    let folder = try made(dictionary: dictionary)
    let strange = Image(width: 32, height: 1, channels: 3, repeating: 70)
    try folder.write(strange, "train_labels/0001TP_006690_L.png")
    let clip = try CamVid(root: folder.path, split: "train")
    let error = try #require(throws: DatasetError.self) { try clip.labels(at: 0) }
    #expect(error.message.hasSuffix("such as red, green, blue 70, 70, 70"))
  }
}
