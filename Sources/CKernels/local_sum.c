// SPDX-License-Identifier: Apache-2.0
// Neighbourhoods added up, each cell with weights of its own.
#include "local.h"

/// `cells` neighbouring cells at once, `vectors` each; both are constants. `rows` are those of the
/// neighbourhood, from the first cell's leftmost tap on.
CK_INLINE void ck_sum_taps(const ck_floats *const *rows, int32_t at, const float *weights,
                           int32_t size, int32_t cells, int32_t vectors, ck_floats *out) {
  const int32_t taps = size * size;
  ck_floats sums[4] = {0, 0, 0, 0};
  for (int32_t u = 0; u < size; ++u) {
    const ck_floats *from = rows[u] + at * vectors;
    const float *row_weights = weights + u * size;
    for (int32_t v = 0; v < size; ++v, from += vectors) {
#pragma clang loop unroll(full)
      for (int32_t i = 0; i < cells; ++i) {
        const float weight = row_weights[i * taps + v];
#pragma clang loop unroll(full)
        for (int32_t q = 0; q < vectors; ++q) {
          sums[i * vectors + q] += weight * from[i * vectors + q];
        }
      }
    }
  }
  for (int32_t i = 0; i < cells * vectors; ++i) out[i] = sums[i];
}

/// One row of results, tile by tile.
CK_INLINE void ck_sum_row(const ck_ring *ring, int32_t row, const float *weights, int32_t vectors,
                          float *out) {
  const int32_t size = 2 * ring->radius + 1, taps = size * size, together = 4 / vectors;
  const ptrdiff_t at = (ptrdiff_t)row * ring->slice.shape.width + ring->column;
  const ck_floats *rows[ck_most_size];
  ck_floats tile[4 * ck_tile] __attribute__((aligned(64)));
  for (int32_t u = 0; u < size; ++u) rows[u] = ck_ring_row(ring, row + u - ring->radius);
  for (int32_t first = 0; first < ring->count; first += ck_tile) {
    const int32_t count = ck_smaller(ck_tile, ring->count - first);
    const float *own = weights + (at + first) * taps;
    int32_t i = 0;
    for (; i + together <= count; i += together) {
      ck_sum_taps(rows, first + i, own + i * taps, size, together, vectors, tile + i * vectors);
    }
    for (; i < count; ++i) {
      ck_sum_taps(rows, first + i, own + i * taps, size, 1, vectors, tile + i * vectors);
    }
    ck_give(ring->slice, at + first, count, tile, out);
  }
}

CK_INLINE void ck_sum_slice(ck_slice slice, const float *weights, int32_t radius, int32_t vectors,
                            ck_floats *scratch, float *out, int32_t row_begin, int32_t row_end) {
  slice.vectors = vectors;
  const int32_t width = slice.shape.width, step = ck_ring_columns(slice, radius);
  for (int32_t column = 0; column < width; column += step) {
    const ck_ring ring = {slice, radius, column, ck_smaller(step, width - column), scratch};
    ck_ring_begin(&ring, row_begin);
    for (int32_t row = row_begin; row < row_end; ++row) {
      ck_ring_take(&ring, row + radius);
      ck_sum_row(&ring, row, weights, vectors, out);
    }
  }
}

CK_KERNEL void ck_local_sum(const float *values, ck_shape shape, const float *weights,
                            int32_t radius, float *out, int32_t row_begin, int32_t row_end) {
  ck_floats scratch[ck_ring_vectors] __attribute__((aligned(64)));
  for (int32_t first = 0; first < shape.channels; first += ck_block) {
    const ck_slice slice = ck_slice_at(values, shape, first);
    if (slice.vectors == 4) {
      ck_sum_slice(slice, weights, radius, 4, scratch, out, row_begin, row_end);
    } else if (slice.vectors == 3) {
      ck_sum_slice(slice, weights, radius, 3, scratch, out, row_begin, row_end);
    } else if (slice.vectors == 2) {
      ck_sum_slice(slice, weights, radius, 2, scratch, out, row_begin, row_end);
    } else {
      ck_sum_slice(slice, weights, radius, 1, scratch, out, row_begin, row_end);
    }
  }
}
