// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Synthesis
import Testing
import Video

struct EncodedClipTests {
  private let street = StreetClip(
    seed: 11, count: 9, size: PixelSize(width: 160, height: 120), threads: 1)

  @Test func picturesAndLabelsStayAndGroupsBeginWithIntraPictures() throws {
    let clip = try EncodedClip(street, group: 4)
    #expect(clip.count == 9 && clip.name == street.name && clip.classes == street.classes)
    for index in 0..<9 {
      let frame = try clip.frame(at: index)
      #expect(frame.pixels == street.frame(at: index).pixels && frame.index == index)
      #expect(frame.pictureType == (index % 4 == 0 ? .intra : .predicted))
      #expect(try clip.labels(at: index) == street.labels(at: index))
    }
  }

  // Where blocks were predicted, the codec's motion is the true one within a pixel for most pixels.
  @Test func theCodecsMotionIsThatOfTheClip() throws {
    let clip = try EncodedClip(street, group: 12, rateFactor: 18)
    var (near, all) = (0, 0)
    for index in 1..<9 {
      let found = try CodecMotion().motion(
        from: clip.frame(at: index), to: clip.frame(at: index - 1))
      let truth = street.motion(from: index, to: index - 1)
      for y in 0..<120 {
        for x in 0..<160 where found.isKnown(x: x, y: y) && truth.isKnown(x: x, y: y) {
          let gap = found[x: x, y: y], real = truth[x: x, y: y]
          all += 1
          if abs(gap.dx - real.dx) < 1 && abs(gap.dy - real.dy) < 1 { near += 1 }
        }
      }
    }
    #expect(all > 8 * 120 * 160 / 4)
    #expect(Double(near) > 0.6 * Double(all), "\(near) of \(all)")
  }

  @Test func framesOfAnotherSizeAreRefused() throws {
    struct Growing: LabelledClip {
      let name = "growing", classes = ClassList.camVid, count = 2
      func frame(at index: Int) -> Frame {
        let pixels = Image(width: 32 + 16 * index, height: 32, channels: 3, repeating: 9)
        return Frame(index: index, time: 0, pixels: pixels)
      }
      func labels(at _: Int) -> Image? { nil }
    }
    let error = #expect(throws: DatasetError.self) { try EncodedClip(Growing()) }
    #expect(error?.message.contains("frame 1 is 48×32") == true)
  }
}
