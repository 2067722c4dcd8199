// SPDX-License-Identifier: Apache-2.0

import ConformanceKit
import Datasets
import Flow
import Foundation
import TestSupport
import Testing
import Video

/// A run before a wall two metres away, with a post one metre away, past which the camera moves.
struct RGBDTests {
  private static let (width, height, focal) = (48, 32, 40.0)
  private let scratch: Scratch
  private var root: String { scratch("run") }

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  private func write(frames: Int, poses: Bool = true) throws {
    for index in 0..<frames {
      let stem = "\(root)/frame-00000\(index)"
      let colours = depths(at: index).flatMap {
        [UInt8](repeating: $0 == 1000 ? 200 : 40, count: 3)
      }
      try Image(width: Self.width, height: Self.height, channels: 3, bytes: colours)
        .writePNG(to: "\(stem).color.png")
      try Image16(
        width: Self.width, height: Self.height, channels: 1, samples: depths(at: index)
      ).writePNG(to: "\(stem).depth.png")
      if poses {
        // Ten centimetres to the right a frame.
        try "1 0 0 \(0.1 * Double(index))\n0 1 0 0\n0 0 1 0\n0 0 0 1\n".write(
          toFile: "\(stem).pose.txt", atomically: true, encoding: .utf8)
      }
    }
    try "\(Self.focal) 0 24\n0 \(Self.focal) 16\n0 0 1\n".write(
      toFile: "\(root)/camera-intrinsics.txt", atomically: true, encoding: .utf8)
  }

  /// The post covers columns that move by focal · 0.1 / 1 = 4 pixels a frame, the wall by 2.
  private func depths(at index: Int) -> [UInt16] {
    (0..<Self.width * Self.height).map { place in
      let column = place % Self.width + 4 * index
      return place == 0 ? 65535 : (28..<34).contains(column) ? 1000 : 2000
    }
  }

  @Test func depthIsReadInMetres() throws {
    try write(frames: 3)
    let clip = try RGBD(root: root)
    #expect(clip.count == 3 && clip.depthCount == 3)
    let depth = try #require(try clip.depth(at: 0))
    #expect(depth.metres[0] == 0 && depth.metres[1] == 2 && depth.metres[30] == 1)
    // The post has come two steps of four pixels to the left.
    #expect(try clip.frame(at: 2).pixels[x: 25, y: 5] == 200)
    #expect(try clip.frame(at: 2).pixels[x: 26, y: 5] == 40)
    #expect(try clip.withDepth.target(at: 1)?.metres[26] == 1)
    #expect(try RGBD(root: root, limit: 2).count == 2)
    #expect(try brokenLaws(of: clip) == [])
  }

  // The wall moves by two pixels to the left, the post by four; what either hides is unknown.
  @Test func motionFollowsFromDepthAndPose() throws {
    try write(frames: 2)
    let clip = try RGBD(root: root)
    let motion = try #require(clip.groundTruthMotion).motion(from: 1, to: 0)
    for x in 3..<46 {
      let isPost = (24..<30).contains(x)
      // Two pixels further the wall was behind the post.
      let isHidden = !isPost && (28..<34).contains(x + 2)
      #expect(motion.isKnown(x: x, y: 9) == !isHidden, "\(x)")
      guard !isHidden else { continue }
      let (dx, dy) = motion[x: x, y: 9]
      #expect(abs(dx - (isPost ? 4 : 2)) < 1e-3 && abs(dy) < 1e-3, "\(x): \(dx)")
    }
    // Outside of the earlier picture nothing is known.
    #expect(!motion.isKnown(x: 47, y: 9))
  }

  @Test func whatIsMissingOrMalformedIsSaid() throws {
    #expect(throws: DatasetError.self) { try RGBD(root: root) }
    try write(frames: 1, poses: false)
    let clip = try RGBD(root: root)
    #expect(throws: DatasetError.self) {
      try #require(clip.groundTruthMotion).motion(from: 0, to: 0)
    }
    try "1 0 nan".write(
      toFile: "\(root)/camera-intrinsics.txt", atomically: true, encoding: .utf8)
    let error = try #require(throws: DatasetError.self) { try RGBD(root: root) }
    #expect(error.description.contains("camera-intrinsics.txt does not hold 9 numbers"))
    try Image(width: 4, height: 4, channels: 3, repeating: 9)
      .writePNG(to: "\(root)/frame-000000.depth.png")
    try FileManager.default.removeItem(atPath: "\(root)/camera-intrinsics.txt")
    #expect(throws: (any Error).self) { try RGBD(root: root).depth(at: 0) }
  }
}
