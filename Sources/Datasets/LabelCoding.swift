// SPDX-License-Identifier: Apache-2.0

internal import Video

/// A file of labels, and how to read it.
struct LabelFile: Sendable {
  let path: String
  let coding: LabelCoding

  /// One class id a pixel.
  func map() throws -> Image { try coding.labels(contentsOf: path) }
}

/// How the samples of a label file stand for classes.
enum LabelCoding: Sendable {
  /// They are the ids of the classes, or void.
  case ids(ClassList)
  /// Each stands for the id at its place in a table; nil for those that must not occur.
  case table([UInt8?])
  /// Colours, red in the highest of three bytes, stand for ids. A few others are void.
  case colours([UInt32: UInt8], void: UInt8)

  /// The label map in a file: one class id a pixel.
  func labels(contentsOf path: String) throws -> Image {
    if case .colours(let ids, let void) = self {
      return try coded(Image(contentsOf: path), ids, void: void, from: path)
    }
    return try coded(Image.labels(contentsOf: path), from: path)
  }

  /// The same map with class ids for its samples; `source` is what errors name.
  func coded(_ map: Image, from source: String) throws(DatasetError) -> Image {
    let present = map.withUnsafeBytes { bytes in
      var present = [Bool](repeating: false, count: 256)
      for label in bytes { present[Int(label)] = true }
      return present
    }
    func refuse(_ label: Int, _ reason: String) -> DatasetError {
      DatasetError(.malformed, "\(source): label \(label), \(reason)")
    }
    switch self {
    case .ids(let classes):
      let stranger = present.indices.first {
        present[$0] && $0 >= classes.count && classes.void.map(Int.init) != $0
      }
      if let stranger { throw refuse(stranger, "but \(classes.name) has \(classes.count) classes") }
      return map
    case .table(let table):
      if let stranger = present.indices.first(where: { present[$0] && table[$0] == nil }) {
        throw refuse(stranger, "which stands for nothing")
      }
      let ids = table.map { $0 ?? 0 }
      return Image(width: map.width, height: map.height, channels: 1) { out in
        map.withUnsafeBytes { bytes in
          for pixel in bytes.indices { out[pixel] = ids[Int(bytes[pixel])] }
        }
      }
    case .colours:
      throw DatasetError(.malformed, "\(source): ids where colours are expected")
    }
  }

  private func coded(
    _ picture: Image, _ ids: [UInt32: UInt8], void: UInt8, from source: String
  ) throws(DatasetError) -> Image {
    var (strangers, stranger) = (0, UInt32(0))
    let labels = Image(width: picture.width, height: picture.height, channels: 1) { out in
      picture.withUnsafeBytes { bytes in
        var (last, id) = (UInt32.max, void)
        for pixel in 0..<out.count {
          let (blue, green) = (UInt32(bytes[3 * pixel]), UInt32(bytes[3 * pixel + 1]))
          let colour = UInt32(bytes[3 * pixel + 2]) << 16 | green << 8 | blue
          if colour != last { (last, id) = (colour, ids[colour] ?? void) }
          if id == void && ids[colour] == nil { (strangers, stranger) = (strangers + 1, colour) }
          out[pixel] = id
        }
      }
    }
    // Human labels have a few stray pixels; more of them are of some other data set.
    guard strangers * 50 <= picture.width * picture.height else {
      let parts = [16, 8, 0].map { String(stranger >> $0 & 0xFF) }.joined(separator: ", ")
      throw DatasetError(
        .malformed, "\(source): colours of no class, such as red, green, blue \(parts)")
    }
    return labels
  }
}
