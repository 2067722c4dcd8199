// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Flow
import Propagation
import Tensors
import Testing

struct PropagatorLawsTests {
  @Test func copyKeepsTheLaws() throws { #expect(try brokenLaws(of: Copy(), follows: false) == []) }

  @Test(arguments: MotionReference.allCases, Border.allCases)
  func warpKeepsTheLaws(reference: MotionReference, border: Border) throws {
    #expect(try brokenLaws(of: Warp(from: reference, border: border), follows: true) == [])
  }

  /// Each of these is wrong in one way, and the laws say in which.
  @Test func theLawsFindWhatIsWrong() throws {
    #expect(try laws(brokenBy: Spoiled { try $0 + 1e-4 }).contains("no motion, no change"))
    #expect(
      try laws(brokenBy: Spoiled { try $0.slice(axis: 3, 0..<1) }).contains("sizes stay"))
    #expect(
      try laws(brokenBy: Spoiled(direction: -1) { $0 }).contains("whole cells shift"))
    #expect(
      try laws(brokenBy: Spoiled(labels: 1) { $0 }).contains("labels are the best scores"))
  }

  private func laws(brokenBy propagator: Spoiled) throws -> Set<String> {
    Set(
      try brokenLaws(of: propagator, follows: true).map {
        String($0.prefix { $0 != "," }) + ($0.hasPrefix("no motion") ? ", no change" : "")
      })
  }
}

/// A warp with a fault.
private struct Spoiled: Propagator {
  let reference = MotionReference.key
  var direction: Float = 1
  var labels: Int?
  let spoil: @Sendable (Tensor) throws -> Tensor

  func callAsFunction(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    let turned = Evidence(motion: { height, width in
      let (motion, known) = try evidence.motion(height: height, width: width)
      return (try motion * direction, known)
    })
    return try spoil(Warp()(cached, given: turned))
  }

  func labels(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    let best = try self(cached, given: evidence).argmaxLabels()
    return try labels == nil ? best : (best.cast(to: .float32) + 1).cast(to: .uint8)
  }
}
