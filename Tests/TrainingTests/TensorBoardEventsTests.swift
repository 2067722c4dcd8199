// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Training

private let start = Date(timeIntervalSince1970: 1_700_000_000.25)

/// The events of a file as field numbers and values.
private func events(_ path: String) throws -> [[(field: Int, value: ProtobufValue)]] {
  try records(of: bytes(of: path)).map { try fields(of: $0) }
}

@Test func aFileBeginsWithItsVersionAndItsFirstStep() throws {
  let scratch = try Scratch()
  let file = try TensorBoardEvents(in: scratch.path, resumingAfter: 250, at: start)
  let found = try events(file.path)
  #expect(found.count == 2)
  #expect(found[0].map(\.field) == [1, 2, 3] && found[1].map(\.field) == [1, 2, 7])
  #expect(found[0][0].value == .eight(start.timeIntervalSince1970.bitPattern))
  #expect(found[0][1].value == .number(251) && found[1][1].value == .number(251))
  #expect(found[0][2].value.text == "brain.Event:2")
  #expect(found[1][2].value.message.map(\.value) == [.number(1)])
}

@Test func scalarsAreOneSummaryAStep() throws {
  let scratch = try Scratch()
  let file = try TensorBoardEvents(in: scratch.path, at: start)
  try file.add(["loss": 1.5, "val/mIoU ü": -0.25], step: 1 << 40, at: start)
  try file.add([:], step: 3)
  try file.add(["loss": .nan], step: 2, at: start)
  let found = try events(file.path).dropFirst(2)
  #expect(found.count == 2)
  let first = try #require(found.first)
  #expect(first.map(\.field) == [1, 2, 5] && first[1].value == .number(1 << 40))
  let values = first[2].value.message.map(\.value.message)
  #expect(values.map { $0[0].value.text } == ["loss", "val/mIoU ü"])
  let bits = [Float(1.5), -0.25].map(\.bitPattern)
  #expect(values.map { $0[1].value } == bits.map(ProtobufValue.four))
  #expect(values.allSatisfy { $0.map(\.field) == [1, 2] })
}

@Test func aPictureIsKeptAsItIs() throws {
  let scratch = try Scratch()
  let file = try TensorBoardEvents(in: scratch.path)
  let png = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
  try file.add(png: png, named: "overlay", width: 480, height: 360, step: 9)
  let value = try #require(try events(file.path).last?[2].value.message.first?.value.message)
  #expect(value[0].value.text == "overlay" && value[1].field == 4)
  let image = value[1].value.message
  #expect(image.map(\.field) == [1, 2, 3, 4])
  #expect(image.map(\.value) == [.number(360), .number(480), .number(3), .bytes(png)])
}

/// The file that TensorFlow's own writer makes of `loss` 0.5 at step 3 (Scripts/golden/events.py).
@Test func bytesAreThoseOfTheReferenceWriter() throws {
  let scratch = try Scratch()
  let file = try TensorBoardEvents(in: scratch.path, resumingAfter: 2, at: start)
  try file.add(["loss": 0.5], step: 3, at: start)
  #expect(try Data(bytes(of: file.path)).base64EncodedString() == goldenEvents)
}

@Test func everyStartHasAFileOfItsOwnInOrder() throws {
  let scratch = try Scratch()
  let files = try (0..<3).map {
    try TensorBoardEvents(in: scratch.path, at: start + Double($0 / 2)).path
  }
  #expect(Set(files).count == 3 && files.sorted() == files)
  #expect(files.allSatisfy { $0.contains("/events.out.tfevents.1700000") })
}

@Test func aFolderThatIsNotThereIsNamed() throws {
  let error = try #require(throws: TrainingError.self) { try TensorBoardEvents(in: "/nowhere") }
  #expect(error.message.hasPrefix("/nowhere/events.out.tfevents."))
}
