// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg

/// The libraries behind reading and writing.
public enum VideoLibraries {
  /// Their versions, in one line.
  public static var description: String {
    var text = [CChar](repeating: 0, count: 128)
    cff_versions(&text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Whether overlays can be written.
  public static var canEncodeH264: Bool { cff_can_encode_h264() }
}
