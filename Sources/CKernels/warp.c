// SPDX-License-Identifier: Apache-2.0
#include "blend.h"

CK_INLINE void ck_warp_run(const float *features, ck_shape shape, const ck_taps *taps, int32_t x,
                           int32_t y, int32_t count, float *out) {
  const ptrdiff_t at = (ptrdiff_t)y * shape.width + x;
  if (shape.layout == ck_channels_last) {
    ck_blend_cells(features, taps, shape.channels, count, out + at * shape.channels);
    return;
  }
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  ck_group groups[ck_chunk / ck_lanes];
  ck_group_cells(taps, count, groups);
  for (int32_t channel = 0; channel < shape.channels; ++channel) {
    ck_blend_plane(features + channel * plane, taps, groups, count, out + channel * plane + at);
  }
}

CK_KERNEL void ck_warp(const float *features, ck_shape shape, const ck_motion *motion,
                       ck_border border, float *out, int32_t row_begin, int32_t row_end) {
  const ck_edges edges = {shape.height, shape.width, border};
  ck_places places;
  ck_taps taps;
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < shape.width; x += ck_chunk) {
      const int32_t count = ck_smaller(ck_chunk, shape.width - x);
      ck_find(motion, edges, x, y, count, &places);
      ck_weigh(&places, edges, count, &taps);
      ck_warp_run(features, shape, &taps, x, y, count, out);
    }
  }
}

CK_KERNEL void ck_warp_labels(const uint8_t *labels, int32_t height, int32_t width,
                              const ck_motion *motion, ck_border border, uint8_t outside,
                              uint8_t *out, int32_t row_begin, int32_t row_end) {
  const ck_edges edges = {height, width, border};
  ck_places places;
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < width; x += ck_chunk) {
      const int32_t count = ck_smaller(ck_chunk, width - x);
      ck_find(motion, edges, x, y, count, &places);
      for (int32_t i = 0; i < count; ++i) {
        const int32_t column = places.column[i] + (places.right[i] >= 0.5f);
        const int32_t row = places.row[i] + (places.below[i] >= 0.5f);
        const int inside = (column >= 0) & (column < width) & (row >= 0) & (row < height);
        const uint8_t label = labels[inside ? (ptrdiff_t)row * width + column : 0];
        out[(ptrdiff_t)y * width + x + i] = inside ? label : outside;
      }
    }
  }
}
