// SPDX-License-Identifier: Apache-2.0
#include "blend.h"
#include "plane.h"

CK_INLINE void ck_warp_chunk(const float *features, ck_shape shape, const ck_taps *taps,
                             int32_t at, int32_t count, float *out) {
  if (shape.layout == ck_channels_last) {
    ck_blend_cells(features, taps, shape.channels, count, out + (ptrdiff_t)at * shape.channels);
    return;
  }
  const int32_t cells = shape.height * shape.width;
  ck_runs runs;
  ck_cut(taps, count, &runs);
  for (ptrdiff_t channel = 0; channel < shape.channels; ++channel) {
    const ptrdiff_t plane = channel * cells;
    ck_blend_plane(features + plane, cells, taps, &runs, count, out + plane + at);
  }
}

CK_KERNEL void ck_warp(const float *features, ck_shape shape, const ck_motion *motion,
                       ck_border border, float *out, int32_t row_begin, int32_t row_end) {
  const ck_edges edges = {shape.height, shape.width, border};
  if (shape.channels == 1 && border == ck_border_clamp) {
    for (int32_t y = row_begin; y < row_end; ++y) {
      ck_warp_plane_row(features, edges, motion, y, out + (ptrdiff_t)y * shape.width);
    }
    return;
  }
  const int32_t end = row_end * shape.width;
  ck_places places;
  ck_taps taps;
  for (int32_t at = row_begin * shape.width; at < end; at += ck_chunk) {
    const int32_t count = ck_smaller(ck_chunk, end - at);
    ck_find(motion, edges, at, count, &places);
    ck_weigh(&places, edges, count, &taps);
    ck_warp_chunk(features, shape, &taps, at, count, out);
  }
}

CK_KERNEL void ck_warp_labels(const uint8_t *labels, int32_t height, int32_t width,
                              const ck_motion *motion, ck_border border, uint8_t outside,
                              uint8_t *out, int32_t row_begin, int32_t row_end) {
  const ck_edges edges = {height, width, border};
  ck_places places;
  const int32_t end = row_end * width;
  for (int32_t at = row_begin * width; at < end; at += ck_chunk) {
    const int32_t count = ck_smaller(ck_chunk, end - at);
    ck_find(motion, edges, at, count, &places);
    for (int32_t i = 0; i < count; ++i) {
      const int32_t column = places.column[i] + (places.right[i] >= 0.5f);
      const int32_t row = places.row[i] + (places.below[i] >= 0.5f);
      const int inside = (column >= 0) & (column < width) & (row >= 0) & (row < height);
      const uint8_t label = labels[inside ? row * width + column : 0];
      out[at + i] = inside ? label : outside;
    }
  }
}
