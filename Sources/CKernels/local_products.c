// SPDX-License-Identifier: Apache-2.0
// Each cell times each cell of its neighbourhood, summed over the channels.
#include "local.h"

/// The products of one cell with one other, not yet added up.
CK_INLINE void ck_match(const ck_floats *here, const ck_floats *there, int32_t vectors,
                           ck_floats *out) {
  ck_floats product = here[0] * there[0];
#pragma clang loop unroll(full)
  for (int32_t q = 1; q < vectors; ++q) product += here[q] * there[q];
  *out = product;
}

/// Sixteen taps of one cell.
CK_INLINE void ck_multiply_sixteen(const ck_floats *here, const ck_floats *const *taps,
                                   int32_t at, int32_t vectors, ck_floats *out) {
  ck_floats rows[ck_lanes];
#pragma clang loop unroll(full)
  for (int32_t i = 0; i < ck_lanes; ++i) ck_match(here, taps[i] + at, vectors, &rows[i]);
  ck_sum_rows(rows);
  *out = rows[0];
}

/// All taps of one cell, added to `products` unless they are the `first` to be.
CK_INLINE void ck_multiply_cell(const ck_floats *here, const ck_floats *const *taps,
                                int32_t tap_count, int32_t at, int32_t vectors, int first,
                                float *products) {
  ck_floats sums;
  int32_t t = 0;
  for (; t + ck_lanes <= tap_count; t += ck_lanes) {
    ck_multiply_sixteen(here, taps + t, at, vectors, &sums);
    ck_floats *to = (ck_floats *)(products + t);
    *to = first ? sums : *to + sums;
  }
  if (tap_count - t > 4) {
    ck_multiply_sixteen(here, taps + t, at, vectors, &sums);
    for (int32_t i = 0; t < tap_count; ++i, ++t) {
      products[t] = first ? sums[i] : products[t] + sums[i];
    }
  }
  for (; t < tap_count; ++t) {
    ck_match(here, taps[t] + at, vectors, &sums);
    const float sum = ck_sum(&sums);
    products[t] = first ? sum : products[t] + sum;
  }
}

CK_INLINE void ck_multiply_row(const ck_ring *ring, const float *here, int32_t row,
                               int32_t vectors, float *products) {
  const int32_t size = 2 * ring->radius + 1, tap_count = size * size;
  const ptrdiff_t at = (ptrdiff_t)row * ring->slice.shape.width + ring->column;
  const ck_floats *taps[ck_most_size * ck_most_size + ck_lanes];
  ck_floats tile[4 * ck_tile] __attribute__((aligned(64)));
  ck_slice own = ring->slice;
  own.values = here;
  for (int32_t t = 0; t < tap_count; ++t) {
    taps[t] = ck_ring_row(ring, row + t / size - ring->radius) + t % size * vectors;
  }
  // What fills up the last sixteen is worked out and dropped.
  for (int32_t t = 0; t < ck_lanes; ++t) taps[tap_count + t] = taps[0];
  for (int32_t first = 0; first < ring->count; first += ck_tile) {
    const int32_t count = ck_smaller(ck_tile, ring->count - first);
    ck_take(own, at + first, count, tile);
    for (int32_t i = 0; i < count; ++i) {
      ck_multiply_cell(tile + i * vectors, taps, tap_count, (first + i) * vectors, vectors,
                       own.first == 0, products + (at + first + i) * tap_count);
    }
  }
}

CK_INLINE void ck_multiply_slice(ck_slice slice, const float *here, int32_t radius,
                                 int32_t vectors, ck_floats *scratch, float *products,
                                 int32_t row_begin, int32_t row_end) {
  slice.vectors = vectors;
  const int32_t width = slice.shape.width, step = ck_ring_columns(slice, radius);
  for (int32_t column = 0; column < width; column += step) {
    const ck_ring ring = {slice, radius, column, ck_smaller(step, width - column), scratch};
    ck_ring_begin(&ring, row_begin);
    for (int32_t row = row_begin; row < row_end; ++row) {
      ck_ring_take(&ring, row + radius);
      ck_multiply_row(&ring, here, row, vectors, products);
    }
  }
}

CK_KERNEL void ck_local_products(const float *here, const float *there, ck_shape shape,
                                 int32_t radius, float *products, int32_t row_begin,
                                 int32_t row_end) {
  ck_floats scratch[ck_ring_vectors] __attribute__((aligned(64)));
  for (int32_t first = 0; first < shape.channels; first += ck_block) {
    const ck_slice slice = ck_slice_at(there, shape, first);
    if (slice.vectors == 4) {
      ck_multiply_slice(slice, here, radius, 4, scratch, products, row_begin, row_end);
    } else if (slice.vectors == 3) {
      ck_multiply_slice(slice, here, radius, 3, scratch, products, row_begin, row_end);
    } else if (slice.vectors == 2) {
      ck_multiply_slice(slice, here, radius, 2, scratch, products, row_begin, row_end);
    } else {
      ck_multiply_slice(slice, here, radius, 1, scratch, products, row_begin, row_end);
    }
  }
}
