// SPDX-License-Identifier: Apache-2.0
// The rows around a row, kept close at hand: some channels of them, cell after cell, zero around.
#pragma once

#include <string.h>

#include "CLocal.h"
#include "exchange.h"

enum {
  ck_most_size = 2 * ck_most_radius + 1,
  /// Most channels taken at once: four vectors, so that sums stay in registers.
  ck_block = 4 * ck_lanes,
  /// What the rows at hand hold, in vectors: what the second cache holds beside the weights.
  ck_ring_vectors = 4096,
  /// Cells whose results are put away together.
  ck_tile = ck_lanes
};

/// Some channels of an array: `count` of them from `first` on, in `vectors` vectors.
typedef struct ck_slice {
  const float *values;
  ck_shape shape;
  int32_t first, count, vectors;
} ck_slice;

CK_INLINE ck_slice ck_slice_at(const float *values, ck_shape shape, int32_t first) {
  const int32_t count = ck_smaller(ck_block, shape.channels - first);
  return (ck_slice){values, shape, first, count, (count + ck_lanes - 1) / ck_lanes};
}

/// The first `count` of sixteen values, zero after them.
CK_INLINE void ck_take_some(const float *from, int32_t count, ck_floats *to) {
  if (count >= ck_lanes) {
    *to = *(const ck_floats *)from;
    return;
  }
  *to = 0;
  for (int32_t i = 0; i < count; ++i) (*to)[i] = from[i];
}

CK_INLINE void ck_give_some(const ck_floats *from, int32_t count, float *to) {
  if (count >= ck_lanes) {
    *(ck_floats *)to = *from;
    return;
  }
  for (int32_t i = 0; i < count; ++i) to[i] = (*from)[i];
}

/// `count` cells from cell `at` on whose channels lie side by side.
CK_INLINE void ck_take_cells(ck_slice slice, ptrdiff_t at, int32_t count, ck_floats *to) {
  const float *from = slice.values + at * slice.shape.channels + slice.first;
  for (int32_t i = 0; i < count; ++i, from += slice.shape.channels) {
    for (int32_t q = 0; q < slice.vectors; ++q, ++to) {
      ck_take_some(from + q * ck_lanes, slice.count - q * ck_lanes, to);
    }
  }
}

/// At most sixteen cells from cell `at` on whose channels lie in planes.
CK_INLINE void ck_take_planes(ck_slice slice, ptrdiff_t at, int32_t count, ck_floats *to) {
  const ptrdiff_t plane = (ptrdiff_t)slice.shape.height * slice.shape.width;
  const float *from = slice.values + slice.first * plane + at;
  for (int32_t q = 0; q < slice.vectors; ++q) {
    const int32_t left = slice.count - q * ck_lanes;
    ck_floats rows[ck_lanes];
    for (int32_t i = 0; i < ck_lanes; ++i) {
      const float *row = from + (q * ck_lanes + i) * plane;
      ck_take_some(row, i < left ? count : 0, &rows[i]);
    }
    ck_turn(rows);
    for (int32_t i = 0; i < count; ++i) to[i * slice.vectors + q] = rows[i];
  }
}

/// `count` cells from cell `at` on, as vectors of their channels, from either layout.
CK_INLINE void ck_take(ck_slice slice, ptrdiff_t at, int32_t count, ck_floats *to) {
  if (slice.shape.layout == ck_channels_last) {
    ck_take_cells(slice, at, count, to);
    return;
  }
  for (int32_t i = 0; i < count; i += ck_lanes) {
    // The last sixteen overlap those before.
    const int32_t first = count < ck_lanes ? 0 : ck_smaller(i, count - ck_lanes);
    const int32_t here = ck_smaller(ck_lanes, count);
    ck_take_planes(slice, at + first, here, to + first * slice.vectors);
  }
}

/// Puts at most sixteen cells back, as they were taken.
CK_INLINE void ck_give(ck_slice slice, ptrdiff_t at, int32_t count, const ck_floats *cells,
                       float *out) {
  const ptrdiff_t plane = (ptrdiff_t)slice.shape.height * slice.shape.width;
  const int last = slice.shape.layout == ck_channels_last;
  for (int32_t q = 0; q < slice.vectors; ++q) {
    const int32_t channel = slice.first + q * ck_lanes;
    const int32_t channels = ck_smaller(ck_lanes, slice.count - q * ck_lanes);
    ck_floats rows[ck_lanes];
    for (int32_t i = 0; i < ck_lanes; ++i) {
      rows[i] = i < count ? cells[i * slice.vectors + q] : (ck_floats)0;
    }
    if (!last) ck_turn(rows);
    float *to = last ? out + at * slice.shape.channels + channel : out + channel * plane + at;
    const ptrdiff_t step = last ? slice.shape.channels : plane;
    const int32_t lines = last ? count : channels, length = last ? channels : count;
    for (int32_t i = 0; i < lines; ++i) {
      ck_give_some(&rows[i], length, to + i * step);
    }
  }
}

/// The 2r + 1 rows around the current one, each of `count` + 2r cells from column `column` - r on.
typedef struct ck_ring {
  ck_slice slice;
  int32_t radius, column, count;
  ck_floats *values;
} ck_ring;

/// How many columns of results fit at once.
CK_INLINE int32_t ck_ring_columns(ck_slice slice, int32_t radius) {
  return ck_ring_vectors / slice.vectors / (2 * radius + 1) - 2 * radius;
}

/// Where row `row`, which may lie outside the image, is kept.
CK_INLINE ck_floats *ck_ring_row(const ck_ring *ring, int32_t row) {
  const int32_t size = 2 * ring->radius + 1, slot = (row + size) % size;
  return ring->values + slot * (ring->count + 2 * ring->radius) * ring->slice.vectors;
}

CK_INLINE void ck_ring_take(const ck_ring *ring, int32_t row) {
  const ck_shape shape = ring->slice.shape;
  const int32_t vectors = ring->slice.vectors, all = ring->count + 2 * ring->radius;
  const int32_t first = ring->column - ring->radius;
  const int32_t begin = first < 0 ? -first : 0;
  const int32_t end = ck_smaller(all, shape.width - first);
  ck_floats *to = ck_ring_row(ring, row);
  if (row < 0 || row >= shape.height) {
    memset(to, 0, (size_t)(all * vectors) * sizeof *to);
    return;
  }
  memset(to, 0, (size_t)(begin * vectors) * sizeof *to);
  memset(to + end * vectors, 0, (size_t)((all - end) * vectors) * sizeof *to);
  const ptrdiff_t at = (ptrdiff_t)row * shape.width + first + begin;
  ck_take(ring->slice, at, end - begin, to + begin * vectors);
}

/// Takes what is needed before the first of some rows.
CK_INLINE void ck_ring_begin(const ck_ring *ring, int32_t row) {
  for (int32_t u = -ring->radius; u < ring->radius; ++u) ck_ring_take(ring, row + u);
}
