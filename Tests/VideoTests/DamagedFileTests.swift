// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// Damaged files end in frames and a report, or in a typed error: never in a crash or a hang.
@Suite struct DamagedFileTests {
  enum Damage: CaseIterable { case cut, noise, header, hole, doubled }

  private func damaged(_ bytes: [UInt8], _ damage: Damage, seed: UInt64) -> [UInt8] {
    var random = Draws(seed: seed &* 7919)
    var bytes = bytes
    let at = Int.random(in: 0..<bytes.count, using: &random)
    switch damage {
    case .cut: bytes = Array(bytes[..<at])
    case .noise:
      for _ in 0..<(1 + bytes.count / 500) {
        let bit = Int.random(in: 0..<(bytes.count * 8), using: &random)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      }
    case .header:
      for _ in 0..<6 {
        bytes[Int.random(in: 0..<min(1200, bytes.count), using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
    case .hole:
      for index in at..<min(at + bytes.count / 8, bytes.count) { bytes[index] = 0 }
    case .doubled: bytes.insert(contentsOf: bytes[..<at], at: at)
    }
    return bytes
  }

  /// Reads to the end; an error of another type would fail the test.
  private func exhaust(_ path: String, motionVectors: Bool = false) throws {
    var options = VideoOptions(motionVectors: motionVectors)
    options.limits = PixelLimits(pixels: 1 << 20)
    do {
      let source = try VideoSource.open(path, options: options)
      var (last, count) = (-Double.infinity, 0)
      while let frame = try source.next() {
        #expect(frame.index == count && frame.time >= last)
        #expect(
          (frame.pixels.width, frame.pixels.height) == (source.info.width, source.info.height))
        (last, count) = (frame.time, count + 1)
      }
      #expect(source.report.decoded == count && count < 10_000)
    } catch {
      #expect(!error.message.isEmpty && error.path == path)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: Damage.allCases)
  func damagedVideosEndWell(damage: Damage) throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), frames: 24, keyInterval: 8)
    let clip = try bytes(of: scratch("clip.mp4"))
    for seed in 1...20 {
      let path = try scratch.file("bad.mp4", damaged(clip, damage, seed: UInt64(seed)))
      try exhaust(path, motionVectors: seed % 2 == 0)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: Damage.allCases)
  func damagedStillsEndWell(damage: Damage) throws {
    let scratch = try Scratch()
    for golden in stillGoldens {
      for seed in 1...8 {
        let bytes = damaged(golden.bytes, damage, seed: UInt64(seed))
        let path = try scratch.file(golden.name, bytes)
        do {
          _ = try Image(contentsOf: path, limits: PixelLimits(pixels: 1 << 20))
          _ = try Image.labels(contentsOf: path, limits: PixelLimits(pixels: 1 << 20))
        } catch {
          #expect(!error.message.isEmpty && error.path == path)
        }
      }
    }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["INBETWEEN_LONG"] != nil, "takes minutes"))
  func damagedRealVideosEndWell() throws {
    let folder = try #require(sharedData).path + "/video/"
    let scratch = try Scratch()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let clip = try bytes(of: folder + name)
      for (index, damage) in Damage.allCases.enumerated() {
        for seed in 1...2 {
          let bytes = damaged(clip, damage, seed: UInt64(seed * 31 + index))
          let path = try scratch.file("bad.mp4", bytes)
          var options = VideoOptions(motionVectors: seed == 1)
          options.threads = 2
          let start = ContinuousClock.now
          do {
            let source = try VideoSource.open(path, options: options)
            while try source.next() != nil {}
            print(name, damage, seed, source.report, ContinuousClock.now - start)
          } catch {
            print(name, damage, seed, error, ContinuousClock.now - start)
          }
        }
      }
    }
  }
}
