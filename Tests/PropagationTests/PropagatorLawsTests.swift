// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Frames
import Propagation
import Synchronization
import Tensors
import Testing

struct PropagatorLawsTests {
  @Test func copyKeepsTheLaws() throws { #expect(try brokenLaws(of: Copy(), follows: false) == []) }

  @Test(arguments: FlowReference.allCases, Border.allCases)
  func warpKeepsTheLaws(reference: FlowReference, border: Border) throws {
    #expect(try brokenLaws(of: Warp(from: reference, border: border), follows: true) == [])
  }

  // Rows of boxes are no map: a warp would mix numbers of different boxes.
  @Test func aWarpOfRowsIsRefused() throws {
    var warp = Warp()
    let rows = FeatureMaps(try .zeros([1, 6, 8]), after: "boxes")
    let error = try #require(throws: PropagationError.self) {
      try warp.keyframe(rows, in: FrameContext(from: GivenAnswers()))
    }
    #expect(error.description.contains("[1, 6, 8]") && error.description.contains("boxes"))
  }

  /// Each of these is wrong in one way, and the laws say in which.
  @Test func theLawsFindWhatIsWrong() throws {
    #expect(try laws(brokenBy: Spoiled { try $0 + 1e-4 }).contains("no motion, no change"))
    #expect(try laws(brokenBy: Spoiled { try $0.slice(axis: 3, 0..<1) }).contains("sizes stay"))
    #expect(try laws(brokenBy: Spoiled(isTurned: true) { $0 }).contains("whole cells shift"))
    #expect(
      try laws(brokenBy: Spoiled(hasWrongLabels: true) { $0 })
        .contains("labels are the best scores"))
    #expect(try laws(brokenBy: Shared()).contains("copies fork"))
    #expect(try laws(brokenBy: Lingering()) == ["a key frame begins anew"])
  }

  private func laws(brokenBy propagator: some Propagator) throws -> Set<String> {
    Set(
      try brokenLaws(of: propagator, follows: true).map {
        String($0.prefix { $0 != "," }) + ($0.hasPrefix("no motion") ? ", no change" : "")
      })
  }

  @Test func everyMapIsPropagatedOnItsOwnGrid() throws {
    let scene = MovingScene(moving: [(4, 0)])
    let context = scene.context(of: 1, keyframe: 0)
    var maps = FeatureMaps()
    for (stage, stride) in [("fine", 1), ("coarse", 4)] {
      maps[stage] = try context.image(.keyframe).averagePool(Extent(stride), stride: Extent(stride))
    }
    for propagator in [Warp(), Copy()] as [any Propagator] {
      var propagator = propagator
      try propagator.keyframe(maps, in: context)
      let found = try propagator.propagate(to: context)
      #expect(found.stages == maps.stages)
      let isWarp = propagator.readsKeyframeDirectly && propagator is Warp
      for (stage, shift) in [("fine", 4), ("coarse", 1)] where isWarp {
        let (old, new) = (try maps.map(after: stage), try found.map(after: stage))
        let width = old.shape[3]
        #expect(
          try new.slice(axis: 3, 0..<width - shift).contiguous().floats()
            == old.slice(axis: 3, shift..<width).contiguous().floats())
      }
      #expect(try propagator.labels(at: context) == nil)
    }
  }
}

/// A warp with a fault.
private struct Spoiled: Propagator {
  var isTurned = false
  var hasWrongLabels = false
  let spoil: @Sendable (Tensor) throws -> Tensor
  private var maps = FeatureMaps()

  init(
    isTurned: Bool = false, hasWrongLabels: Bool = false,
    spoil: @escaping @Sendable (Tensor) throws -> Tensor
  ) {
    (self.isTurned, self.hasWrongLabels, self.spoil) = (isTurned, hasWrongLabels, spoil)
  }

  mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) { maps = features }

  mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    try maps.mapped { map in
      let (flow, valid) = try context.flow(
        to: .keyframe, height: map.shape[2], width: map.shape[3])
      return try spoil(map.warped(along: flow * (isTurned ? -1 : 1), known: valid))
    }
  }

  mutating func labels(at context: FrameContext) throws -> Tensor? {
    let best = try propagate(to: context).only().argmaxLabels()
    return try hasWrongLabels ? (best.cast(to: .float32) + 1).cast(to: .uint8) : best
  }
}

/// A chained warp whose copies remember one thing together.
private struct Shared: Propagator {
  private final class Memory: Sendable {
    let warp = Mutex(Warp(from: .previous))
  }

  private let memory = Memory()
  var readsKeyframeDirectly: Bool { false }

  mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws {
    try memory.warp.withLock { try $0.keyframe(features, in: context) }
  }

  mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    try memory.warp.withLock { try $0.propagate(to: context) }
  }
}

/// A warp that does not look at a second keyframe.
private struct Lingering: Propagator {
  private var warp = Warp()
  private var isBegun = false

  mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws {
    if !isBegun { try warp.keyframe(features, in: context) }
    isBegun = true
  }

  mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    try warp.propagate(to: context)
  }
}
