// SPDX-License-Identifier: Apache-2.0
#include "kernel.h"

/// Adds what one run of cells gives back to one plane.
CK_INLINE void ck_scatter_plane(const float *gradient, const ck_taps *taps, int32_t count,
                                float *plane) {
  for (int32_t i = 0; i < count; ++i) {
    for (int32_t k = 0; k < 4; ++k) {
      const float weight = taps->weight[k][i];
      if (weight > 0) plane[taps->offset[k][i]] += weight * gradient[i];
    }
  }
}

/// The same for some channels of cells whose channels lie side by side.
CK_INLINE void ck_scatter_cells(const float *gradient, const ck_taps *taps, int32_t count,
                                ptrdiff_t channels, int32_t begin, int32_t end, float *features) {
  for (int32_t i = 0; i < count; ++i) {
    const float *from = gradient + i * channels;
    for (int32_t k = 0; k < 4; ++k) {
      const float weight = taps->weight[k][i];
      if (!(weight > 0)) continue;
      float *restrict to = features + taps->offset[k][i] * channels;
      for (int32_t channel = begin; channel < end; ++channel) to[channel] += weight * from[channel];
    }
  }
}

CK_INLINE void ck_clear_channels(float *features, ck_shape shape, int32_t begin, int32_t end) {
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  if (shape.layout == ck_planar) {
    for (ptrdiff_t i = begin * plane; i < end * plane; ++i) features[i] = 0;
    return;
  }
  for (ptrdiff_t cell = 0; cell < plane; ++cell) {
    for (int32_t channel = begin; channel < end; ++channel) {
      features[cell * shape.channels + channel] = 0;
    }
  }
}

CK_KERNEL void ck_warp_features_gradient(const float *gradient, ck_shape shape,
                                         const ck_motion *motion, ck_border border,
                                         float *features_gradient, int32_t channel_begin,
                                         int32_t channel_end) {
  const ck_edges edges = {shape.height, shape.width, border};
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  ck_places places;
  ck_taps taps;
  ck_clear_channels(features_gradient, shape, channel_begin, channel_end);
  for (int32_t at = 0; at < (int32_t)plane; at += ck_chunk) {
    const int32_t count = ck_smaller(ck_chunk, (int32_t)plane - at);
    ck_find(motion, edges, at, count, &places);
    ck_weigh(&places, edges, count, &taps);
    if (shape.layout == ck_channels_last) {
      ck_scatter_cells(gradient + (ptrdiff_t)at * shape.channels, &taps, count, shape.channels,
                       channel_begin, channel_end, features_gradient);
      continue;
    }
    for (int32_t channel = channel_begin; channel < channel_end; ++channel) {
      ck_scatter_plane(gradient + channel * plane + at, &taps, count,
                       features_gradient + channel * plane);
    }
  }
}

/// The four cells around each place of a run, for the derivative along the motion.
typedef struct ck_slopes {
  int32_t offset[4][ck_chunk];
  /// 1, or 0 for a tap that lies outside and counts as the value 0.
  float inside[4][ck_chunk];
  /// 1, or 0 where moving the place changes nothing: clamped, unknown or not finite.
  float moves_x[ck_chunk], moves_y[ck_chunk];
} ck_slopes;

CK_INLINE int32_t ck_clamped(int32_t value, int32_t size) {
  value = value < 0 ? 0 : value;
  return value > size - 1 ? size - 1 : value;
}

CK_INLINE int ck_is_free(float displacement, int32_t position, int32_t size, ck_border border) {
  const float place = (float)position + displacement;
  return border == ck_border_zero || (place >= 0 && place < (float)(size - 1));
}

CK_INLINE void ck_find_slopes(const ck_motion *motion, const ck_places *places, ck_edges edges,
                              int32_t at, int32_t count, ck_slopes *slopes) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t x = (at + i) % edges.width, y = (at + i) / edges.width;
    const float *values = motion->values + x * motion->column + y * motion->row;
    const float dx = values[0], dy = values[motion->component];
    const int known = !motion->known || motion->known[at + i];
    const int usable = ck_is_finite(dx) && ck_is_finite(dy) && known;
    slopes->moves_x[i] = usable && ck_is_free(dx, x, edges.width, edges.border);
    slopes->moves_y[i] = usable && ck_is_free(dy, y, edges.height, edges.border);
    for (int32_t k = 0; k < 4; ++k) {
      const int32_t column = places->column[i] + k % 2, row = places->row[i] + k / 2;
      const int32_t near_column = ck_clamped(column, edges.width);
      const int32_t near_row = ck_clamped(row, edges.height);
      const int inside = column == near_column && row == near_row;
      slopes->offset[k][i] = near_row * edges.width + near_column;
      slopes->inside[k][i] = inside || edges.border == ck_border_clamp;
    }
  }
}

/// The derivatives of one bilinear value along x and y, from its four taps and its place.
CK_INLINE void ck_slope(const float tap[4], float right, float below, float *along_x,
                        float *along_y) {
  *along_x = (1 - below) * (tap[1] - tap[0]) + below * (tap[3] - tap[2]);
  *along_y = (1 - right) * (tap[2] - tap[0]) + right * (tap[3] - tap[1]);
}

/// Adds one plane's share for a run of cells.
CK_INLINE void ck_add_plane_slopes(const float *gradient, const float *plane,
                                   const ck_places *places, const ck_slopes *slopes,
                                   int32_t count, float *dx, float *dy) {
  for (int32_t i = 0; i < count; ++i) {
    float tap[4], along_x, along_y;
    for (int32_t k = 0; k < 4; ++k) {
      tap[k] = slopes->inside[k][i] != 0 ? plane[slopes->offset[k][i]] : 0;
    }
    ck_slope(tap, places->right[i], places->below[i], &along_x, &along_y);
    dx[i] += gradient[i] * along_x;
    dy[i] += gradient[i] * along_y;
  }
}

/// The sum over all channels of one cell, in sixteen partial sums whatever the number of threads.
CK_INLINE void ck_sum_cell_slopes(const float *gradient, const float *features, ptrdiff_t channels,
                                  const ck_places *places, const ck_slopes *slopes, int32_t i,
                                  float *dx, float *dy) {
  float x[ck_lanes] = {0}, y[ck_lanes] = {0};
  const float right = places->right[i], below = places->below[i];
  for (ptrdiff_t first = 0; first < channels; first += ck_lanes) {
    const ptrdiff_t end = first + ck_lanes < channels ? ck_lanes : channels - first;
    for (ptrdiff_t lane = 0; lane < end; ++lane) {
      float tap[4], along_x, along_y;
      for (int32_t k = 0; k < 4; ++k) {
        const float value = features[slopes->offset[k][i] * channels + first + lane];
        tap[k] = slopes->inside[k][i] != 0 ? value : 0;
      }
      ck_slope(tap, right, below, &along_x, &along_y);
      x[lane] += gradient[first + lane] * along_x;
      y[lane] += gradient[first + lane] * along_y;
    }
  }
  *dx = *dy = 0;
  for (int32_t lane = 0; lane < ck_lanes; ++lane) {
    *dx += x[lane];
    *dy += y[lane];
  }
}

/// The derivatives of a run of cells, before what holds a place still is taken into account.
CK_INLINE void ck_sum_slopes(const float *gradient, const float *features, ck_shape shape,
                             const ck_places *places, const ck_slopes *slopes, ptrdiff_t at,
                             int32_t count, float *dx, float *dy) {
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  if (shape.layout == ck_planar) {
    for (int32_t i = 0; i < count; ++i) dx[i] = dy[i] = 0;
    for (int32_t channel = 0; channel < shape.channels; ++channel) {
      ck_add_plane_slopes(gradient + channel * plane + at, features + channel * plane, places,
                          slopes, count, dx, dy);
    }
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    ck_sum_cell_slopes(gradient + (at + i) * shape.channels, features, shape.channels, places,
                       slopes, i, &dx[i], &dy[i]);
  }
}

CK_KERNEL void ck_warp_motion_gradient(const float *gradient, const float *features,
                                       ck_shape shape, const ck_motion *motion, ck_border border,
                                       float *motion_gradient, int32_t row_begin,
                                       int32_t row_end) {
  const ck_edges edges = {shape.height, shape.width, border};
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  ck_places places;
  ck_slopes slopes;
  float dx[ck_chunk], dy[ck_chunk];
  const int32_t end = row_end * shape.width;
  for (int32_t at = row_begin * shape.width; at < end; at += ck_chunk) {
    const int32_t count = ck_smaller(ck_chunk, end - at);
    ck_find(motion, edges, at, count, &places);
    ck_find_slopes(motion, &places, edges, at, count, &slopes);
    ck_sum_slopes(gradient, features, shape, &places, &slopes, at, count, dx, dy);
    for (int32_t i = 0; i < count; ++i) {
      motion_gradient[at + i] = slopes.moves_x[i] != 0 ? dx[i] : 0;
      motion_gradient[plane + at + i] = slopes.moves_y[i] != 0 ? dy[i] : 0;
    }
  }
}
