// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import TestSupport
import Testing
import Video

struct KITTIFileTests {
  @Test func redIsDxGreenIsDyBlueIsKnown() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("flow.png").path
      let samples: [UInt16] = [32768, 32768 + 96, 1, 32704, 0, 1, 5, 6, 0]
      try Image16(width: 3, height: 1, channels: 3, samples: samples).writePNG(to: path)
      let motion = try MotionField(kittiFile: path)
      #expect(motion.displacements == [0, 1.5, -1, -512, 0, 0])
      #expect(motion.known == [1, 1, 0])
    }
  }

  @Test func whatIsWrittenIsReadToA64thOfAPixel() throws {
    let motion = random(width: 33, height: 17, seed: 8)
    let read = try roundTrip(motion)
    #expect(read.known == motion.known)
    for (found, wanted) in zip(read.displacements, motion.displacements) {
      #expect(abs(found - wanted) <= 1 / 128 + 1e-4)
    }
    #expect(try roundTrip(read) == read)
  }

  @Test func whatDoesNotFitBecomesUnknown() throws {
    let motion = field(width: 4, height: 1) { x, _ in
      [(511.5, 0), (512, 0), (0, -.infinity), (.nan, 0)][x]
    }
    #expect(try roundTrip(motion).known == [1, 0, 0, 0])
  }

  @Test func otherPicturesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("picture.png").path
      try Image(width: 2, height: 2, channels: 3, repeating: 7).writePNG(to: path)
      let shallow = try #require(throws: FlowError.self) { try MotionField(kittiFile: path) }
      #expect(shallow.code == .unreadable && shallow.message.contains("8 bits"))
      try Image16(width: 1, height: 1, channels: 1, samples: [9]).writePNG(to: path)
      let grey = try #require(throws: FlowError.self) { try MotionField(kittiFile: path) }
      #expect(grey.code == .unreadable && grey.message.contains("1 channel"))
    }
  }
}

private func roundTrip(_ motion: MotionField) throws -> MotionField {
  try withTemporaryFolder { folder in
    let path = folder.appendingPathComponent("flow.png").path
    try motion.write(kittiFile: path)
    return try MotionField(kittiFile: path)
  }
}
