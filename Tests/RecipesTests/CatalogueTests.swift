// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Foundation
import Propagation
import Recipes
import Scheduler
import Tensors
import TestSupport
import Testing
import Video

struct CatalogueTests {
  private let schedulers = [Card<any KeyframeScheduler>].schedulers
  private let propagators = [Card<any Propagator>].propagators
  private let flows = [Card<any FlowEstimator>].flows(threads: 1)

  @Test func namesAreUnique() {
    let clips = [Card<ClipMaker>].clips.map(\.name)
    for names in [schedulers.map(\.name), propagators.map(\.name), flows.map(\.name), clips] {
      #expect(Set(names).count == names.count)
    }
  }

  @Test func aSettingReachesThePart() throws {
    #expect((try schedulers.part("every:7") as? FixedInterval)?.interval == 7)
    #expect((try schedulers.part("moved:2.5") as? MotionLimit)?.limit == 2.5)
    let warp = try #require(try propagators.part("warp:previous,zero") as? Warp)
    #expect(warp.reference == .previous && warp.border == .zero)
  }

  @Test func defaultsAreTheUsualOnes() throws {
    let warp = try #require(try propagators.part("warp") as? Warp)
    #expect(warp.reference == .key && warp.border == .clamp)
    #expect((try flows.part("dis") as? DISFlow)?.preset == .medium)
    #expect((try flows.part("dis:fast") as? DISFlow)?.preset == .fast)
  }

  @Test(arguments: [
    ("evry:5", "no 'evry'; there are every:N, moved:PIXELS; did you mean 'every'?"),
    ("every", "every:N needs a whole number of at least 1, not ''"),
    ("every:0", "every:N needs a whole number of at least 1, not '0'"),
    ("every:x", "every:N needs a whole number of at least 1, not 'x'"),
    ("moved:-1", "moved:PIXELS needs a number above 0, not '-1'"),
    ("moved:nan", "moved:PIXELS needs a number above 0, not 'nan'"),
    ("", "no ''; there are every:N, moved:PIXELS"),
  ])
  func aWrongNameIsAnsweredWithTheRightOnes(text: String, answer: String) throws {
    let error = try #require(throws: CatalogueError.self) { try schedulers.part(text) }
    #expect(error.message == answer)
  }

  @Test func aSettingWhereThereIsNoneIsRefused() {
    #expect(throws: CatalogueError.self) { try propagators.part("copy:2") }
  }

  @Test func aSplitWithoutLabelsCannotBeMeasured() throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("val"), withIntermediateDirectories: true)
    try Image(width: 4, height: 4, channels: 3, repeating: 9).writePNG(to: scratch("val/a_1.png"))
    let make = try [Card<ClipMaker>].clips.part("camvid:\(scratch.path)")
    let error = try #require(throws: DatasetError.self) { try make(ClipRequest(split: "val")) }
    #expect(error.code == .missing && error.message == "no labels in \(scratch("valannot"))")
  }
}
