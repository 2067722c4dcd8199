// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "dis.h"

static const float dis_floor = 0.1f;
enum { dis_lead = dis_lanes };

/// Pictures of a band of rows and of two more on either side.
typedef struct dis_band {
  /// Mean of the current picture and the moved reference, their difference, and the mean's slopes.
  float *mean, *gap, *slope_x, *slope_y;
  ptrdiff_t stride;
  int32_t first, width, height;
} dis_band;

/// Row `y` of a picture of the band; rows beyond the picture repeat its edge.
CK_DIS_INLINE float *dis_band_row(const dis_band *band, float *picture, int32_t y) {
  const int32_t row = dis_most(0, dis_least(y, band->height - 1));
  return picture + (row - band->first) * band->stride * 4 + dis_lead;
}

CK_DIS_INLINE void dis_repeat_ends(float *row, int32_t width) {
  row[-1] = row[0];
  row[width] = row[width - 1];
}

enum { dis_chunk = 64 };

/// Where a run of pixels reads in the reference.
typedef struct dis_places {
  int32_t at[dis_chunk];
  float right[dis_chunk], below[dis_chunk];
} dis_places;

CK_DIS_INLINE void dis_find(const ck_dis_level *level, int32_t x, int32_t y, int32_t count,
                            dis_places *restrict places) {
  const ck_dis_flow *flow = &level->flow[0];
  const float *restrict dx = flow->dx + y * flow->stride + x;
  const float *restrict dy = flow->dy + y * flow->stride + x;
  const float last_x = (float)(flow->width - 1), last_y = (float)(flow->height - 1);
  const int32_t stride = (int32_t)level->reference.stride;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t column = dis_split((float)(x + i) + dx[i], 0, last_x, &places->right[i]);
    const int32_t row = dis_split((float)y + dy[i], 0, last_y, &places->below[i]);
    places->at[i] = row * stride + column;
  }
}

/// Reads the reference along the motion.
CK_DIS_INLINE void dis_meet(const ck_dis_level *level, const dis_band *band, int32_t y) {
  const float *pixels = level->reference.pixels;
  const ptrdiff_t stride = level->reference.stride;
  const float *restrict current = level->current.pixels + y * level->current.stride;
  float *restrict mean = dis_band_row(band, band->mean, y);
  float *restrict gap = dis_band_row(band, band->gap, y);
  for (int32_t x = 0; x < band->width; x += dis_chunk) {
    const int32_t count = dis_least(dis_chunk, band->width - x);
    dis_places places;
    float taps[4][dis_chunk];
    dis_find(level, x, y, count, &places);
    for (int32_t i = 0; i < count; ++i) {
      const float *from = pixels + places.at[i];
      taps[0][i] = from[0];
      taps[1][i] = from[1];
      taps[2][i] = from[stride];
      taps[3][i] = from[stride + 1];
    }
    for (int32_t i = 0; i < count; ++i) {
      const float upper = taps[0][i] + places.right[i] * (taps[1][i] - taps[0][i]);
      const float lower = taps[2][i] + places.right[i] * (taps[3][i] - taps[2][i]);
      const float moved = upper + places.below[i] * (lower - upper);
      mean[x + i] = 0.5f * (current[x + i] + moved);
      gap[x + i] = moved - current[x + i];
    }
  }
  dis_repeat_ends(mean, band->width);
  dis_repeat_ends(gap, band->width);
}

CK_DIS_INLINE void dis_slope(const dis_band *band, int32_t y) {
  const float *restrict here = dis_band_row(band, band->mean, y);
  const float *restrict above = dis_band_row(band, band->mean, y - 1);
  const float *restrict below = dis_band_row(band, band->mean, y + 1);
  float *restrict x_ = dis_band_row(band, band->slope_x, y);
  float *restrict y_ = dis_band_row(band, band->slope_y, y);
  for (int32_t x = 0; x < band->width; ++x) {
    x_[x] = 0.5f * (here[x + 1] - here[x - 1]);
    y_[x] = 0.5f * (below[x] - above[x]);
  }
  dis_repeat_ends(x_, band->width);
  dis_repeat_ends(y_, band->width);
}

/// Rows of a picture of the band around one pixel.
typedef struct dis_around {
  const float *here, *above, *below;
} dis_around;

CK_DIS_INLINE dis_around dis_around_row(const dis_band *band, float *picture, int32_t y) {
  return (dis_around){dis_band_row(band, picture, y), dis_band_row(band, picture, y - 1),
                      dis_band_row(band, picture, y + 1)};
}

CK_DIS_INLINE void dis_across(const dis_around *rows, ptrdiff_t x, dis_16 *out) {
  *out = 0.5f * (dis_load(rows->here + x + 1) - dis_load(rows->here + x - 1));
}

CK_DIS_INLINE void dis_downwards(const dis_around *rows, ptrdiff_t x, dis_16 *out) {
  *out = 0.5f * (dis_load(rows->below + x) - dis_load(rows->above + x));
}

/// Divides a residual by the length of its gradient and counts its rest from no motion at all;
/// beyond the width all of it is zero.
CK_DIS_INLINE void dis_normalise(const dis_16 *x, const dis_16 *y, const dis_16 *rest,
                                 const dis_16 *dx, const dis_16 *dy, const dis_ints *inside,
                                 dis_16 out[3]) {
  const dis_16 zero = 0;
  const dis_16 square = *x * *x + *y * *y + dis_floor * dis_floor;
  const dis_16 scale = 1.0f / __builtin_elementwise_sqrt(square);
  out[0] = *inside ? *x * scale : zero;
  out[1] = *inside ? *y * scale : zero;
  out[2] = *inside ? *rest * scale - *x * scale * *dx - *y * scale * *dy : zero;
}

/// The nine terms of sixteen pixels of a row, in the order of its columns.
CK_DIS_INLINE void dis_residuals(const ck_dis_level *level, const dis_around rows[3], int32_t x,
                                 int32_t y, dis_16 out[ck_dis_terms]) {
  const ck_dis_flow *flow = &level->flow[0];
  const dis_around *gap = &rows[0], *slope_x = &rows[1], *slope_y = &rows[2];
  const dis_16 dx = dis_load(flow->dx + y * flow->stride + x);
  const dis_16 dy = dis_load(flow->dy + y * flow->stride + x);
  const dis_ints columns = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const dis_ints inside = columns < flow->width - x;
  const dis_16 fx = dis_load(slope_x->here + x), fy = dis_load(slope_y->here + x);
  const dis_16 change = dis_load(gap->here + x);
  dis_16 xx, xy, yy, change_x, change_y;
  dis_across(slope_x, x, &xx);
  dis_downwards(slope_x, x, &xy);
  dis_downwards(slope_y, x, &yy);
  dis_across(gap, x, &change_x);
  dis_downwards(gap, x, &change_y);
  dis_normalise(&fx, &fy, &change, &dx, &dy, &inside, out);
  dis_normalise(&xx, &xy, &change_x, &dx, &dy, &inside, out + 3);
  dis_normalise(&xy, &yy, &change_y, &dx, &dy, &inside, out + 6);
}

CK_DIS_INLINE void dis_write_terms(const ck_dis_level *level, const dis_band *band, int32_t y) {
  const ptrdiff_t half = level->flow[0].stride / 2;
  const dis_around rows[3] = {dis_around_row(band, band->gap, y),
                              dis_around_row(band, band->slope_x, y),
                              dis_around_row(band, band->slope_y, y)};
  float *terms = level->terms + y * 2 * ck_dis_terms * half;
  for (int32_t k = 0; k < half; k += dis_lanes) {
    dis_16 left[ck_dis_terms], right[ck_dis_terms];
    dis_residuals(level, rows, 2 * k, y, left);
    dis_residuals(level, rows, 2 * k + dis_lanes, y, right);
    for (int term = 0; term < ck_dis_terms; ++term) {
      float *even = terms + 2 * term * half + k;
      dis_store(even, dis_even(left[term], right[term]));
      dis_store(even + half, dis_odd(left[term], right[term]));
    }
  }
}

CK_DIS_KERNEL void ck_dis_linearise(const ck_dis_level *level, float *scratch, int32_t row_begin,
                                    int32_t row_end) {
  const int32_t width = level->flow[0].width, height = level->flow[0].height;
  dis_band band = {.width = width, .height = height};
  band.stride = level->flow[0].stride + 2 * dis_lead;
  band.first = dis_most(row_begin - 2, 0);
  band.mean = scratch;
  band.gap = band.mean + band.stride;
  band.slope_x = band.gap + band.stride;
  band.slope_y = band.slope_x + band.stride;
  for (int32_t y = band.first; y < dis_least(row_end + 2, height); ++y) dis_meet(level, &band, y);
  for (int32_t y = dis_most(row_begin - 1, 0); y < dis_least(row_end + 1, height); ++y) {
    dis_slope(&band, y);
  }
  for (int32_t y = row_begin; y < row_end; ++y) dis_write_terms(level, &band, y);
}
