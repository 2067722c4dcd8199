// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "dis.h"

static const float dis_floor = 0.1f;
#ifndef DIS_GRAD
#define DIS_GRAD 0.5f
#endif
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

/// Reads the reference along the motion.
CK_DIS_INLINE void dis_meet(const ck_dis_level *level, const dis_band *band, int32_t y) {
  const ck_dis_picture *reference = &level->reference;
  const ck_dis_flow *flow = &level->flow[0];
  const float *dx = flow->dx + y * flow->stride, *dy = flow->dy + y * flow->stride;
  const float *restrict current = level->current.pixels + y * level->current.stride;
  float *restrict mean = dis_band_row(band, band->mean, y);
  float *restrict gap = dis_band_row(band, band->gap, y);
  const float *pixels = reference->pixels;
  const int32_t stride = (int32_t)reference->stride;
  const float last_x = (float)(band->width - 1), last_y = (float)(band->height - 1);
  for (int32_t x = 0; x < band->width; ++x) {
    float right, below;
    const int32_t column = dis_split((float)x + dx[x], 0, last_x, &right);
    const int32_t row = dis_split((float)y + dy[x], 0, last_y, &below);
    const int32_t at = row * stride + column;
    const float a = pixels[at], b = pixels[at + 1];
    const float c = pixels[at + stride], d = pixels[at + stride + 1];
    const float upper = a + right * (b - a), lower = c + right * (d - c);
    const float moved = upper + below * (lower - upper);
    mean[x] = 0.5f * (current[x] + moved);
    gap[x] = moved - current[x];
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
    x_[x] = DIS_GRAD * (here[x + 1] - here[x - 1]);
    y_[x] = DIS_GRAD * (below[x] - above[x]);
  }
  dis_repeat_ends(x_, band->width);
  dis_repeat_ends(y_, band->width);
}

/// Divides a residual by the length of its gradient and counts its rest from no motion at all.
CK_DIS_INLINE void dis_normalise(float x, float y, float rest, float dx, float dy, float out[3]) {
  const float scale = 1 / __builtin_sqrtf(x * x + y * y + dis_floor * dis_floor);
  out[0] = x * scale;
  out[1] = y * scale;
  out[2] = rest * scale - out[0] * dx - out[1] * dy;
}

/// The nine terms of one row, still in the order of its columns.
CK_DIS_INLINE void dis_residuals(const ck_dis_level *level, const dis_band *band, int32_t y,
                                 int32_t begin, int32_t count, float out[][64]) {
  const ck_dis_flow *flow = &level->flow[0];
  const float *dx = flow->dx + y * flow->stride + begin, *dy = flow->dy + y * flow->stride + begin;
  const float *gap = dis_band_row(band, band->gap, y) + begin;
  const float *gap_above = dis_band_row(band, band->gap, y - 1) + begin;
  const float *gap_below = dis_band_row(band, band->gap, y + 1) + begin;
  const float *sx = dis_band_row(band, band->slope_x, y) + begin;
  const float *sx_above = dis_band_row(band, band->slope_x, y - 1) + begin;
  const float *sx_below = dis_band_row(band, band->slope_x, y + 1) + begin;
  const float *sy = dis_band_row(band, band->slope_y, y) + begin;
  const float *sy_above = dis_band_row(band, band->slope_y, y - 1) + begin;
  const float *sy_below = dis_band_row(band, band->slope_y, y + 1) + begin;
  for (int32_t x = 0; x < count; ++x) {
    const float xx = DIS_GRAD * (sx[x + 1] - sx[x - 1]), xy = DIS_GRAD * (sx_below[x] - sx_above[x]);
    const float yy = DIS_GRAD * (sy_below[x] - sy_above[x]);
    const float xz = DIS_GRAD * (gap[x + 1] - gap[x - 1]), yz = DIS_GRAD * (gap_below[x] - gap_above[x]);
    float terms[9];
    dis_normalise(sx[x], sy[x], gap[x], dx[x], dy[x], terms);
    dis_normalise(xx, xy, xz, dx[x], dy[x], terms + 3);
    dis_normalise(xy, yy, yz, dx[x], dy[x], terms + 6);
    for (int k = 0; k < ck_dis_terms; ++k) out[k][x] = terms[k];
  }
}

CK_DIS_INLINE void dis_write_terms(const ck_dis_level *level, const dis_band *band, int32_t y) {
  const ptrdiff_t half = level->flow[0].stride / 2;
  float *terms = level->terms + y * 2 * ck_dis_terms * half;
  float out[ck_dis_terms][64] = {{0}};
  for (int32_t begin = 0; begin < 2 * half; begin += 64) {
    const int32_t count = dis_least(64, band->width - begin);
    if (count < 64) memset(out, 0, sizeof out);
    if (count > 0) dis_residuals(level, band, y, begin, count, out);
    const int32_t room = dis_least(32, (int32_t)half - begin / 2);
    for (int k = 0; k < ck_dis_terms; ++k) {
      float *even = terms + 2 * k * half + begin / 2, *odd = even + half;
      for (int32_t x = 0; x < room; ++x) {
        even[x] = out[k][2 * x];
        odd[x] = out[k][2 * x + 1];
      }
    }
  }
}

CK_DIS_KERNEL void ck_dis_linearise(const ck_dis_level *level, float *scratch, int32_t row_begin,
                                    int32_t row_end) {
  const int32_t width = level->flow[0].width, height = level->flow[0].height;
  dis_band band = {.stride = level->flow[0].stride + 2 * dis_lead, .width = width, .height = height};
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
