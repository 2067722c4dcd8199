// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "dis.h"

/// Repeats the ends of a row into its margins, and the first and last row above and below.
CK_DIS_INLINE void dis_extend(ck_dis_picture picture, int32_t y) {
  float *row = picture.pixels + y * picture.stride;
  for (int32_t x = 1; x <= ck_dis_margin; ++x) {
    row[-x] = row[0];
    row[picture.width - 1 + x] = row[picture.width - 1];
  }
  const size_t bytes = sizeof(float) * (size_t)(picture.width + 2 * ck_dis_margin);
  const float *from = row - ck_dis_margin;
  for (ptrdiff_t i = 1; i <= ck_dis_margin; ++i) {
    if (y == 0) memcpy((float *)from - i * picture.stride, from, bytes);
    if (y == picture.height - 1) memcpy((float *)from + i * picture.stride, from, bytes);
  }
}

CK_DIS_INLINE void dis_mean_of_four(const uint8_t *upper, const uint8_t *lower, int32_t count,
                                    float *restrict to) {
  for (int32_t x = 0; x < count; ++x) {
    const int32_t sum = upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1];
    to[x] = (float)sum * 0.25f;
  }
}

/// The mean of one block of bytes, whatever its size and however far it reaches out.
CK_DIS_INLINE float dis_mean_of_block(const uint8_t *grey, int32_t width, int32_t height,
                                      int32_t shift, int32_t column, int32_t row) {
  int32_t sum = 0;
  for (int32_t y = row << shift; y < (row + 1) << shift; ++y) {
    const uint8_t *from = grey + (ptrdiff_t)dis_least(y, height - 1) * width;
    for (int32_t x = column << shift; x < (column + 1) << shift; ++x) {
      sum += from[dis_least(x, width - 1)];
    }
  }
  return (float)sum / (float)(1 << 2 * shift);
}

/// The same for a run of whole blocks of 4 × 4.
CK_DIS_INLINE void dis_mean_of_sixteen(const uint8_t *from, ptrdiff_t stride, int32_t count,
                                       float *restrict to) {
  const uint8_t *a = from, *b = a + stride, *c = b + stride, *d = c + stride;
  for (int32_t x = 0; x < count; ++x) {
    int32_t sum = 0;
    for (int32_t i = 4 * x; i < 4 * x + 4; ++i) sum += a[i] + b[i] + c[i] + d[i];
    to[x] = (float)sum * 0.0625f;
  }
}

CK_DIS_KERNEL void ck_dis_shrink_bytes(const uint8_t *grey, int32_t width, int32_t height,
                                       int32_t shift, ck_dis_picture picture, int32_t row_begin,
                                       int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    float *to = picture.pixels + y * picture.stride;
    const uint8_t *from = grey + (ptrdiff_t)(y << shift) * width;
    int32_t whole = ((y + 1) << shift) <= height ? dis_least(width >> shift, picture.width) : 0;
    if (shift == 1 && whole > 0) {
      dis_mean_of_four(from, from + width, whole, to);
    } else if (shift == 2 && whole > 0) {
      dis_mean_of_sixteen(from, width, whole, to);
    } else {
      whole = 0;
    }
    for (int32_t x = whole; x < picture.width; ++x) {
      to[x] = dis_mean_of_block(grey, width, height, shift, x, y);
    }
    dis_extend(picture, y);
  }
}

CK_DIS_KERNEL void ck_dis_halve(ck_dis_picture finer, ck_dis_picture coarser, int32_t row_begin,
                                int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const float *restrict upper = finer.pixels + 2 * y * finer.stride;
    const float *restrict lower = upper + finer.stride;
    float *restrict to = coarser.pixels + y * coarser.stride;
    for (int32_t x = 0; x < coarser.width; ++x) {
      to[x] = (upper[2 * x] + upper[2 * x + 1] + (lower[2 * x] + lower[2 * x + 1])) * 0.25f;
    }
    dis_extend(coarser, y);
  }
}

CK_DIS_KERNEL void ck_dis_differentiate(const ck_dis_level *level, int32_t row_begin,
                                        int32_t row_end) {
  const ck_dis_picture picture = level->current;
  const ptrdiff_t stride = picture.stride;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const float *restrict here = picture.pixels + y * stride;
    const float *restrict above = here - stride, *restrict below = here + stride;
    float *restrict along_x = level->gradient_x + y * stride;
    float *restrict along_y = level->gradient_y + y * stride;
    for (int32_t x = 0; x < picture.width; ++x) {
      const float left = above[x - 1] + 2 * here[x - 1] + below[x - 1];
      const float right = above[x + 1] + 2 * here[x + 1] + below[x + 1];
      const float top = above[x - 1] + 2 * above[x] + above[x + 1];
      const float bottom = below[x - 1] + 2 * below[x] + below[x + 1];
      along_x[x] = (right - left) * 0.125f;
      along_y[x] = (bottom - top) * 0.125f;
    }
  }
}
