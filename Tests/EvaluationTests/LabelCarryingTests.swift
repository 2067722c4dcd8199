// SPDX-License-Identifier: Apache-2.0
import Datasets
import Evaluation
import Flow
import Foundation
import TestSupport
import Testing
import Video

struct LabelCarryingTests {
  @Test func labelsThatAreHiddenNowhereArriveWhole() throws {
    let clip = RollingClip(void: 255)
    let matrix = try LabelCarrying(clip, gap: 2).run(along: clip)
    #expect(matrix.accuracy == 1 && matrix.meanIoU == 1)
  }

  @Test func labelsThatStayWhereTheyWereAreCountedByHand() throws {
    // Stripes of four columns move by one a frame: over two frames half of the columns are wrong.
    let matrix = try LabelCarrying(RollingClip(void: 255), gap: 2).run(along: ZeroFlow())
    #expect(matrix.accuracy == 0.5)
  }

  @Test func pixelsThatReadAVoidAreLeftOut() throws {
    // Where c is void, a is now where c was and is left out; b is where a was, and wrong.
    let matrix = try LabelCarrying(RollingClip(void: 2), gap: 4).run(along: ZeroFlow())
    #expect(matrix.accuracy == 0)
    let moved = try LabelCarrying(RollingClip(void: 2), gap: 4).run(along: RollingClip(void: 2))
    #expect(moved.accuracy == 1)
  }

  /// Beside OpenCV's own numbers in Python, taken in the same way: 0.970 and 0.951, 0.863 and
  /// 0.751.
  @Test(
    .enabled(if: sharedData != nil, "shared data is not there"),
    arguments: [(2, 0.970, 0.863), (5, 0.951, 0.751)])
  func denseInverseSearchCarriesCamVid(gap: Int, accuracy: Double, meanIoU: Double) throws {
    let root = try #require(sharedData).appendingPathComponent("camvid").path
    let clip = try CamVid(root: root, split: "val", limit: 40)
    let matrix = try LabelCarrying(clip, gap: gap).run(along: DISFlow(preset: .medium))
    #expect(abs(try #require(matrix.accuracy) - accuracy) < 0.02)
    #expect(abs(try #require(matrix.meanIoU) - meanIoU) < 0.05)
  }
}

/// Stripes of three classes, four columns wide, that move to the left by a column a frame and come
/// back on the right, with that motion as an estimator.
private struct RollingClip: LabelledClip, FlowEstimator {
  let name = "rolling"
  let classes = ClassList(name: "three", names: ["a", "b", "c"], void: nil)
  let count = 7
  let void: Int
  private let width = 24, height = 4

  func frame(at index: Int) throws -> Frame {
    Frame(
      index: index, time: Double(index),
      pixels: Image(width: width, height: height, channels: 3, repeating: 0))
  }

  func labels(at index: Int) throws -> Image? {
    let row = (0..<width).map { x -> UInt8 in
      let label = (x + index) % width / 4 % 3
      return label == void ? 255 : UInt8(label)
    }
    return Image(
      width: width, height: height, channels: 1, bytes: (0..<height).flatMap { _ in row })
  }

  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    let gap = current.index - reference.index
    let row = (0..<width).flatMap { (x) -> [Float] in [Float((x + gap) % width - x), 0] }
    return MotionField(
      width: width, height: height, displacements: (0..<height).flatMap { _ in row })
  }
}
