// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Video

/// Single frames of many rendered streets, to train on where no data has been downloaded.
///
/// Frame i is drawn from a street after street, at times of its own; no two are neighbours, so
/// each breaks the stream.
public struct StreetPool: LabelledClip {
  /// `streets/`, and the seed.
  public let name: String
  /// CamVid's eleven classes; 11 is void.
  public let classes = ClassList.camVid
  /// How many frames the pool has.
  public let count: Int
  private let seed: UInt64
  private let size: PixelSize
  private let framesPerStreet: Int
  private let threads: Int

  /// `count` frames, a few of each street; pools of different seeds share no street.
  public init(
    seed: UInt64, count: Int, framesPerStreet: Int = 4,
    size: PixelSize = PixelSize(width: 480, height: 360), threads: Int = 2
  ) {
    precondition(framesPerStreet > 0 && count >= 0, "\(framesPerStreet) frames of each street")
    name = "streets/\(seed)"
    (self.seed, self.count, self.size) = (seed, count, size)
    (self.framesPerStreet, self.threads) = (framesPerStreet, threads)
  }

  /// False: frames are drawn when they are asked for.
  public let isStored = false

  /// A frame, drawn anew; all but the first follow a break.
  public func frame(at index: Int) -> Frame {
    let (street, time) = place(of: index)
    return frame(index, street.image(at: time))
  }

  /// The labels of a frame, drawn anew.
  public func labels(at index: Int) -> Image? {
    let (street, time) = place(of: index)
    return street.labels(at: time)
  }

  /// A frame and its labels, drawn in one go.
  public func sample(at index: Int) throws -> LabelledSample {
    let (street, time) = place(of: index)
    let view = street.view(at: time)
    return try LabelledSample(frame: frame(index, view.image), labels: view.labels)
  }

  private func frame(_ index: Int, _ pixels: Image) -> Frame {
    Frame(index: index, time: Double(index), pixels: pixels, followsBreak: index > 0)
  }

  /// The streets of a pool are numbered on from a place that its seed gives, far from small
  /// numbers.
  func place(of index: Int) -> (MovingStreet, time: Int) {
    let (street, turn) = index.quotientAndRemainder(dividingBy: framesPerStreet)
    let number = (seed &+ 1) << 32 &+ UInt64(street)
    return (
      MovingStreet(seed: number, width: size.width, height: size.height, threads: threads),
      turn * 23 + street % 17
    )
  }
}
