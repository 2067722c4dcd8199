// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "CFFmpeg.h"
#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

/// Fills the error and returns `code`.
cff_code cff_fail(cff_error *error, cff_code code, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/// The code and sentence of a libav* failure; `otherwise` where its number says nothing special.
cff_code cff_fail_av(cff_error *error, int status, cff_code otherwise, const char *what);

/// That a picture has more pixels than are allowed.
cff_code cff_fail_large(cff_error *error, int64_t width, int64_t height, int64_t max_pixels);

/// Of a PNG what its pixels are made of, in a copy that `free` lets go; fails where rows are
/// missing, or there are too many pixels.
cff_code cff_png_prepare(
  const uint8_t *bytes, size_t count, int64_t max_pixels, uint8_t **out, size_t *out_count,
  cff_error *error);

/// Keeps the libraries from printing and forgets what they said on this thread.
void cff_listen(void);
/// Says how many pixels are allowed, for sentences about what has more.
void cff_limit(int64_t max_pixels);
/// The last complaint of the libraries on this thread since `cff_listen`, or "".
const char *cff_last_complaint(void);

/// Turns decoded pictures into packed BGR; starts out as zeros.
typedef struct cff_converter {
  struct SwsContext *scaler;
  AVFrame *scaled;
} cff_converter;

cff_code cff_convert(
  cff_converter *converter, const AVFrame *frame, int width, int height, uint8_t *out,
  cff_error *error);
void cff_converter_close(cff_converter *converter);

/// 8-bit 4:2:0 planes of one size and what their samples mean.
typedef struct cff_planes {
  const uint8_t *y, *u, *v;
  ptrdiff_t y_stride, c_stride;
  int width, height;
} cff_planes;

/// 16.16 fixed-point factors from luma and chroma to blue, green and red.
typedef struct cff_matrix {
  int y_offset, y_factor, red_v, green_u, green_v, blue_u;
} cff_matrix;

cff_matrix cff_matrix_for(enum AVColorSpace space, bool full_range, int height);
void cff_planes_to_bgr(const cff_planes *planes, const cff_matrix *matrix, uint8_t *out);

/// The Exif orientation, 1 to 8, in TIFF data; 1 where none is stated.
int cff_orientation_in_tiff(const uint8_t *tiff, size_t count);
/// That of a PNG, WebP or TIFF file.
int cff_orientation_of_still(enum AVCodecID id, const uint8_t *bytes, size_t count);
/// That which comes nearest to a container's display matrix.
int cff_orientation_of_matrix(const int32_t *matrix);
/// Whether rows become columns, and whether stored columns or rows count from their other end.
bool cff_swaps(int orientation);
bool cff_mirrors_x(int orientation);
bool cff_mirrors_y(int orientation);
/// Writes the picture of width × height pixels, of `size` bytes each, upright.
void cff_turn(
  const uint8_t *in, int width, int height, int orientation, size_t size, uint8_t *out);

/// From the decoder's grid to that of the frame that is handed out.
typedef struct cff_placement {
  /// What is cropped at the left and on top, and what remains, as stored.
  int left, top, width, height;
  int orientation;
  /// The upright size.
  int out_width, out_height;
} cff_placement;

/// How much finer the motion of a placed vector is than the decoder's.
enum { cff_finer = 64 };
void cff_place_vectors(cff_motion_vector *vectors, size_t count, const cff_placement *placement);

/// JPEG files, which libjpeg reads: every pixel as OpenCV and most others see it.
typedef struct cff_jpeg cff_jpeg;

cff_code cff_jpeg_open(
  const uint8_t *bytes, size_t count, int64_t max_pixels, cff_jpeg **out, cff_error *error);
void cff_jpeg_close(cff_jpeg *jpeg);
void cff_jpeg_describe(const cff_jpeg *jpeg, cff_still_info *out);
/// Blue, green, red; or the grey samples where `grey`.
cff_code cff_jpeg_copy(cff_jpeg *jpeg, bool grey, uint8_t *out, cff_error *error);

static inline bool cff_exceeds(int64_t width, int64_t height, int64_t max_pixels) {
  return width <= 0 || height <= 0 || width > INT32_MAX || height > INT32_MAX
    || width > max_pixels / height;
}
