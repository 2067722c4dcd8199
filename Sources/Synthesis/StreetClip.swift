// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Video

/// A run of MovingStreet frames as a labelled clip with exact motion.
public struct StreetClip: ClipWithMotion {
  /// `street/`, and the seed.
  public let name: String
  /// CamVid's eleven classes; 11 is void.
  public let classes = ClassList.camVid
  /// How many frames the clip has; more could be drawn.
  public let count: Int
  let street: MovingStreet
  private let frameRate: Double

  /// The first `count` frames of the street of a seed, at `frameRate` frames a second.
  public init(
    seed: UInt64, count: Int, size: PixelSize = PixelSize(width: 480, height: 360),
    frameRate: Double = 15, threads: Int = 2
  ) {
    (name, self.count, self.frameRate) = ("street/\(seed)", count, frameRate)
    street = MovingStreet(
      seed: seed, width: size.width, height: size.height, frameRate: frameRate, threads: threads)
  }

  /// False: frames are drawn when they are asked for.
  public let isStored = false

  /// A frame, drawn anew by `threads` threads.
  public func frame(at index: Int) -> Frame { frame(index, street.image(at: index)) }

  /// The labels of a frame, drawn anew.
  public func labels(at index: Int) -> Image? { street.labels(at: index) }

  /// A frame and its labels, drawn in one go.
  public func sample(at index: Int) throws -> LabelledSample {
    let view = street.view(at: index)
    return try LabelledSample(frame: frame(index, view.image), labels: view.labels)
  }

  private func frame(_ index: Int, _ pixels: Image) -> Frame {
    Frame(index: index, time: Double(index) / frameRate, pixels: pixels)
  }

  /// The exact motion between two frames; unknown where what is seen is hidden in `reference`.
  public func motion(from current: Int, to reference: Int) -> MotionField {
    let field = street.motion(from: current, to: reference)
    let hidden = street.occlusion(from: current, to: reference)
    let known = hidden.bytes.map { $0 == 0 ? 1 : 0 as UInt8 }
    return MotionField(
      width: field.width, height: field.height, displacements: field.displacements, known: known)
  }
}
