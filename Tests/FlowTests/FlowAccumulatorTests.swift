// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Flow
import Testing
import Video

struct MotionChainTests {
  @Test func translationsAddUpBackToTheKey() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    for index in 1...3 {
      let toKey = try chain.motionToKey(
        from: frame(index, .predicted, vectors: everywhere(2, -1)))
      #expect(toKey == uniform(2 * Float(index), -Float(index), width: 48, height: 32))
    }
  }

  @Test func bPicturesAreNoAnchors() throws {
    // Shown as I0 B1 B2 P3 P4, moving by one pixel a frame: B1 and B2 lead to I0 by one and two,
    // P3 by three, P4 to P3 by one.
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let ahead = everywhere(-1, 0, source: 1)
    let frames = [
      frame(1, .bidirectional, vectors: everywhere(1, 0) + ahead),
      frame(2, .bidirectional, vectors: everywhere(2, 0) + ahead),
      frame(3, .predicted, vectors: everywhere(3, 0)),
      frame(4, .predicted, vectors: everywhere(1, 0)),
    ]
    for current in frames {
      #expect(
        try chain.motionToKey(from: current)
          == uniform(Float(current.index), 0, width: 48, height: 32))
    }
  }

  @Test func aBPictureCanBeTheKey() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let key = frame(1, .bidirectional, vectors: everywhere(1, 0))
    _ = try chain.motionToKey(from: key)
    try chain.setKey(key)
    let motion = try chain.motionToKey(from: frame(2, .predicted, vectors: everywhere(2, 0)))
    for y in 0..<32 {
      // Two pixels back to the anchor and one ahead to the key; column 0 of the anchor has left the
      // key.
      for x in 0..<48 { #expect(motion.isKnown(x: x, y: y) && motion[x: x, y: y] == (1, 0)) }
    }
  }

  @Test func aChainThatBeginsAtABPictureKnowsNothing() throws {
    var chain = FlowAccumulator(
      of: .codec, key: frame(1, .bidirectional, vectors: everywhere(1, 0)))
    let next = frame(2, .predicted, vectors: everywhere(2, 0))
    #expect(try chain.motionToKey(from: next).validFraction == 0)
    try chain.setKey(next)
    let after = frame(3, .predicted, vectors: everywhere(1, 1))
    #expect(try chain.motionToKey(from: after) == uniform(1, 1, width: 48, height: 32))
  }

  @Test func holesAreCarriedAlong() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let hole = everywhere(16, 0).filter { !($0.x == 24 && $0.y == 8) }
    _ = try chain.motionToKey(from: frame(1, .predicted, vectors: hole))
    let motion = try chain.motionToKey(from: frame(2, .predicted, vectors: everywhere(16, 0)))
    for x in 0..<48 { #expect(motion.isKnown(x: x, y: 8) == (x >= 16)) }
    #expect(motion[x: 16, y: 8] == (32, 0))
  }

  @Test(arguments: ["intra", "break", "gap"])
  func nothingIsKnownPastACutUntilTheNextKey(cut: String) throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let cutting =
      switch cut {
      case "intra": frame(1, .intra)
      case "break": frame(1, .predicted, vectors: everywhere(1, 0), followsBreak: true)
      default: frame(2, .predicted, vectors: everywhere(1, 0))
      }
    #expect(try chain.motionToKey(from: cutting).validFraction == 0)
    let next = frame(cutting.index + 1, .predicted, vectors: everywhere(1, 0))
    #expect(try chain.motionToKey(from: next).validFraction == 0)
    try chain.setKey(next)
    let last = frame(next.index + 1, .predicted, vectors: everywhere(1, 0))
    #expect(try chain.motionToKey(from: last) == uniform(1, 0, width: 48, height: 32))
  }

  @Test func aSizeThatChangesIsABreakAndNoError() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let larger = frame(
      1, .bidirectional, vectors: [], width: 64, height: 48, followsBreak: true)
    let motion = try chain.motionToKey(from: larger)
    #expect((motion.width, motion.height) == (64, 48) && motion.validFraction == 0)
  }

  @Test func askingTwiceChangesNothingAndACopyForks() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    let first = frame(1, .predicted, vectors: everywhere(1, 0))
    _ = try chain.motionToKey(from: first)
    var fork = chain
    #expect(try chain.motionToKey(from: first) == uniform(1, 0, width: 48, height: 32))
    #expect(
      try fork.motionToKey(from: frame(2, .predicted, vectors: everywhere(0, 5)))
        == uniform(1, 5, width: 48, height: 32))
    #expect(
      try chain.motionToKey(from: frame(2, .predicted, vectors: everywhere(4, 0)))
        == uniform(5, 0, width: 48, height: 32))
  }

  @Test func aMarkedFrameIsLedToBesideTheKey() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    for index in 1...6 {
      let next = frame(index, .predicted, vectors: everywhere(2, -1))
      // Nothing is marked before frame 3, nor after a new key at frame 5.
      let since = index <= 3 ? index : index <= 5 ? index - 3 : 1
      let toMark = try chain.motion(to: .scored, from: next)
      #expect(toMark == uniform(2 * Float(since), -Float(since), width: 48, height: 32))
      if index <= 5 {
        let toKey = try chain.motionToKey(from: next)
        #expect(toKey == uniform(2 * Float(index), -Float(index), width: 48, height: 32))
      }
      if index == 3 { try chain.set(.scored, to: next) }
      if index == 5 { try chain.setKey(next) }
    }
  }

  @Test func severalFramesAreMarkedEachAsSomething() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    for index in 1...6 {
      let next = frame(index, .predicted, vectors: everywhere(1, 0))
      for (mark, marked) in [(FlowAccumulator.Mark.scored, 2), (.refreshed, 4)] {
        let since = Float(index > marked ? index - marked : index)
        let motion = try chain.motion(to: mark, from: next)
        #expect(motion == uniform(since, 0, width: 48, height: 32))
      }
      if index == 2 { try chain.set(.scored, to: next) }
      if index == 4 { try chain.set(.refreshed, to: next) }
    }
  }

  @Test func aBPictureCanBeMarked() throws {
    var chain = FlowAccumulator(of: .codec, key: frame(0, .intra))
    try chain.set(.scored, to: frame(1, .bidirectional, vectors: everywhere(1, 0)))
    let next = frame(2, .predicted, vectors: everywhere(2, 0))
    let (toMark, toKey) = (
      try chain.motion(to: .scored, from: next), try chain.motionToKey(from: next)
    )
    #expect(toKey == uniform(2, 0, width: 48, height: 32))
    for y in 0..<32 { for x in 0..<48 { #expect(toMark[x: x, y: y] == (1, 0)) } }
  }

  @Test func denseFlowIsChainedThroughEveryPicture() throws {
    var chain = FlowAccumulator(of: .openCVDIS(.medium), key: movedPicture(index: 0, by: (0, 0)))
    for index in 1...3 {
      let toKey = try chain.motionToKey(from: movedPicture(index: index, by: (Float(index), 0)))
      let middle = toKey[x: 64, y: 48]
      #expect(abs(middle.dx - Float(index)) < 0.3 && abs(middle.dy) < 0.3)
    }
  }
}
