// SPDX-License-Identifier: Apache-2.0

import Flow
import Testing
import Video

/// Where each pixel was a frame ago: as far to the right as its column says, whatever the frames
/// are.
private struct Widening: FlowEstimator {
  func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    guard abs(current.index - reference.index) == 1 else {
      throw CancellationError()
    }
    let width = current.pixels.width
    return MotionField(
      width: width, height: 1, displacements: (0..<width).flatMap { [Float($0) * 0.3, 0] })
  }
}

struct ChainedFlowTests {
  private func frame(_ index: Int, _ type: PictureType = .unknown) -> Frame {
    Frame(
      index: index, time: Double(index),
      pixels: Image(width: 8, height: 1, channels: 3, repeating: 0), pictureType: type)
  }

  // By hand, at column 2: 0.6 leads to 2.6; there 0.78 bilinearly, or 0.9 at the nearest column.
  @Test(arguments: FlowSampling.allCases)
  func stepsAreComposed(sampling: FlowSampling) throws {
    let flow = ChainedFlow(Widening(), sampling: sampling)
    #expect(flow.reach == .stepByStep && !flow.needsMotionVectors)
    var chain = FlowAccumulator(of: flow, key: frame(0))
    let once = try chain.motionToKey(from: frame(1))
    #expect(once[x: 2, y: 0].dx == 0.6)
    let twice = try chain.motionToKey(from: frame(2))
    #expect(abs(twice[x: 2, y: 0].dx - (sampling == .exact ? 1.38 : 1.5)) < 1e-5)
  }

  // Dense motion leads to any picture, so that bidirectional ones are steps like others.
  @Test func bidirectionalPicturesAreSteps() throws {
    var chain = FlowAccumulator(of: ChainedFlow(Widening()), key: frame(0))
    for index in 1...3 { _ = try chain.motionToKey(from: frame(index, .bidirectional)) }
    #expect(try chain.motionToKey(from: frame(4))[x: 1, y: 0].dx > 1)
  }

  @Test func whatReachesOneFrameOnlyStaysSo() {
    let flow = ChainedFlow(CodecMotion())
    #expect(flow.reach == .previousFrame && flow.needsMotionVectors)
  }
}
