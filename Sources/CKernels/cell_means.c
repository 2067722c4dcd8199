// SPDX-License-Identifier: Apache-2.0
#include "CPictures.h"

#include "kernel.h"

/// Cells that are summed at a time, and the longest side of one: what is summed stays in cache.
enum { ck_cells = 64, ck_most_cell = 16 };

/// A run of `count` cells whose first row of samples begins at `from`.
CK_INLINE void ck_means_of_cells(const uint8_t *from, ptrdiff_t stride, int32_t cell,
                                 int32_t count, ptrdiff_t plane, float *out) {
  uint16_t sums[3 * ck_cells * ck_most_cell];
  const int32_t samples = 3 * count * cell;
  for (int32_t i = 0; i < samples; ++i) sums[i] = from[i];
  for (int32_t row = 1; row < cell; ++row) {
    const uint8_t *restrict next = from + row * stride;
    for (int32_t i = 0; i < samples; ++i) sums[i] = (uint16_t)(sums[i] + next[i]);
  }
  const float share = 1 / (float)(cell * cell);
  for (int32_t x = 0; x < count; ++x) {
    const uint16_t *own = sums + 3 * x * cell;
    int32_t blue = 0, green = 0, red = 0;
    for (int32_t i = 0; i < cell; ++i) {
      blue += own[3 * i];
      green += own[3 * i + 1];
      red += own[3 * i + 2];
    }
    out[x] = (float)blue * share;
    out[plane + x] = (float)green * share;
    out[2 * plane + x] = (float)red * share;
  }
}

CK_KERNEL void ck_cell_means(const uint8_t *pixels, int32_t cell, int32_t height, int32_t width,
                             float *out, int32_t row_begin, int32_t row_end) {
  const ptrdiff_t stride = (ptrdiff_t)3 * width * cell, plane = (ptrdiff_t)height * width;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const uint8_t *row = pixels + (ptrdiff_t)y * cell * stride;
    for (int32_t x = 0; x < width; x += ck_cells) {
      const int32_t count = ck_smaller(ck_cells, width - x);
      const uint8_t *from = row + (ptrdiff_t)3 * x * cell;
      float *to = out + (ptrdiff_t)y * width + x;
      if (cell == 4) {
        ck_means_of_cells(from, stride, 4, count, plane, to);
      } else {
        ck_means_of_cells(from, stride, cell, count, plane, to);
      }
    }
  }
}
