// SPDX-License-Identifier: Apache-2.0
// What the kernels share: building one loop for several processors, and where a cell reads.
#pragma once

#include "CKernels.h"

// Products and sums are rounded one by one: every processor, layout and fusion gives the same bits.
#pragma STDC FP_CONTRACT OFF

// Scripts/check-kernels defines it as nothing, and builds for one processor after the other.
#ifndef CK_KERNEL
#if defined(__x86_64__) && defined(__linux__)
#define CK_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_KERNEL
#endif
#endif
#define CK_INLINE static inline __attribute__((always_inline))

/// Sixteen values at any address; narrower processors take them in parts.
typedef float ck_floats __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef int32_t ck_ints __attribute__((ext_vector_type(16), aligned(4), may_alias));

/// Cells are taken in chunks: what is worked out for one serves all channels and stays in cache.
enum { ck_lanes = 16, ck_chunk = 512 };

/// The places a run of cells reads: cell (column, row) and how far to the right and below it.
typedef struct ck_places {
  int32_t column[ck_chunk], row[ck_chunk];
  float right[ck_chunk], below[ck_chunk];
} ck_places;

/// A grid and what is done at its edge.
typedef struct ck_edges {
  int32_t height, width;
  ck_border border;
} ck_edges;

CK_INLINE int32_t ck_smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/// Splits `position + displacement` into a whole cell and the fraction above it, clamped or left
/// just outside. The fraction is taken of the displacement alone, where it is exact.
CK_INLINE void ck_split(float displacement, int32_t position, int32_t size, ck_border border,
                        int32_t *cell, float *fraction) {
  const float limit = (float)size + 2;
  float near = displacement > limit ? limit : displacement;
  near = near < -limit ? -limit : near;
  int32_t whole = (int32_t)near;
  float rest = near - (float)whole;
  const int32_t down = rest < 0;
  whole -= down;
  rest += (float)down;
  const int32_t up = rest >= 1;  // 1 minus next to nothing rounds to 1
  whole += up;
  rest = up ? 0 : rest;
  whole += position;
  if (border == ck_border_clamp) {
    rest = (whole < 0 || whole >= size - 1) ? 0 : rest;
    whole = whole < 0 ? 0 : whole;
    whole = whole > size - 1 ? size - 1 : whole;
  } else {
    whole = whole < -2 ? -2 : whole;
    whole = whole > size ? size : whole;
  }
  *cell = whole;
  *fraction = rest;
}

CK_INLINE int ck_is_finite(float value) {
  return __builtin_fabsf(value) <= __FLT_MAX__;
}

CK_INLINE void ck_find_strided(const float *dx, const float *dy, ptrdiff_t column,
                               const uint8_t *known, ck_edges edges, int32_t x, int32_t y,
                               int32_t count, int32_t first, ck_places *places) {
  int32_t *columns = places->column + first, *rows = places->row + first;
  float *rights = places->right + first, *belows = places->below + first;
  for (int32_t i = 0; i < count; ++i) {
    float right = dx[i * column], down = dy[i * column];
    const int usable = ck_is_finite(right) & ck_is_finite(down) & (known ? known[i] != 0 : 1);
    right = usable ? right : 0;
    down = usable ? down : 0;
    ck_split(right, x + i, edges.width, edges.border, &columns[i], &rights[i]);
    ck_split(down, y, edges.height, edges.border, &rows[i], &belows[i]);
  }
}

/// Where `count` cells of one row read, from `first` in `places` on; the usual strides get loops of
/// their own.
CK_INLINE void ck_find_in_row(const ck_motion *motion, ck_edges edges, int32_t x, int32_t y,
                              int32_t count, int32_t first, ck_places *places) {
  const float *dx = motion->values + x * motion->column + y * motion->row;
  const float *dy = dx + motion->component;
  const ptrdiff_t column = motion->column;
  const uint8_t *known =
      motion->known ? motion->known + (ptrdiff_t)y * edges.width + x : (const uint8_t *)0;
  if (known) {
    ck_find_strided(dx, dy, column, known, edges, x, y, count, first, places);
  } else if (column == 1) {
    ck_find_strided(dx, dy, 1, 0, edges, x, y, count, first, places);
  } else if (column == 2) {
    ck_find_strided(dx, dy, 2, 0, edges, x, y, count, first, places);
  } else {
    ck_find_strided(dx, dy, column, 0, edges, x, y, count, first, places);
  }
}

/// Where the `count` cells from cell `at` on read, row by row.
CK_INLINE void ck_find(const ck_motion *motion, ck_edges edges, int32_t at, int32_t count,
                       ck_places *places) {
  int32_t x = at % edges.width, y = at / edges.width;
  for (int32_t first = 0; first < count; x = 0, ++y) {
    const int32_t here = ck_smaller(edges.width - x, count - first);
    ck_find_in_row(motion, edges, x, y, here, first, places);
    first += here;
  }
}

/// The four taps of each cell of a run: upper left, upper right, lower left, lower right.
///
/// A tap of weight 0 points at the cell's own upper left tap or, where that is outside, at cell 0: it
/// can be read, but must not be counted.
typedef struct ck_taps {
  int32_t offset[4][ck_chunk];
  float weight[4][ck_chunk];
  /// Whether all four count.
  uint8_t full[ck_chunk];
} ck_taps;

CK_INLINE void ck_weigh(const ck_places *places, ck_edges edges, int32_t count, ck_taps *taps) {
  const int32_t last_column = edges.width - 1, last_row = edges.height - 1;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t column = places->column[i], row = places->row[i];
    const float right = places->right[i], below = places->below[i];
    const int left_in = (column >= 0) & (column <= last_column);
    const int right_in = (column >= -1) & (column < last_column) & (right > 0);
    const int upper_in = (row >= 0) & (row <= last_row);
    const int lower_in = (row >= -1) & (row < last_row) & (below > 0);
    const int32_t at = row * edges.width + column;
    const int32_t home = (left_in & upper_in) ? at : 0;
    const float left = 1 - right, above = 1 - below;
    taps->offset[0][i] = home;
    taps->weight[0][i] = (left_in & upper_in) ? left * above : 0;
    taps->offset[1][i] = (right_in & upper_in) ? at + 1 : home;
    taps->weight[1][i] = (right_in & upper_in) ? right * above : 0;
    taps->offset[2][i] = (left_in & lower_in) ? at + edges.width : home;
    taps->weight[2][i] = (left_in & lower_in) ? left * below : 0;
    taps->offset[3][i] = (right_in & lower_in) ? at + edges.width + 1 : home;
    taps->weight[3][i] = (right_in & lower_in) ? right * below : 0;
    taps->full[i] = (taps->weight[0][i] > 0) & (taps->weight[1][i] > 0) &
                    (taps->weight[2][i] > 0) & (taps->weight[3][i] > 0);
  }
}
