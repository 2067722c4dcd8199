// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "kernel.h"

CK_INLINE void ck_pixels_row(const uint8_t *pixels, int32_t width, const ck_affine *affine,
                             int first, ptrdiff_t plane, ptrdiff_t step, float *out) {
  for (int32_t channel = 0; channel < 3; ++channel) {
    const uint8_t *samples = pixels + (first ? first - channel : channel);
    const float mean = affine->mean[channel], deviation = affine->deviation[channel];
    const float scale = affine->scale[channel];
    float *to = out + channel * plane;
    for (int32_t x = 0; x < width; ++x) {
      to[x * step] = ((float)samples[3 * x] - mean) / deviation * scale;
    }
  }
}

CK_KERNEL void ck_pixels(const uint8_t *pixels, ptrdiff_t stride, int32_t height, int32_t width,
                         const ck_affine *affine, int reversed, ck_layout layout, float *out,
                         int32_t row_begin, int32_t row_end) {
  const int first = reversed ? 2 : 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const uint8_t *row = pixels + y * stride;
    float *to = out + (ptrdiff_t)y * width * (layout == ck_planar ? 1 : 3);
    if (layout == ck_planar) {
      ck_pixels_row(row, width, affine, first, (ptrdiff_t)height * width, 1, to);
    } else {
      ck_pixels_row(row, width, affine, first, 1, 3, to);
    }
  }
}

CK_INLINE void ck_block_means_of_row(const float *rows, ptrdiff_t stride, int32_t down,
                                     int32_t across, int32_t width, float *restrict out) {
  const float share = 1 / (float)(down * across);
  for (int32_t x = 0; x < width; ++x) {
    float sum = 0;
    for (int32_t i = 0; i < down; ++i) {
      for (int32_t j = 0; j < across; ++j) sum += rows[i * stride + x * across + j];
    }
    out[x] = sum * share;
  }
}

/// Where the window of output cell `i` begins, of `to` that cover `from`, and where it ends.
CK_INLINE int32_t ck_window_begin(int32_t i, int32_t from, int32_t to) {
  return (int32_t)((int64_t)i * from / to);
}

CK_INLINE int32_t ck_window_end(int32_t i, int32_t from, int32_t to) {
  return (int32_t)(((int64_t)(i + 1) * from + to - 1) / to);
}

CK_INLINE void ck_window_means_of_row(const float *rows, int32_t down, int32_t from, int32_t width,
                                      float *restrict out) {
  // Without a division for each cell: the next window begins at `begin` and `rest` parts of a cell.
  const int32_t step = from / width, parts = from % width;
  int32_t begin = 0, rest = 0;
  for (int32_t x = 0; x < width; ++x) {
    int32_t end = begin + step, left = rest + parts;
    if (left >= width) {
      left -= width;
      end += 1;
    }
    const int32_t across = end + (left > 0) - begin;
    float sum = 0;
    for (int32_t i = 0; i < down; ++i) {
      const float *row = rows + (ptrdiff_t)i * from + begin;
      for (int32_t j = 0; j < across; ++j) sum += row[j];
    }
    out[x] = sum / (float)(down * across);
    begin = end;
    rest = left;
  }
}

CK_KERNEL void ck_window_means(const float *plane, ck_extent from, ck_extent to, float *out,
                               int32_t row_begin, int32_t row_end) {
  const int is_whole = from.height % to.height == 0 && from.width % to.width == 0;
  const int32_t across = from.width / to.width;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int32_t begin = ck_window_begin(y, from.height, to.height);
    const int32_t down = ck_window_end(y, from.height, to.height) - begin;
    const float *rows = plane + (ptrdiff_t)begin * from.width;
    float *row = out + (ptrdiff_t)y * to.width;
    if (is_whole && down == 2 && across == 2) {
      ck_block_means_of_row(rows, from.width, 2, 2, to.width, row);
    } else if (is_whole) {
      ck_block_means_of_row(rows, from.width, down, across, to.width, row);
    } else {
      ck_window_means_of_row(rows, down, from.width, to.width, row);
    }
  }
}
