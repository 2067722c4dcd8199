// SPDX-License-Identifier: Apache-2.0

internal import Outputs
public import Video

/// A box of a frame, as it is written into a file.
public struct BoxRecord: Sendable, Hashable {
  /// The frame's position from 0.
  public var frame: Int
  /// Seconds from the start of the stream; nil where nobody knows.
  public var time: Double?
  /// The same number for the same object; nil where nothing is tracked.
  public var identity: Int?
  /// The position of its class in the list of classes.
  public var category: Int
  /// The name of its class; nil where nobody knows.
  public var label: String?
  /// How sure it is, from 0 to 1.
  public var score: Double
  /// In pixels of the frame.
  public var box: BoundingBox
  /// Frames since the network found it.
  public var age: Int
  /// Whether the frame is a key frame.
  public var isKey: Bool
  /// The pixels that it covers; nil where nobody knows.
  public var mask: ObjectMask?
  /// Its key points, in pixels of the frame.
  public var points: [KeyPoint]

  /// A box of a frame; nothing is checked.
  public init(
    frame: Int, time: Double? = nil, identity: Int? = nil, category: Int, label: String? = nil,
    score: Double, box: BoundingBox, age: Int = 0, isKey: Bool = false, mask: ObjectMask? = nil,
    points: [KeyPoint] = []
  ) {
    (self.frame, self.time, self.identity) = (frame, time, identity)
    (self.category, self.label, self.score) = (category, label, score)
    (self.box, self.age, self.isKey) = (box, age, isKey)
    (self.mask, self.points) = (mask, points)
  }

  /// `segmentation` and `keypoints` as COCO has them, where there are some, each after a comma.
  ///
  /// A point's third number is 2 where it is more likely seen than not, and else 1, in results as
  /// in ground truth; a point that is not finite is three zeros.
  fileprivate var shapes: String {
    var text = ""
    if let mask {
      text +=
        ",\"segmentation\":{\"size\":[\(mask.size.height),\(mask.size.width)],\"counts\":"
        + "\(mask.compressedRuns.inJSON)}"
    }
    guard !points.isEmpty else { return text }
    let numbers = points.map { point in
      point.x.isFinite && point.y.isFinite
        ? "\(point.x),\(point.y),\(point.confidence >= 0.5 ? 2 : 1)" : "0,0,0"
    }
    return text + ",\"keypoints\":[\(numbers.joined(separator: ","))]"
  }

  var isFinite: Bool {
    [box.x, box.y, box.width, box.height, score, time ?? 0].allSatisfy(\.isFinite)
  }
}

/// A format in which boxes are written.
public enum BoxFormat: String, Sendable, CaseIterable {
  /// MOTChallenge's results: frame, identity, left, top, width, height, score and three times −1 a
  /// line; frames, left and top count from 1, and −1 is nobody's identity.
  case mot
  /// COCO's results: a JSON list of image_id, category_id, bbox and score, and track_id as in TAO;
  /// segmentation, as run lengths, and keypoints where there are some.
  case coco
  /// A header and a line for each box, as spreadsheets read it.
  case csv
  /// A JSON object a line, as soon as the frame is known.
  case jsonLines = "jsonl"
}

/// Text of boxes in a format, frame by frame, so that it can go to a pipe as it is made.
///
/// What `begin`, `text(of:)` of each frame, and `end` give, one after the other, is the whole
/// file. Boxes that are not finite are left out, as JSON knows no such numbers.
public struct BoxText: Sendable {
  /// The format that is written.
  public let format: BoxFormat
  private let imageIDs: [Int]?
  private let categoryIDs: [Int]?
  private var isFirst = true

  /// Text in a format.
  ///
  /// COCO's results name images and categories by the ids of an annotation file: `imageIDs` gives
  /// those of the frames by position, `categoryIDs` those of the categories. Without them an image
  /// is its position and a category its position plus 1.
  public init(_ format: BoxFormat, imageIDs: [Int]? = nil, categoryIDs: [Int]? = nil) {
    (self.format, self.imageIDs, self.categoryIDs) = (format, imageIDs, categoryIDs)
  }

  /// What stands before all boxes.
  public var begin: String {
    switch format {
    case .mot, .jsonLines: ""
    case .coco: "["
    case .csv: "frame,time,key,identity,class,label,score,age,x,y,width,height\n"
    }
  }

  /// What stands after all boxes.
  public var end: String { format == .coco ? "\n]\n" : "" }

  /// The text of the boxes of a frame, or of several.
  public mutating func text(of records: [BoxRecord]) -> String {
    var text = ""
    for record in records where record.isFinite {
      if format == .coco { text += isFirst ? "\n" : ",\n" }
      isFirst = false
      text += line(of: record)
    }
    return text
  }

  /// A whole file of boxes: it appears whole, or not at all.
  ///
  /// - Throws: `DatasetError` with the path where it cannot be written.
  public static func write(
    _ records: [BoxRecord], as format: BoxFormat, to path: String, imageIDs: [Int]? = nil,
    categoryIDs: [Int]? = nil
  ) throws(DatasetError) {
    var text = BoxText(format, imageIDs: imageIDs, categoryIDs: categoryIDs)
    let all = text.begin + text.text(of: records) + text.end
    do throws(OutputError) { try PendingFile.write(Array(all.utf8), to: path) } catch {
      throw DatasetError(.unwritable, "\(error)")
    }
  }

  private func line(of record: BoxRecord) -> String {
    let box = record.box
    switch format {
    case .mot:
      return "\(record.frame + 1),\(record.identity ?? -1),\(box.x + 1),\(box.y + 1),"
        + "\(box.width),\(box.height),\(record.score),-1,-1,-1\n"
    case .coco:
      let image = imageIDs.flatMap { $0.element(at: record.frame) } ?? record.frame
      let category =
        categoryIDs.flatMap { $0.element(at: record.category) } ?? record.category + 1
      return "{\"image_id\":\(image),\"category_id\":\(category),"
        + "\"bbox\":[\(box.x),\(box.y),\(box.width),\(box.height)],\"score\":\(record.score)"
        + (record.identity.map { ",\"track_id\":\($0)" } ?? "") + record.shapes + "}"
    case .csv:
      let time = record.time.map { "\($0)" } ?? ""
      let identity = record.identity.map { "\($0)" } ?? ""
      return "\(record.frame),\(time),\(record.isKey ? 1 : 0),\(identity),\(record.category),"
        + "\((record.label ?? "").inCSV),\(record.score),\(record.age),\(box.x),\(box.y),"
        + "\(box.width),\(box.height)\n"
    case .jsonLines:
      return "{\"frame\":\(record.frame),"
        + (record.time.map { "\"time\":\($0)," } ?? "") + "\"key\":\(record.isKey),"
        + (record.identity.map { "\"identity\":\($0)," } ?? "") + "\"class\":\(record.category),"
        + (record.label.map { "\"label\":\($0.inJSON)," } ?? "") + "\"score\":\(record.score),"
        + "\"age\":\(record.age),\"bbox\":[\(box.x),\(box.y),\(box.width),\(box.height)]"
        + "\(record.shapes)}\n"
    }
  }
}

extension Array {
  fileprivate func element(at index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}

extension String {
  /// Quoted where a comma, a quote or a new line is in it (RFC 4180).
  fileprivate var inCSV: String {
    guard contains(where: { ",\"\n\r".contains($0) || $0.isNewline }) else { return self }
    return "\"" + split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// A JSON string (RFC 8259).
  fileprivate var inJSON: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
