// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg

extension Image {
  /// The picture in a file as blue, green, red.
  ///
  /// PNG, JPEG, WebP, BMP, TIFF and PNM; which of them is told from the bytes. Grey and palette
  /// pictures become colours, of 16 bits the upper 8 remain, alpha is dropped: what OpenCV's
  /// `imread` gives. Pictures are turned upright by their Exif orientation, label maps too.
  public init(contentsOf path: String, limits: PixelLimits = .standard) throws(VideoError) {
    try self.init(colours: Still(path, limits: limits))
  }

  /// The picture that is encoded in memory, as that of a file is; `name` is what errors call it.
  init(
    encoded: UnsafeRawBufferPointer, name: String, limits: PixelLimits = .standard
  ) throws(VideoError) {
    try self.init(colours: Still(encoded, name: name, limits: limits))
  }

  private init(colours still: Still) throws(VideoError) {
    let info = still.info
    try self.init(
      width: Int(info.width), height: Int(info.height), channels: 3
    ) { bytes throws(VideoError) in try still.copy(cff_samples_bgr8, into: bytes) }
  }

  /// The label map in a file: one channel, one class id a pixel.
  ///
  /// Grey values of at most 8 bits, or palette indices. Colours and 16 bits are refused.
  public static func labels(
    contentsOf path: String, limits: PixelLimits = .standard
  ) throws(VideoError) -> Image {
    let still = try Still(path, limits: limits)
    let info = still.info
    return try Image(
      width: Int(info.width), height: Int(info.height), channels: 1
    ) { bytes throws(VideoError) in try still.copy(cff_samples_label8, into: bytes) }
  }

  /// The size of the picture in a file, upright, without decoding it where its format allows that.
  package static func size(
    ofFile path: String, limits: PixelLimits = .standard
  ) throws(VideoError) -> PixelSize {
    let bytes = try readBytes(of: path, limit: limits.stillBytes)
    var (width, height) = (Int32(0), Int32(0))
    _ = try checked(path) {
      cff_still_measure(bytes, bytes.count, Int64(limits.pixels), &width, &height, &$0)
    }
    return PixelSize(width: Int(width), height: Int(height))
  }

  /// The three-channel image in another size: averaged when it shrinks, bilinear when it grows.
  func scaled(width: Int, height: Int) throws(VideoError) -> Image {
    precondition(channels == 3, "only blue, green, red are scaled here")
    return try Image(width: width, height: height, channels: 3) { out throws(VideoError) in
      _ = try withUnsafeBytes { (bytes) throws(VideoError) in
        try checked("picture") {
          cff_scale_bgr(
            bytes.baseAddress, Int32(self.width), Int32(self.height), out.baseAddress,
            Int32(width), Int32(height), &$0)
        }
      }
    }
  }
}

/// A PNG of 16-bit samples: grey, or red, green, blue, row by row.
package struct Image16: Sendable, Hashable {
  package let width: Int
  package let height: Int
  /// 1 or 3, red first.
  package let channels: Int
  package let samples: [UInt16]

  /// - Precondition: there are width × height × channels samples.
  package init(width: Int, height: Int, channels: Int, samples: [UInt16]) {
    precondition(channels == 1 || channels == 3, "\(channels) channels")
    precondition(
      samples.count == width * height * channels,
      "\(samples.count) samples do not fill \(width)×\(height)×\(channels)")
    (self.width, self.height, self.channels) = (width, height, channels)
    self.samples = samples
  }

  /// Reads a picture of 16 bits a sample; one of 8 bits is refused.
  package init(contentsOf path: String, limits: PixelLimits = .standard) throws(VideoError) {
    let still = try Still(path, limits: limits)
    let info = still.info
    guard info.bits == 16 else {
      throw VideoError(.unsupported, at: path, "8 bits a sample where 16 are needed")
    }
    (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
    var samples = [UInt16](repeating: 0, count: width * height * channels)
    var failure: VideoError?
    samples.withUnsafeMutableBytes { bytes in
      do throws(VideoError) {
        try still.copy(cff_samples_native, into: bytes)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    self.samples = samples
  }
}

/// A decoded still with its one owner.
private final class Still {
  let path: String
  let info: cff_still_info
  private let handle: OpaquePointer

  convenience init(_ path: String, limits: PixelLimits) throws(VideoError) {
    let bytes = try readBytes(of: path, limit: limits.stillBytes)
    try self.init(opening: bytes, of: bytes.count, name: path, limits: limits)
  }

  convenience init(
    _ bytes: UnsafeRawBufferPointer, name: String, limits: PixelLimits
  ) throws(VideoError) {
    try self.init(
      opening: bytes.bindMemory(to: UInt8.self).baseAddress, of: bytes.count, name: name,
      limits: limits)
  }

  private init(
    opening bytes: UnsafePointer<UInt8>?, of count: Int, name: String, limits: PixelLimits
  ) throws(VideoError) {
    var opened: OpaquePointer?
    _ = try checked(name) {
      cff_still_open(bytes, count, Int64(limits.pixels), &opened, &$0)
    }
    guard let opened else { throw VideoError(.unknown, at: name, "the picture would not open") }
    (path, handle, info) = (name, opened, cff_still_describe(opened))
  }

  func copy(
    _ samples: cff_samples, into bytes: UnsafeMutableRawBufferPointer
  ) throws(VideoError) {
    _ = try checked(path) {
      cff_still_copy(handle, samples, bytes.baseAddress, bytes.count, &$0)
    }
  }

  deinit { cff_still_close(handle) }
}
