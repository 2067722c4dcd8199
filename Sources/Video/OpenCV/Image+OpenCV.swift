// SPDX-License-Identifier: Apache-2.0
internal import COpenCV

extension Image {
  /// The image at another size, bilinear.
  func bilinear(width: Int, height: Int) throws(OpenCVError) -> Image {
    try made(width: width, height: height, channels: channels) { from, to, failure in
      cocv_resize(from, Int32(clamping: width), Int32(clamping: height), to, &failure)
    }
  }

  /// The luma of a blue, green, red image, one channel, by BT.601's weights.
  ///
  /// A grey image is returned as it is.
  public func grey() throws(OpenCVError) -> Image {
    if channels == 1 { return self }
    return try made(width: width, height: height, channels: 1) { from, to, failure in
      cocv_grey(from, to, &failure)
    }
  }

  private func made(
    width: Int, height: Int, channels: Int, operation: StaticString = #function,
    by call: (cocv_image, UnsafeMutablePointer<UInt8>?, inout cocv_error) -> cocv_code
  ) throws(OpenCVError) -> Image {
    try Image(width: width, height: height, channels: channels) { bytes throws(OpenCVError) in
      let out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      try withView { view throws(OpenCVError) in
        try shim(operation) { call(view, out, &$0) }
      }
    }
  }

  /// Calls `body` with the image as OpenCV is shown it; nothing is copied.
  func withView<Result>(
    _ body: (cocv_image) throws(OpenCVError) -> Result
  ) throws(OpenCVError) -> Result {
    try withUnsafeBytes { bytes throws(OpenCVError) in
      try body(
        cocv_image(
          bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
          width: Int32(clamping: width), height: Int32(clamping: height),
          channels: Int32(clamping: channels)))
    }
  }
}
