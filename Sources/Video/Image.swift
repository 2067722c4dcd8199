// SPDX-License-Identifier: Apache-2.0

/// 8-bit samples: height × width × channels, rows packed, the first row on top.
///
/// Three channels are blue, green, red; one channel is grey, or a label map (one class id a pixel).
/// An image is written once, while it is made, and shared by reference from then on.
public struct Image: Sendable {
  /// Columns of pixels.
  public let width: Int
  /// Rows of pixels.
  public let height: Int
  /// Samples of a pixel: 3 for blue, green, red; 1 for grey or labels.
  public let channels: Int
  package let storage: Storage

  /// Bytes that live as long as anyone, a tensor view included, still reads them.
  // Safe to share: nothing writes to the bytes once `Image.init` has returned.
  package final class Storage: @unchecked Sendable {
    package let bytes: UnsafeMutableRawBufferPointer
    init(count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }
    deinit { bytes.deallocate() }
  }

  /// Makes an image and lets `fill` write every byte of it; what it leaves out is undefined.
  ///
  /// - Precondition: the sizes are positive and bounded by the caller (see `PixelLimits`).
  public init<Failure: Error>(
    width: Int, height: Int, channels: Int,
    fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    precondition(
      width > 0 && height > 0 && channels > 0, "no image of \(width)×\(height)×\(channels)")
    (self.width, self.height, self.channels) = (width, height, channels)
    storage = Storage(count: width * height * channels)
    try fill(storage.bytes)
  }

  /// An image with every byte equal to `value`.
  public init(width: Int, height: Int, channels: Int, repeating value: UInt8) {
    self.init(width: width, height: height, channels: channels) { bytes in
      for index in bytes.indices { bytes[index] = value }
    }
  }

  /// An image of these bytes, row by row.
  ///
  /// - Precondition: there are width × height × channels of them.
  public init(width: Int, height: Int, channels: Int, bytes: some Collection<UInt8>) {
    precondition(
      bytes.count == width * height * channels,
      "\(bytes.count) bytes do not fill \(width)×\(height)×\(channels)")
    self.init(width: width, height: height, channels: channels) { $0.copyBytes(from: bytes) }
  }

  /// Calls `body` with the bytes, height × width × channels.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(storage) { () throws(Failure) -> Result in
      try body(UnsafeRawBufferPointer(storage.bytes))
    }
  }

  /// The sample at column `x`, row `y`.
  public subscript(x x: Int, y y: Int, channel channel: Int = 0) -> UInt8 {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y) && (0..<channels).contains(channel),
      "(\(x), \(y)), channel \(channel), is outside \(width)×\(height)×\(channels)")
    return storage.bytes[(y * width + x) * channels + channel]
  }

  /// A copy of the bytes, row by row.
  public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

/// Columns and rows.
public struct PixelSize: Hashable, Sendable, CustomStringConvertible {
  /// Pixels across, and pixels down.
  public let width: Int, height: Int

  /// A size of these numbers, which are not checked.
  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  /// Width × height, such as `1920×1080`.
  public var description: String { "\(width)×\(height)" }
}

extension Image {
  /// Columns and rows.
  public var size: PixelSize { PixelSize(width: width, height: height) }
}

extension Image: Equatable {
  /// Same sizes and same bytes.
  public static func == (lhs: Image, rhs: Image) -> Bool {
    (lhs.width, lhs.height, lhs.channels) == (rhs.width, rhs.height, rhs.channels)
      && (lhs.storage === rhs.storage
        || lhs.withUnsafeBytes { l in rhs.withUnsafeBytes { r in l.elementsEqual(r) } })
  }
}

extension Image {
  /// A part of the image.
  ///
  /// - Precondition: it lies inside and is not empty.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= self.width
        && y + height <= self.height, "\(width)×\(height) at (\(x), \(y)) of \(size)")
    let (from, to) = (self.width * channels, width * channels)
    return Image(width: width, height: height, channels: channels) { bytes in
      withUnsafeBytes { source in
        for row in 0..<height {
          let begin = (y + row) * from + x * channels
          bytes[row * to..<(row + 1) * to].copyBytes(from: source[begin..<begin + to])
        }
      }
    }
  }
}
