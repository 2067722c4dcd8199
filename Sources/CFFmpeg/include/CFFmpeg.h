// SPDX-License-Identifier: Apache-2.0

// Pictures and video in and out, over libavformat, libavcodec, libswscale and libjpeg.
//
// A call that can fail returns a code and takes, last, an error on the caller's stack. Results go
// out through pointers, which a failing call leaves alone. Samples are rows from the top, packed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cff_code {
  cff_ok = 0,
  cff_end,                /// nothing left; no failure
  cff_unreadable,         /// the system would not read the file
  cff_not_media,          /// no format that is known
  cff_refused_format,     /// a playlist or another format that may name other files
  cff_no_video,           /// a container without a video stream
  cff_damaged_header,     /// a known format whose header is cut off or broken
  cff_damaged_data,       /// what follows the header is cut off or broken
  cff_too_large,          /// more pixels than the limit
  cff_no_motion_vectors,  /// a codec whose decoder does not export them
  cff_unsupported,        /// a known format that is not offered here
  cff_unwritable,         /// the system would not write the file
  cff_disk_full,
  cff_out_of_memory,
  cff_no_library,         /// a library that is opened where it is needed is not there
  cff_gave_up,            /// whoever waits said that it waited long enough
  cff_unknown,
} cff_code;

typedef struct cff_error {
  char text[256];
} cff_error;

// MARK: the libraries

/// Writes the libraries' versions, cut off at `capacity`.
void cff_versions(char *text, size_t capacity);
/// Whether there is an encoder for H.264.
bool cff_can_encode_h264(void);

// MARK: video in

typedef struct cff_reader cff_reader;

/// Where packets come from. All zero but for the descriptor, which is -1, it is the file that the
/// path names; strings are read while the reader is opened, and never kept.
typedef struct cff_input {
  /// What may be opened, as `rtsp,rtp,udp,tcp`, where the path is an address; NULL for files.
  const char *protocols;
  /// The demuxer by name; NULL for whichever knows the first bytes.
  const char *format;
  /// Settings of the protocol and the demuxer, as `key=value:key=value`; NULL for none.
  const char *settings;
  /// A stream to read in the place of the path; it stays the caller's. -1 for none.
  int descriptor;
  /// Whether `format` is a device's, whose library is opened.
  bool is_device;
  /// Asked again and again by whatever waits for data, with `context`: whether to wait no longer.
  /// NULL for a file.
  bool (*gives_up)(void *context);
  void *context;
} cff_input;

typedef struct cff_reader_options {
  int64_t max_pixels;
  int threads;
  bool motion_vectors;
  cff_input input;
} cff_reader_options;

typedef struct cff_stream_info {
  /// Of the picture as it is seen, upright.
  int width, height;
  /// Frames a second as a fraction; 0/1 where the container states none that can be believed.
  int rate_numerator, rate_denominator;
  /// The width of a pixel over its height; 0/1 where nothing is stated.
  int aspect_numerator, aspect_denominator;
  /// What the container claims; 0 and a negative value where it claims nothing.
  int64_t claimed_frames;
  double claimed_seconds;
  bool has_b_frames;
  /// Exif's orientation: how pictures are stored. They are handed out upright.
  int orientation;
  /// Whether times may begin anew in the stream, as those of transport streams do.
  bool may_restart;
  /// Whether times are nothing but the sum of how long each picture is shown.
  bool has_delays;
  char codec[32];
} cff_stream_info;

typedef struct cff_frame_info {
  int width, height;
  /// Seconds; NaN where the stream has no time for this frame or no duration.
  double time, duration;
  /// 'I', 'P', 'B' or '?'.
  char picture_type;
  /// The decoder had to make up some of this picture.
  bool concealed;
  /// Packets were lost whose pictures belong between this one and the one handed out before.
  bool follows_loss;
} cff_frame_info;

typedef struct cff_stream_counts {
  int64_t packets;          /// packets of pictures to be shown that were read
  int64_t damaged_packets;  /// refused by the decoder, or marked broken by the demuxer
  int64_t undecodable;      /// pictures before the first that rests on no other
  bool read_failed;         /// reading stopped before the end of the stream
} cff_stream_counts;

/// libavutil's AVMotionVector.
typedef struct cff_motion_vector {
  int32_t source;
  uint8_t width, height;
  int16_t source_x, source_y, x, y;
  uint64_t flags;
  int32_t motion_x, motion_y;
  uint16_t scale;
} cff_motion_vector;

/// `*out` receives a reader that the caller closes.
cff_code cff_reader_open(
  const char *path, const cff_reader_options *options, cff_reader **out, cff_error *error);
void cff_reader_close(cff_reader *reader);
cff_stream_info cff_reader_info(const cff_reader *reader);
cff_stream_counts cff_reader_counts(const cff_reader *reader);
/// Decodes the next frame in presentation order; `cff_end` after the last one, `cff_gave_up` where
/// it was not waited for: what has come since may be lost.
cff_code cff_reader_next(cff_reader *reader, cff_frame_info *out, cff_error *error);
/// Writes width × height × 3 bytes, blue, green, red, upright, scaled where the frame has another
/// size.
cff_code cff_reader_copy_bgr(
  cff_reader *reader, int width, int height, uint8_t *out, cff_error *error);
/// The vectors of the frame at that size, upright, and their number; they stay the reader's, until
/// the next frame. NULL with 0 where there are none, or no memory for them.
const cff_motion_vector *cff_reader_motion_vectors(
  cff_reader *reader, int width, int height, size_t *count);

// MARK: stills in

typedef struct cff_still cff_still;

typedef enum cff_samples {
  cff_samples_bgr8,    /// 3 × 8 bit: blue, green, red
  cff_samples_label8,  /// 1 × 8 bit: grey values or palette indices, never colours
  cff_samples_native,  /// 1, 3 or 4 channels, red first, of 8 or 16 bit in machine order
} cff_samples;

typedef struct cff_still_info {
  int width, height;
  /// As `cff_samples_native` gives them.
  int channels, bits;
  /// One channel of at most 8 bit, or a palette: what a label map may be.
  bool is_label_map;
} cff_still_info;

/// Decodes a picture in memory; `*out` receives a still that the caller closes.
cff_code cff_still_open(
  const uint8_t *bytes, size_t count, int64_t max_pixels, cff_still **out, cff_error *error);
void cff_still_close(cff_still *still);
cff_still_info cff_still_describe(const cff_still *still);
/// The size of the picture in memory, upright; nothing is decoded of a PNG or a JPEG.
cff_code cff_still_measure(
  const uint8_t *bytes, size_t count, int64_t max_pixels, int *width, int *height,
  cff_error *error);
/// Writes every sample of the still; `out` holds `capacity` bytes.
cff_code cff_still_copy(
  cff_still *still, cff_samples samples, void *out, size_t capacity, cff_error *error);
/// Scales packed BGR to another size.
cff_code cff_scale_bgr(
  const uint8_t *in, int width, int height, uint8_t *out, int out_width, int out_height,
  cff_error *error);

// MARK: stills out

/// Bytes that `cff_free` gives back.
typedef struct cff_bytes {
  uint8_t *start;
  size_t count;
} cff_bytes;

typedef enum cff_png_kind {
  cff_png_grey8,
  cff_png_bgr8,
  cff_png_palette8,  /// indices; the palette is 256 × 3 bytes, red, green, blue
  cff_png_grey16,
  cff_png_rgb16,  /// 16 bit in machine order
} cff_png_kind;

/// `*out` receives bytes that the caller frees; `palette` is read for `cff_png_palette8` only.
cff_code cff_png_encode(
  const void *samples, int width, int height, cff_png_kind kind, const uint8_t *palette,
  cff_bytes *out, cff_error *error);
/// A baseline JPEG of BGR (3) or grey (1) samples; quality from 1 to 100.
cff_code cff_jpeg_encode(
  const uint8_t *samples, int width, int height, int channels, int quality, cff_bytes *out,
  cff_error *error);
void cff_free(void *start);

// MARK: video out

typedef struct cff_writer cff_writer;

typedef struct cff_writer_options {
  int width, height;
  int rate_numerator, rate_denominator;
  /// The unit of times, in seconds.
  int unit_numerator, unit_denominator;
  /// The width of a pixel over its height.
  int aspect_numerator, aspect_denominator;
  /// x264's constant rate factor, 0 (lossless) to 51.
  int crf;
  int threads;
  /// x264's preset by name.
  const char *preset;
  /// The muxer by name: mp4, mov or matroska.
  const char *container;
  /// Frames between key frames at most and consecutive B frames; negative for x264's own choice.
  int key_interval, b_frames;
} cff_writer_options;

/// `*out` receives a writer that the caller closes, finished or not.
cff_code cff_writer_open(
  const char *path, const cff_writer_options *options, cff_writer **out, cff_error *error);
/// Encodes one frame of width × height × 3 bytes, blue, green, red, to be shown from `time`, later
/// than the one before, and for `duration` where it is the last.
cff_code cff_writer_add(
  cff_writer *writer, const uint8_t *bgr, int64_t time, int64_t duration, cff_error *error);
/// Writes what is left and the index; nothing can be added afterwards.
cff_code cff_writer_finish(cff_writer *writer, cff_error *error);
void cff_writer_close(cff_writer *writer);

#ifdef __cplusplus
}
#endif
