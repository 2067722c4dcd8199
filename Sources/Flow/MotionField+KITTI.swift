// SPDX-License-Identifier: Apache-2.0
internal import Video

/// KITTI's flow files (Geiger et al., CVPR 2012): a PNG of three 16-bit channels, in which red is
/// 64 dx + 2¹⁵, green is 64 dy + 2¹⁵, and blue is 1 where the motion is known.
extension MotionField {
  private static let kittiUnit: Float = 64
  private static let kittiZero: Float = 32768

  /// Reads a flow map of KITTI's.
  public init(kittiFile path: String) throws(FlowError) {
    let image = try Self.picture(at: path)
    guard image.channels == 3 else {
      throw FlowError(.unreadable, "\(path): \(image.channels) channel where flow takes three")
    }
    var (displacements, marks) = ([Float](), [UInt8]())
    displacements.reserveCapacity(2 * image.width * image.height)
    marks.reserveCapacity(image.width * image.height)
    for start in stride(from: 0, to: image.samples.count, by: 3) {
      let isKnown = image.samples[start + 2] != 0
      for sample in image.samples[start..<(start + 2)] {
        displacements.append(isKnown ? (Float(sample) - Self.kittiZero) / Self.kittiUnit : 0)
      }
      marks.append(isKnown ? 1 : 0)
    }
    self.init(
      width: image.width, height: image.height, displacements: displacements, marks: marks)
  }

  /// Writes a flow map as KITTI does: whole, or not at all.
  ///
  /// Motion is rounded to 1/64 pixel; of more than 511 pixels, and of none that is a number, it
  /// becomes unknown.
  public func write(kittiFile path: String) throws(FlowError) {
    var samples: [UInt16] = []
    samples.reserveCapacity(3 * width * height)
    let displacements = displacements
    for cell in 0..<(width * height) {
      let isMarked = known.map { $0[cell] != 0 } ?? true
      let pair = (0..<2).compactMap { Self.kittiSample(displacements[2 * cell + $0]) }
      samples += isMarked && pair.count == 2 ? [pair[0], pair[1], 1] : [0, 0, 0]
    }
    do throws(VideoError) {
      try Image16(width: width, height: height, channels: 3, samples: samples).writePNG(to: path)
    } catch {
      let isRefused = error.code == .unwritable
      throw FlowError(isRefused ? .unwritable : .writeFailed, "\(error)")
    }
  }

  private static func kittiSample(_ displacement: Float) -> UInt16? {
    UInt16(exactly: (displacement * kittiUnit + kittiZero).rounded())
  }

  private static func picture(at path: String) throws(FlowError) -> Image16 {
    do throws(VideoError) {
      return try Image16(contentsOf: path)
    } catch {
      throw FlowError(.unreadable, "\(error)")
    }
  }
}
