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

CK_KERNEL void ck_block_means(const float *plane, int32_t down, int32_t across, int32_t width,
                              float *out, int32_t row_begin, int32_t row_end) {
  const ptrdiff_t stride = (ptrdiff_t)width * across;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const float *rows = plane + (ptrdiff_t)y * down * stride;
    float *to = out + (ptrdiff_t)y * width;
    if (down == 2 && across == 2) {
      ck_block_means_of_row(rows, stride, 2, 2, width, to);
    } else {
      ck_block_means_of_row(rows, stride, down, across, width, to);
    }
  }
}
