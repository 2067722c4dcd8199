// SPDX-License-Identifier: Apache-2.0
// Variational refinement (Brox et al., ECCV 2004): robust brightness and gradient constancy against
// a robustly smooth motion, solved by red-black successive over-relaxation.
#include <string.h>

#include "dis.h"

/// Cells before each half row, so that the one to the left can always be read.
enum { dis_lead = dis_lanes };
/// Half sweeps, each of which needs one more row of the motion on either side.
enum { dis_reach = 2 * ck_dis_sweeps };

static const float dis_relaxation = 1.6f, dis_floor = 0.1f, dis_softness = 0.001f;

/// Rows of the linear system of a band; each has its even columns and then its odd ones.
typedef struct dis_system {
  float *dx, *dy;
  /// Weight of the bond to the right and downwards.
  float *along, *down;
  /// Right sides, the coupling of the components, and inverse diagonals.
  float *right_x, *right_y, *coupling, *inverse_x, *inverse_y;
  ptrdiff_t half, stride;
  int32_t first, width, height;
} dis_system;

enum { dis_system_planes = 9 };

CK_DIS_INLINE ptrdiff_t dis_system_stride(ptrdiff_t half) { return 2 * (half + dis_lead); }

size_t ck_dis_scratch(int32_t rows, ptrdiff_t stride) {
  const size_t system = (size_t)(rows + 2 * dis_reach) * dis_system_planes *
                        (size_t)dis_system_stride(stride / 2);
  const size_t pictures = (size_t)(rows + 4) * 4 * (size_t)(stride + 2 * dis_lead);
  return sizeof(float) * (system > pictures ? system : pictures);
}

/// Cell 0 of the even (0) or odd (1) columns of row `y` of a plane of the system.
CK_DIS_INLINE float *dis_row(const dis_system *system, float *plane, int32_t y, int odd) {
  return plane + (y - system->first) * system->stride * dis_system_planes + dis_lead +
         odd * (system->half + dis_lead);
}

// A macro for the reason that `dis_load` is one.
#define dis_inverse_root(value) (1.0f / __builtin_elementwise_sqrt(value))

/// Takes rows of a motion apart into even and odd columns.
CK_DIS_INLINE void dis_part(const float *from, ptrdiff_t half, float *even, float *odd) {
  for (ptrdiff_t k = 0; k < half; k += dis_lanes) {
    const dis_16 a = dis_load(from + 2 * k), b = dis_load(from + 2 * k + dis_lanes);
    dis_store(even + k, dis_even(a, b));
    dis_store(odd + k, dis_odd(a, b));
  }
}

CK_DIS_INLINE void dis_join(const float *even, const float *odd, ptrdiff_t half, float *to) {
  for (ptrdiff_t k = 0; k < half; k += dis_lanes) {
    const dis_16 a = dis_load(even + k), b = dis_load(odd + k);
    dis_store(to + 2 * k, __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                                  6, 22, 7, 23));
    dis_store(to + 2 * k + dis_lanes,
              __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                      15, 31));
  }
}

CK_DIS_INLINE void dis_system_in(dis_system *system, const ck_dis_flow *flow, float *scratch,
                                 int32_t first, int32_t end) {
  system->half = flow->stride / 2;
  system->stride = dis_system_stride(system->half);
  system->first = first;
  system->width = flow->width;
  system->height = flow->height;
  float **planes[] = {&system->dx,       &system->dy,       &system->along,
                      &system->down,     &system->right_x,  &system->right_y,
                      &system->coupling, &system->inverse_x, &system->inverse_y};
  for (int k = 0; k < dis_system_planes; ++k) *planes[k] = scratch + k * system->stride;
  for (int32_t y = first; y < end; ++y) {
    for (int odd = 0; odd < 2; ++odd) {
      memset(dis_row(system, system->dx, y, odd) - dis_lead, 0, sizeof(float) * dis_lead);
      memset(dis_row(system, system->dy, y, odd) - dis_lead, 0, sizeof(float) * dis_lead);
      memset(dis_row(system, system->along, y, odd) - dis_lead, 0, sizeof(float) * dis_lead);
    }
    dis_part(flow->dx + y * flow->stride, system->half, dis_row(system, system->dx, y, 0),
             dis_row(system, system->dx, y, 1));
    dis_part(flow->dy + y * flow->stride, system->half, dis_row(system, system->dy, y, 0),
             dis_row(system, system->dy, y, 1));
  }
}

/// The bonds of one row: weak where the motion already differs between neighbours.
CK_DIS_INLINE void dis_bond(const dis_system *system, float smoothness, int32_t y) {
  const int32_t below = dis_least(y + 1, system->height - 1);
  for (int odd = 0; odd < 2; ++odd) {
    const float *dx = dis_row(system, system->dx, y, odd);
    const float *dy = dis_row(system, system->dy, y, odd);
    const float *next_dx = dis_row(system, system->dx, y, !odd) + odd;
    const float *next_dy = dis_row(system, system->dy, y, !odd) + odd;
    const float *below_dx = dis_row(system, system->dx, below, odd);
    const float *below_dy = dis_row(system, system->dy, below, odd);
    float *along = dis_row(system, system->along, y, odd);
    float *down = dis_row(system, system->down, y, odd);
    for (ptrdiff_t k = 0; k < system->half; k += dis_lanes) {
      const dis_16 x = dis_load(dx + k), y_ = dis_load(dy + k);
      const dis_16 a = dis_load(next_dx + k) - x, b = dis_load(next_dy + k) - y_;
      const dis_16 c = dis_load(below_dx + k) - x, d = dis_load(below_dy + k) - y_;
      const dis_16 squares = a * a + b * b + (c * c + d * d) + dis_softness * dis_softness;
      const dis_16 bond = dis_inverse_root(squares) * (0.5f * smoothness);
      dis_store(along + k, bond);
      dis_store(down + k, bond);
    }
    // Nothing is bound to what lies beyond the last column.
    for (ptrdiff_t k = (system->width - odd) / 2; k < system->half; ++k) along[k] = 0;
    if (y == system->height - 1) memset(down, 0, sizeof(float) * (size_t)system->half);
  }
}

/// Residuals of one cell as linear functions of its motion: x, y and constant of three of them.
typedef struct dis_residual {
  dis_16 x, y, rest;
} dis_residual;

CK_DIS_INLINE void dis_load_residual(const float *terms, ptrdiff_t half, int which,
                                     dis_residual *out) {
  out->x = dis_load(terms + 6 * which * half);
  out->y = dis_load(terms + (6 * which + 2) * half);
  out->rest = dis_load(terms + (6 * which + 4) * half);
}

CK_DIS_INLINE void dis_square(const dis_residual *residual, const dis_16 *dx, const dis_16 *dy,
                              dis_16 *out) {
  const dis_16 value = residual->rest + residual->x * *dx + residual->y * *dy;
  *out = value * value;
}

/// The linear system of one row, at the motion so far.
CK_DIS_INLINE void dis_assemble(const dis_system *system, const float *terms,
                                ck_dis_refine_settings settings, int32_t y) {
  const int32_t above = dis_most(y - 1, system->first);
  const ptrdiff_t half = system->half;
  for (int odd = 0; odd < 2; ++odd) {
    const float *dx = dis_row(system, system->dx, y, odd);
    const float *dy = dis_row(system, system->dy, y, odd);
    const float *along = dis_row(system, system->along, y, odd);
    const float *before = dis_row(system, system->along, y, !odd) + odd - 1;
    const float *down = dis_row(system, system->down, y, odd);
    const float *up = dis_row(system, system->down, above, odd);
    const float top = y > 0 ? 1 : 0;
    for (ptrdiff_t k = 0; k < half; k += dis_lanes) {
      const float *at = terms + odd * half + k;
      const dis_16 x = dis_load(dx + k), v = dis_load(dy + k);
      dis_residual bright, slope_x, slope_y;
      dis_load_residual(at, half, 0, &bright);
      dis_load_residual(at, half, 1, &slope_x);
      dis_load_residual(at, half, 2, &slope_y);
      dis_16 square, square_x, square_y;
      dis_square(&bright, &x, &v, &square);
      dis_square(&slope_x, &x, &v, &square_x);
      dis_square(&slope_y, &x, &v, &square_y);
      const dis_16 soft = dis_softness * dis_softness;
      const dis_16 w = dis_inverse_root(square + soft) * (0.5f * settings.brightness);
      const dis_16 g = dis_inverse_root(square_x + square_y + soft) * (0.5f * settings.gradients);
      const dis_16 bx = w * bright.x, by = w * bright.y;
      const dis_16 xx = g * slope_x.x, xy = g * slope_x.y, yx = g * slope_y.x, yy = g * slope_y.y;
      const float hold = dis_floor * dis_floor;
      const dis_16 bonds = dis_load(along + k) + dis_load(before + k) + dis_load(down + k) +
                           top * dis_load(up + k) + hold;
      const dis_16 diagonal_x = bx * bright.x + xx * slope_x.x + yx * slope_y.x + bonds;
      const dis_16 diagonal_y = by * bright.y + xy * slope_x.y + yy * slope_y.y + bonds;
      dis_store(dis_row(system, system->coupling, y, odd) + k,
                bx * bright.y + xx * slope_x.y + yx * slope_y.y);
      dis_store(dis_row(system, system->right_x, y, odd) + k,
                hold * x - (bx * bright.rest + xx * slope_x.rest + yx * slope_y.rest));
      dis_store(dis_row(system, system->right_y, y, odd) + k,
                hold * v - (by * bright.rest + xy * slope_x.rest + yy * slope_y.rest));
      dis_store(dis_row(system, system->inverse_x, y, odd) + k, dis_relaxation / diagonal_x);
      dis_store(dis_row(system, system->inverse_y, y, odd) + k, dis_relaxation / diagonal_y);
    }
  }
}

/// Relaxes every second cell of one row: those with x + y even, or those with x + y odd.
CK_DIS_INLINE void dis_relax(const dis_system *system, int32_t y, int colour) {
  const int odd = (y + colour) & 1;
  const int32_t above = dis_most(y - 1, system->first);
  const int32_t below = dis_least(y + 1, system->height - 1);
  const float top = y > 0 ? 1 : 0;
  float *dx = dis_row(system, system->dx, y, odd), *dy = dis_row(system, system->dy, y, odd);
  const float *other_dx = dis_row(system, system->dx, y, !odd) + odd;
  const float *other_dy = dis_row(system, system->dy, y, !odd) + odd;
  const float *above_dx = dis_row(system, system->dx, above, odd);
  const float *above_dy = dis_row(system, system->dy, above, odd);
  const float *below_dx = dis_row(system, system->dx, below, odd);
  const float *below_dy = dis_row(system, system->dy, below, odd);
  const float *along = dis_row(system, system->along, y, odd);
  const float *before = dis_row(system, system->along, y, !odd) + odd - 1;
  const float *down = dis_row(system, system->down, y, odd);
  const float *up = dis_row(system, system->down, above, odd);
  const float *right_x = dis_row(system, system->right_x, y, odd);
  const float *right_y = dis_row(system, system->right_y, y, odd);
  const float *coupling = dis_row(system, system->coupling, y, odd);
  const float *inverse_x = dis_row(system, system->inverse_x, y, odd);
  const float *inverse_y = dis_row(system, system->inverse_y, y, odd);
  for (ptrdiff_t k = 0; k < system->half; k += dis_lanes) {
    const dis_16 a = dis_load(along + k), b = dis_load(before + k), c = dis_load(down + k);
    const dis_16 d = top * dis_load(up + k), mixed = dis_load(coupling + k);
    const dis_16 old_x = dis_load(dx + k), old_y = dis_load(dy + k);
    const dis_16 pull_x = (a * dis_load(other_dx + k) + b * dis_load(other_dx + k - 1)) +
                          (c * dis_load(below_dx + k) + d * dis_load(above_dx + k));
    const dis_16 pull_y = (a * dis_load(other_dy + k) + b * dis_load(other_dy + k - 1)) +
                          (c * dis_load(below_dy + k) + d * dis_load(above_dy + k));
    const dis_16 x = (1 - dis_relaxation) * old_x +
                     (pull_x + dis_load(right_x + k) - mixed * old_y) * dis_load(inverse_x + k);
    const dis_16 v = (1 - dis_relaxation) * old_y +
                     (pull_y + dis_load(right_y + k) - mixed * x) * dis_load(inverse_y + k);
    dis_store(dx + k, x);
    dis_store(dy + k, v);
  }
}

CK_DIS_KERNEL void ck_dis_refine(const ck_dis_level *level, ck_dis_refine_settings settings,
                                 int32_t from, float *scratch, int32_t row_begin,
                                 int32_t row_end) {
  const ck_dis_flow *source = &level->flow[from], *target = &level->flow[!from];
  const int32_t height = source->height;
  const int32_t first = dis_most(row_begin - dis_reach, 0);
  const int32_t last = dis_least(row_end + dis_reach, height);
  dis_system system;
  dis_system_in(&system, source, scratch, first, last);
  const int32_t bonds_end = last == height ? height : last - 1;
  const ptrdiff_t terms = 2 * ck_dis_terms * system.half;
  // Each half sweep is one row behind the one before it: the rows they share stay in cache.
  for (int32_t y = first; y < bonds_end + dis_reach; ++y) {
    if (y < bonds_end) {
      dis_bond(&system, settings.smoothness, y);
      if (y > first || y == 0) dis_assemble(&system, level->terms + y * terms, settings, y);
    }
    for (int32_t half = 1; half <= dis_reach; ++half) {
      const int32_t row = y - half, spare = dis_reach - half;
      const int32_t end = dis_least(row_end + spare, height);
      if (row < dis_most(row_begin - spare, 0) || row >= end) continue;
      dis_relax(&system, row, (half - 1) & 1);
    }
  }
  for (int32_t y = row_begin; y < row_end; ++y) {
    dis_join(dis_row(&system, system.dx, y, 0), dis_row(&system, system.dx, y, 1), system.half,
             target->dx + y * target->stride);
    dis_join(dis_row(&system, system.dy, y, 0), dis_row(&system, system.dy, y, 1), system.half,
             target->dy + y * target->stride);
  }
}
