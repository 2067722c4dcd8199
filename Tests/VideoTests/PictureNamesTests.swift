// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct PictureNamesTests {
  /// Breaks by their first letters.
  private func drawn(_ names: PictureNames) -> String {
    names.breaks.map { $0.map { String($0.rawValue.prefix(1)) } ?? "." }.joined()
  }

  private func read(_ names: [String]) -> PictureNames {
    PictureNames(inOrderOfNames(names.shuffled().map { "\($0).png" }), rate: FrameRate(25))
  }

  @Test(arguments: [
    ("1403636579763555584 1403636579813555456 1403636579863555584 1403636579913555456", "...."),
    ("1403636579763 1403636579796 1403636579830 1403636581863 1403636581896", "...g."),
    ("1305031102.175304 1305031102.211214 1305031102.243211 1305031102.275326", "...."),
    ("0.0 0.4 0.8 1.2 1.6 2.0 2.4", "......."), ("8.5 9.25 10.0 10.75 15.5 16.25", "....g."),
    ("0 33 67 100 133 167 300 333", "......g."),
    ("20240229_235958 20240229_235959 20240301_000000 20240301_000001", "...."),
    ("a_2024-01-31_12-59-59.900 a_2024-01-31_12-59-59.950 a_2024-01-31_13-00-00.000", "..."),
    ("f000 f001 f002 f050 f051", "...g."), ("f1 f2 f4 f5", "..g."), ("f0 f5 f10 f15", "...."),
    ("s1_01 s1_02 s1_03 s2_01 s2_02", "...s."), ("cam1_01_x9 cam1_02_x9 cam1_03_x7", "..."),
    ("000001_1403636579763555584 000002_1403636579813555456 000003_1403636579863555584", "..."),
    ("shot1.0001 shot1.0002 shot1.0003 shot2.0001 shot2.0002", "...s."),
    ("clip1.8 clip1.9 clip1.10 clip1.11", "...."), ("zoo beach2 holiday cat17", "...."),
    ("a/1 a/2 b/1 b/2", "..s."), ("x/a/rgb/1 x/a/rgb/2 x/b/rgb/3 x/b/rgb/4", "..s."),
    ("ulm_000000_000019_leftImg8bit ulm_000001_000019_leftImg8bit", ".s"),
    ("ulm_000000_000001_leftImg8bit ulm_000000_000002_leftImg8bit", ".."),
  ])
  func namesSayWhereAStreamBreaks(names: String, expected: String) {
    #expect(drawn(read(names.split(separator: " ").map(String.init))) == expected)
  }

  @Test(arguments: [
    ("1403636579763555584 1403636579813555584 1403636579963555584", [0, 0.05, 0.2]),
    ("1403636579763 1403636579803", [0, 0.04]), ("1305031102.1 1305031102.25", [0, 0.15]),
    ("20240229_235959 20240301_000001", [0, 2]), ("0 33 67 100", [0, 0.033, 0.067, 0.1]),
    ("0 33333 66667 100000", [0, 0.033333, 0.066667, 0.1]), ("7 8 10", [0, 0.04, 0.08]),
    ("a/1403636579763 a/1403636579783 b/1403636579700 b/1403636579720", [0, 0.02, 0.04, 0.06]),
  ])
  func namesTellTheTime(names: String, expected: [Double]) {
    let times = read(names.split(separator: " ").map(String.init)).times
    #expect(times.count == expected.count)
    #expect(zip(times, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(times)")
  }

  @Test func aListThatGoesBackBeginsAnew() {
    let names = PictureNames(["3.png", "4.png", "5.png", "1.png", "2.png"], rate: FrameRate(25))
    #expect(drawn(names) == "...r.")
  }

  @Test func framesOfSeveralFoldersHaveNamesOfTheirOwn() throws {
    let scratch = try Scratch()
    for folder in ["a", "b"] {
      for number in 0..<2 {
        let path = "clips/\(folder)/rgb/\(number).png"
        try FileManager.default.createDirectory(
          atPath: scratch("clips/\(folder)/rgb"), withIntermediateDirectories: true)
        try noise(width: 4, height: 3).writePNG(to: scratch(path))
      }
    }
    let source = try VideoSource.open(scratch("clips/*/rgb/*.png"))
    let frames = try frames(of: source)
    #expect(frames.map(\.name) == ["a_rgb_0", "a_rgb_1", "b_rgb_0", "b_rgb_1"])
    #expect(frames.map(\.streamBreak) == [nil, nil, .sequence, nil] && source.report.isClean)
  }
}
