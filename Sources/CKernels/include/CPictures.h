// SPDX-License-Identifier: Apache-2.0
// Pictures of 8-bit samples at smaller sizes.
//
// Every function runs on the calling thread, allocates nothing and cannot fail; rows that do not overlap
// may be made at the same time, and how the work is cut never changes a bit of the result.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CK_PICTURE_NOEXCEPT noexcept
extern "C" {
#else
#define CK_PICTURE_NOEXCEPT
#endif

/// The cells of an axis that one cell of a shorter axis covers, and what share of it each of them is:
/// the first, those between and, where it is another, the last.
typedef struct ck_coverage {
  int32_t first, last;
  float head, body, tail;
} ck_coverage;

/// The spans of an axis of `to` cells over one of `from`; `to` is at least 1 and at most `from`, which is
/// at most 2^24.
void ck_find_coverage(int32_t from, int32_t to, ck_coverage *spans) CK_PICTURE_NOEXCEPT;

/// A picture, height × width × channels, of which each sample is the mean of the area that it covers in
/// a larger one, `from_width` pixels wide; to the nearest, halves up.
///
/// `rows` and `columns` are the spans of its axes, and `memory` is `ck_shrink_memory` floats. How the
/// means are rounded does not depend on the processor.
void ck_shrink(const uint8_t *samples, int32_t from_width, int32_t channels, const ck_coverage *rows,
               const ck_coverage *columns, int32_t width, float *memory, uint8_t *out,
               int32_t row_begin, int32_t row_end) CK_PICTURE_NOEXCEPT;

ptrdiff_t ck_shrink_memory(int32_t from_width, int32_t width,
                           int32_t channels) CK_PICTURE_NOEXCEPT;

/// The mean of each block of `cell` × `cell` pixels of three channels: 3 × height × width, of a picture of
/// height · `cell` × width · `cell` pixels; `cell` is from 1 to 16. A mean of 2, 4, 8 or 16 each way is exact.
void ck_cell_means(const uint8_t *pixels, int32_t cell, int32_t height, int32_t width, float *out,
                   int32_t row_begin, int32_t row_end) CK_PICTURE_NOEXCEPT;

/// How numbers become metres: `scale` · x + `shift` or, `inverse`, one over that; clamped, of inverse ones
/// all that are not above one over `most` to `most`.
typedef struct ck_depth_reading {
  float scale, shift, least, most;
  int inverse;
} ck_depth_reading;

/// The metres of `count` numbers; gives whether all of these are finite.
int ck_read_depths(const float *numbers, size_t count, const ck_depth_reading *reading,
                   float *metres) CK_PICTURE_NOEXCEPT;

#ifdef __cplusplus
}
#endif
