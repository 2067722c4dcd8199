// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg

/// The one place where a code of the C side becomes an error.
func checked(
  _ path: String, _ call: (inout cff_error) -> cff_code
) throws(VideoError) -> cff_code {
  var failure = cff_error()
  let code = call(&failure)
  if code == cff_ok || code == cff_end { return code }
  throw VideoError(VideoError.Code(code), at: path, failure.sentence)
}

extension VideoError.Code {
  fileprivate init(_ code: cff_code) {
    switch code {
    case cff_unreadable: self = .unreadable
    case cff_not_media: self = .notMedia
    case cff_refused_format: self = .refusedFormat
    case cff_no_video: self = .noVideoStream
    case cff_damaged_header: self = .damagedHeader
    case cff_damaged_data: self = .damagedData
    case cff_too_large: self = .tooLarge
    case cff_no_motion_vectors: self = .noMotionVectors
    case cff_unsupported: self = .unsupported
    case cff_unwritable: self = .unwritable
    case cff_disk_full: self = .diskFull
    case cff_out_of_memory: self = .outOfMemory
    case cff_no_library: self = .missingLibrary
    case cff_gave_up: self = .timedOut
    default: self = .unknown
    }
  }
}

extension cff_error {
  fileprivate var sentence: String {
    Swift.withUnsafeBytes(of: text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
