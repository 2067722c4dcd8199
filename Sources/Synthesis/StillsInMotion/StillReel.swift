// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Video

/// Clips of `StillsInMotion` one after the other, as one clip that breaks off between them.
public struct StillReel: ClipWithMotion {
  /// The name of the stills in motion.
  public let name: String
  /// What the ids of the labels stand for.
  public let classes: ClassList
  /// How many frames all clips have together.
  public let count: Int
  private let made: StillsInMotion
  /// How many frames each clip has.
  private let length: Int
  private let gap: Int

  /// The first `count` frames of clips of `length` frames, each `gap` frames at 15 Hz after the one
  /// before.
  ///
  /// - Precondition: `length` and `gap` are positive, `count` is not negative.
  public init(of made: StillsInMotion, count: Int, length: Int = 10, gap: Int = 1) {
    precondition(
      count >= 0 && length > 0 && gap > 0, "\(count) frames, \(length) a clip, gap \(gap)")
    (name, classes, self.count) = (made.name, made.classes, count)
    (self.made, self.length, self.gap) = (made, length, gap)
  }

  /// False: frames are drawn when they are asked for.
  public let isStored = false
  /// The files of the stills.
  public var files: [String] { made.files }

  /// A frame, drawn anew; the first of each clip but the reel's first follows a break.
  public func frame(at index: Int) throws -> Frame { try sample(at: index).frame }

  /// The labels of a frame, drawn anew; void where nobody knows what is there.
  public func labels(at index: Int) throws -> Image? { try sample(at: index).labels }

  /// A frame and its labels, drawn in one go.
  public func sample(at index: Int) throws -> LabelledSample {
    let sample = try clip(of: index).sample(at: index % length)
    let frame = Frame(
      index: index, time: Double(index * gap) / 15, pixels: sample.frame.pixels,
      followsBreak: index > 0 && index % length == 0)
    return try LabelledSample(frame: frame, labels: sample.labels)
  }

  /// Unknown everywhere between frames of two clips.
  public func motion(from current: Int, to reference: Int) throws -> MotionField {
    let clip = try clip(of: current)
    guard current / length == reference / length else {
      let size = clip.size
      return MotionField(
        width: size.width, height: size.height,
        displacements: [Float](repeating: 0, count: 2 * size.width * size.height),
        known: [UInt8](repeating: 0, count: size.width * size.height))
    }
    return clip.motion(from: current % length, to: reference % length)
  }

  private func clip(of index: Int) throws -> StillClip {
    precondition((0..<count).contains(index), "frame \(index) of a reel of \(count)")
    return try made.clip(index / length, count: length, gap: gap)
  }
}
