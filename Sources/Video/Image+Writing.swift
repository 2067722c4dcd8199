// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Outputs

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
  ///
  /// A text in it says that this package made it, so that other people's maps are not written over.
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
    let encoded = try encodedAsJPEG(quality: quality, for: path)
    defer { cff_free(encoded.start) }
    try write(encoded, to: path)
  }

  /// What is left of the picture after a baseline JPEG; `quality` goes from 1 to 100.
  ///
  /// - Precondition: it has three channels.
  package func compressedAsJPEG(quality: Int) throws(VideoError) -> Image {
    precondition(channels == 3, "\(channels) channels would come back as three")
    let encoded = try encodedAsJPEG(quality: quality, for: "JPEG")
    defer { cff_free(encoded.start) }
    return try Image(
      encoded: UnsafeRawBufferPointer(start: encoded.start, count: encoded.count), name: "JPEG")
  }

  /// Bytes that the caller frees.
  private func encodedAsJPEG(quality: Int, for name: String) throws(VideoError) -> cff_bytes {
    precondition(channels == 1 || channels == 3, "no JPEG of \(channels) channels")
    var encoded = cff_bytes()
    _ = try withUnsafeBytes { (bytes) throws(VideoError) in
      try checked(name) {
        cff_jpeg_encode(
          bytes.baseAddress, Int32(width), Int32(height), Int32(channels),
          Int32(min(max(quality, 1), 100)), &encoded, &$0)
      }
    }
    return encoded
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

extension Image {
  /// The signature and the header of a PNG, after which other chunks may come.
  private static let headerLength = 33
  /// The chunk `tEXt` with "Software: inbetween": its length, kind, text and checksum.
  fileprivate static let ownMark: [UInt8] =
    [0, 0, 0, 18] + Array("tEXtSoftware\0inbetween".utf8) + [0x50, 0xB2, 0xD1, 0x09]

  /// Whether the file at `path` is a label map that this package wrote.
  package static func isOwnLabelMap(at path: String) -> Bool {
    let count = headerLength + ownMark.count
    return (try? beginning(of: path, count: count))?.suffix(ownMark.count).elementsEqual(ownMark)
      ?? false
  }

  /// A PNG with the mark behind its header.
  fileprivate static func marked(_ png: UnsafeRawBufferPointer) -> [UInt8] {
    png.prefix(headerLength) + ownMark + png.dropFirst(headerLength)
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
  guard kind == cff_png_palette8 else { return try write(encoded, to: path) }
  let marked = Image.marked(UnsafeRawBufferPointer(start: encoded.start, count: encoded.count))
  try writing { () throws(OutputError) in try PendingFile.write(marked, to: path) }
}

private func write(_ encoded: cff_bytes, to path: String) throws(VideoError) {
  try writing { () throws(OutputError) in
    try PendingFile.write(
      UnsafeRawBufferPointer(start: encoded.start, count: encoded.count), to: path)
  }
}
