// SPDX-License-Identifier: Apache-2.0

internal import Datasets
public import Flow
public import Video

/// A drive along a street, drawn by a software renderer: pictures, classes and exact motion.
///
/// Any seed, any size, any length; frame t is drawn on its own, whatever was drawn before. The same
/// arguments give the same bytes, however many threads draw them.
///
/// Pictures are BGR. Labels are CamVid's (`ClassList.camVid`), 11 being void. A label and a motion
/// are those of what the ray through the centre of the pixel meets; the colour is a mean over the
/// pixel.
public struct MovingStreet: Sendable {
  /// What the street and all that moves in it follow from.
  public let seed: UInt64
  /// Columns of a picture, from 1 to 8192.
  public let width: Int
  /// Rows of a picture, from 1 to 8192.
  public let height: Int
  /// Frames a second.
  public let frameRate: Double
  /// How many threads draw a frame.
  public let threads: Int
  private let world: StreetWorld

  /// The street of a seed; frames are `width` × `height` pixels, `frameRate` of them a second.
  ///
  /// - Precondition: sizes, rate and threads are positive; sides are at most 8192 pixels.
  public init(
    seed: UInt64, width: Int = 480, height: Int = 360, frameRate: Double = 15, threads: Int = 2
  ) {
    precondition(
      (1...8192).contains(width) && (1...8192).contains(height), "no street of \(width)×\(height)")
    precondition(frameRate > 0 && threads > 0, "\(frameRate) frames a second, \(threads) threads")
    (self.seed, self.width, self.height) = (seed, width, height)
    (self.frameRate, self.threads) = (frameRate, threads)
    world = StreetWorld(seed: seed)
  }

  /// The picture of frame `index`: BGR.
  public func image(at index: Int) -> Image { view(at: index).image }

  /// The classes of frame `index`: one channel.
  public func labels(at index: Int) -> Image {
    let drawing = drawing(at: index)
    return Image(width: width, height: height, channels: 1) { drawing.label(into: $0) }
  }

  /// Picture and classes of frame `index`, drawn in one go.
  public func view(at index: Int) -> (image: Image, labels: Image) {
    view(at: index, drawing(at: index), record: nil)
  }

  /// The same, noting along the way what `record` asks for.
  func view(
    at index: Int, _ drawing: StreetDrawing, record: StreetRecord?
  ) -> (image: Image, labels: Image) {
    let noise = UInt32(
      truncatingIfNeeded: StreetRandom.mixed(seed &+ UInt64(bitPattern: Int64(index))))
    let labels = UnsafeMutableRawBufferPointer.allocate(byteCount: width * height, alignment: 64)
    defer { labels.deallocate() }
    let image = Image(width: width, height: height, channels: 3) { bytes in
      drawing.draw(into: bytes, labels: labels, noise: noise, record: record)
    }
    return (image, Image(width: width, height: height, channels: 1, bytes: labels))
  }

  /// Where what is seen at each pixel of frame `current` is projected in frame `reference`.
  ///
  /// Exact to the accuracy of single-precision geometry, for what is hidden there too. Unknown only
  /// where the point is not in front of the camera in the reference.
  public func motion(from current: Int, to reference: Int) -> MotionField {
    if current == reference { return .zero(width: width, height: height) }
    return trace(from: current, to: reference).motion()
  }

  /// Where what is seen in frame `current` cannot be seen in frame `reference`: 1, else 0.
  ///
  /// It is hidden by something nearer there, or outside of the picture.
  public func occlusion(from current: Int, to reference: Int) -> Image {
    if current == reference {
      return Image(width: width, height: height, channels: 1, repeating: 0)
    }
    return trace(from: current, to: reference).occlusion(in: drawing(at: reference))
  }

  private func trace(from current: Int, to reference: Int) -> StreetTrace {
    let (time, other) = (Double(current) / frameRate, Double(reference) / frameRate)
    return StreetTrace(
      world: world, from: time, to: other, size: (width, height), threads: threads)
  }

  func drawing(at index: Int) -> StreetDrawing {
    let scene = world.scene(at: Double(index) / frameRate, width: width, height: height)
    return StreetDrawing(scene, width: width, height: height, threads: threads)
  }
}
