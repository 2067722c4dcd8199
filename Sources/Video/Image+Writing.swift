// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg

extension Image {
  /// Writes a PNG: blue, green, red of three channels, grey of one.
  ///
  /// The file appears whole under its name, or not at all.
  public func writePNG(to path: String) throws(VideoError) {
    precondition(channels == 1 || channels == 3, "no PNG of \(channels) channels")
    let kind = channels == 1 ? cff_png_grey8 : cff_png_bgr8
    try withUnsafeBytes { (bytes) throws(VideoError) in
      try Video.writePNG(bytes, width: width, height: height, kind, to: path)
    }
  }

  /// Writes a label map as a PNG of palette indices, shown in the palette's colours.
  public func writePNG(to path: String, palette: Palette) throws(VideoError) {
    precondition(channels == 1, "a label map has one channel, not \(channels)")
    let colours = (0..<256).flatMap { index in
      let colour = palette.colour(of: UInt8(index))
      return [colour.red, colour.green, colour.blue]
    }
    try withUnsafeBytes { (bytes) throws(VideoError) in
      try Video.writePNG(
        bytes, width: width, height: height, cff_png_palette8, palette: colours, to: path)
    }
  }

  /// Writes a baseline JPEG; `quality` goes from 1 to 100.
  public func writeJPEG(to path: String, quality: Int = 90) throws(VideoError) {
    precondition(channels == 1 || channels == 3, "no JPEG of \(channels) channels")
    var encoded = cff_bytes()
    defer { cff_free(encoded.start) }
    _ = try withUnsafeBytes { (bytes) throws(VideoError) in
      try checked(path) {
        cff_jpeg_encode(
          bytes.baseAddress, Int32(width), Int32(height), Int32(channels),
          Int32(min(max(quality, 1), 100)), &encoded, &$0)
      }
    }
    try write(encoded, to: path)
  }
}

extension Image16 {
  /// Writes a PNG of 16 bits a sample.
  package func writePNG(to path: String) throws(VideoError) {
    let kind = channels == 1 ? cff_png_grey16 : cff_png_rgb16
    var failure: VideoError?
    samples.withUnsafeBytes { bytes in
      do throws(VideoError) {
        try Video.writePNG(bytes, width: width, height: height, kind, to: path)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}

private func writePNG(
  _ samples: UnsafeRawBufferPointer, width: Int, height: Int, _ kind: cff_png_kind,
  palette: [UInt8] = [], to path: String
) throws(VideoError) {
  var encoded = cff_bytes()
  defer { cff_free(encoded.start) }
  _ = try checked(path) {
    cff_png_encode(
      samples.baseAddress, Int32(width), Int32(height), kind, palette, &encoded, &$0)
  }
  try write(encoded, to: path)
}

private func write(_ encoded: cff_bytes, to path: String) throws(VideoError) {
  let file = try PendingFile(for: path)
  try file.write(UnsafeRawBufferPointer(start: encoded.start, count: encoded.count))
  try file.commit()
}
