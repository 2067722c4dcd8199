// SPDX-License-Identifier: Apache-2.0

import Flow
import Frames
import Propagation
import Testing
import Tracking
import Video

/// Boxes in pipelines: what is found on key frames, and what the flow to the frame before says.
struct BoxPropagatorTests {
  private static let size = PixelSize(width: 96, height: 64)

  /// Everything moves by `dx`, `dy` a frame; the flow leads back to the frame before.
  private func context(of index: Int, moving dx: Float = 3, _ dy: Float = 1) -> FrameContext {
    // A texture that moves along, so that pictures say what the flow says.
    let bytes = (0..<Self.size.height).flatMap { y in
      (0..<Self.size.width).flatMap { x -> [UInt8] in
        let (u, v) = (x - Int(dx) * index, y - Int(dy) * index)
        let value = UInt8(truncatingIfNeeded: (u &* 37) ^ (v &* 91) ^ (u &* v))
        return [value, value, value]
      }
    }
    let pixels = Image(
      width: Self.size.width, height: Self.size.height, channels: 3, bytes: bytes)
    let frame = Frame(index: index, time: Double(index), pixels: pixels)
    let back = (0..<2 * Self.size.width * Self.size.height).map {
      $0.isMultiple(of: 2) ? -dx : -dy
    }
    return FrameContext(
      frame: frame, keyframe: frame, framesSinceKeyframe: index,
      from: GivenAnswers(flow: { _ in
        MotionField(width: Self.size.width, height: Self.size.height, displacements: back)
      }))
  }

  private func car(_ x: Double, _ y: Double, score: Double = 0.9) -> Detection {
    Detection(box: BoundingBox(x: x, y: y, width: 24, height: 16), category: 2, score: score)
  }

  @Test func boxesFollowTheFlowAndKeepTheirIdentities() throws {
    var boxes = BoxPropagator()
    let first = try boxes.keyframe([car(20, 20)], in: context(of: 0), isFirst: true)
    #expect(first.map(\.identity) == [1] && first[0].age == 0 && first[0].score == 0.9)
    for index in 1..<4 {
      let carried = try boxes.propagate(to: context(of: index))
      let expected = car(20 + 3 * Double(index), 20 + Double(index)).box
      #expect(carried.count == 1 && carried[0].identity == 1 && carried[0].age == index)
      #expect(carried[0].box.intersectionOverUnion(with: expected) > 0.97)
      #expect(carried[0].score < 0.9 && carried[0].category == 2)
    }
    // The network finds it a little elsewhere, and another one.
    let found = try boxes.keyframe(
      [car(70, 40), car(33, 25)], in: context(of: 4), isFirst: false)
    #expect(found.map(\.identity) == [1, 2])
    #expect(found[0].box == car(33, 25).box && found[0].age == 0)
  }

  @Test func aBreakStartsNewIdentities() throws {
    var boxes = BoxPropagator()
    _ = try boxes.keyframe([car(20, 20)], in: context(of: 0), isFirst: true)
    let again = try boxes.keyframe([car(20, 20)], in: context(of: 9), isFirst: true)
    #expect(again.map(\.identity) == [2])
  }

  @Test func aCopyGoesOnByItself() throws {
    var boxes = BoxPropagator()
    _ = try boxes.keyframe([car(20, 20)], in: context(of: 0), isFirst: true)
    var other = boxes
    let still = try other.propagate(to: context(of: 1, moving: 0, 0))
    let moved = try boxes.propagate(to: context(of: 1))
    #expect(still[0].box.intersectionOverUnion(with: car(20, 20).box) > 0.97)
    #expect(moved[0].box.intersectionOverUnion(with: car(23, 21).box) > 0.97)
  }

  // Where there is no box no flow is asked for.
  @Test func withoutBoxesNothingIsAsked() throws {
    var boxes = BoxPropagator()
    let context = FrameContext(
      frame: context(of: 0).frame, keyframe: context(of: 0).frame, framesSinceKeyframe: 0,
      from: GivenAnswers())
    #expect(try boxes.keyframe([], in: context, isFirst: true).isEmpty)
    #expect(try boxes.propagate(to: context).isEmpty)
    #expect(try boxes.keyframe([car(1, 1)], in: context, isFirst: false).map(\.identity) == [1])
    #expect(throws: NotAtHand.self) { try boxes.propagate(to: context) }
  }
}
