// SPDX-License-Identifier: Apache-2.0
import Datasets
import Foundation
import TestSupport
import Testing
import Video

@Suite struct BoxTextTests {
  private let records = [
    BoxRecord(
      frame: 0, time: 0.5, identity: 3, category: 1, label: "a \"car\", red", score: 0.75,
      box: BoundingBox(x: 1.5, y: 2, width: 30, height: 40), isKey: true),
    BoxRecord(
      frame: 4, category: 0, score: 0.5, box: BoundingBox(x: 0, y: 0, width: 1, height: 2.25),
      age: 4),
  ]

  private func text(_ format: BoxFormat, imageIDs: [Int]? = nil) -> String {
    var text = BoxText(format, imageIDs: imageIDs)
    return text.begin + records.map { text.text(of: [$0]) }.joined() + text.end
  }

  @Test func motChallengeCountsFromOne() {
    #expect(
      text(.mot)
        == "1,3,2.5,3.0,30.0,40.0,0.75,-1,-1,-1\n5,-1,1.0,1.0,1.0,2.25,0.5,-1,-1,-1\n")
  }

  @Test func csvQuotesWhatNeedsIt() {
    #expect(
      text(.csv)
        == "frame,time,key,identity,class,label,score,age,x,y,width,height\n"
        + "0,0.5,1,3,1,\"a \"\"car\"\", red\",0.75,0,1.5,2.0,30.0,40.0\n"
        + "4,,0,,0,,0.5,4,0.0,0.0,1.0,2.25\n")
  }

  /// What pycocotools reads: run lengths and numbers in threes.
  @Test(arguments: [BoxFormat.coco, .jsonLines])
  func masksAndPointsAreWritten(format: BoxFormat) throws {
    struct Row: Decodable {
      var segmentation: ObjectMask?, keypoints: [Double]?
    }
    let size = PixelSize(width: 6, height: 4)
    let mask = ObjectMask(size: size, left: 1, top: 1, width: 2, cells: [1, 1, 0, 1])
    let record = BoxRecord(
      frame: 0, category: 0, score: 1, box: mask.box, mask: mask,
      points: [
        KeyPoint(x: 1.5, y: 2, confidence: 0.9), KeyPoint(x: 3, y: 0.5, confidence: 0.2),
        KeyPoint(x: .nan, y: 1),
      ])
    var text = BoxText(format)
    let written = text.begin + text.text(of: [record]) + text.end
    let rows =
      format == .coco
      ? try JSONDecoder().decode([Row].self, from: Data(written.utf8))
      : [try JSONDecoder().decode(Row.self, from: Data(written.utf8))]
    #expect(rows.count == 1 && rows[0].segmentation == mask)
    #expect(rows[0].keypoints == [1.5, 2, 2, 3, 0.5, 1, 0, 0, 0])
  }

  private struct Result: Decodable, Equatable {
    var image_id: Int, category_id: Int, bbox: [Double], score: Double, track_id: Int?
  }

  @Test func cocoIsReadBack() throws {
    let ids = [700, 701, 702, 703, 704]
    let read = try JSONDecoder().decode(
      [Result].self, from: Data(text(.coco, imageIDs: ids).utf8))
    #expect(
      read == [
        Result(image_id: 700, category_id: 2, bbox: [1.5, 2, 30, 40], score: 0.75, track_id: 3),
        Result(image_id: 704, category_id: 1, bbox: [0, 0, 1, 2.25], score: 0.5, track_id: nil),
      ])
    var empty = BoxText(.coco)
    let none = empty.begin + empty.text(of: []) + empty.end
    #expect(try JSONDecoder().decode([Result].self, from: Data(none.utf8)).isEmpty)
  }

  @Test func eachJSONLineIsAnObject() throws {
    let lines = text(.jsonLines).split(separator: "\n")
    #expect(lines.count == 2)
    let first = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
    #expect(first?["label"] as? String == "a \"car\", red")
    #expect(first?["bbox"] as? [Double] == [1.5, 2, 30, 40])
    #expect(first?["key"] as? Bool == true)
    let second = try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any]
    #expect(second?["identity"] == nil)
    #expect(second?["age"] as? Int == 4)
  }

  @Test func numbersThatJSONHasNotAreLeftOut() {
    var text = BoxText(.jsonLines)
    let bad = BoxRecord(
      frame: 0, category: 0, score: .nan, box: BoundingBox(x: 0, y: 0, width: 1, height: 1))
    #expect(text.text(of: [bad]).isEmpty)
  }

  @Test func aFileThatCannotBeWrittenIsSaidInOneSentence() {
    let error = #expect(throws: DatasetError.self) {
      try BoxText.write(records, as: .csv, to: "/nowhere/at/all/boxes.csv")
    }
    #expect(error?.code == .unwritable)
  }
}
