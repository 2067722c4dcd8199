// SPDX-License-Identifier: Apache-2.0
// Weights at Winograd's points, and their gradients back from there.
#include "winograd.h"

enum { ck_taps_count = 9 };

/// Nine taps of sixteen inputs and 32 outputs, inputs side by side.
typedef float ck_weight_block[ck_taps_count][ck_panel][ck_lanes];

/// Copies a block, so that it can be read across without leaving the nearest cache.
CK_INLINE void ck_copy_weights(const ck_taps_of_weights *weights, int32_t first, int32_t inputs,
                               int32_t outputs, ck_weight_block block) {
  for (int32_t tap = 0; tap < ck_taps_count; ++tap) {
    const ptrdiff_t at = tap / 3 * weights->row + tap % 3 * weights->column;
    for (int32_t output = 0; output < outputs; ++output) {
      const float *from = weights->values + at + output * weights->output + first * weights->input;
      if (weights->input == 1) {
        ck_read_lanes(from, inputs, (ck_floats *)block[tap][output]);
        continue;
      }
      for (int32_t i = 0; i < inputs; ++i) block[tap][output][i] = from[i * weights->input];
    }
  }
}

/// Sixteen outputs' 3 × 3 weights of one input at the points.
CK_INLINE void ck_write_points(const ck_floats taps[ck_taps_count], float *to, ptrdiff_t point) {
  ck_floats half[ck_reach][ck_taps_side], line[ck_reach];
  CK_UNROLL for (int32_t x = 0; x < ck_taps_side; ++x) {
    const ck_floats column[ck_taps_side] = {taps[x], taps[3 + x], taps[6 + x]};
    ck_weight_points(column, line);
    CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) half[y][x] = line[y];
  }
  CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) {
    ck_weight_points(half[y], line);
    CK_UNROLL for (int32_t x = 0; x < ck_reach; ++x) {
      *(ck_floats *)(to + (y * ck_reach + x) * point) = line[x];
    }
  }
}

/// The taps of sixteen outputs and input `i` of a block.
CK_INLINE void ck_read_across(ck_weight_block block, int32_t first, int32_t i,
                              ck_floats taps[ck_taps_count]) {
  for (int32_t tap = 0; tap < ck_taps_count; ++tap) {
    float lanes[ck_lanes];
    CK_UNROLL for (int32_t o = 0; o < ck_lanes; ++o) lanes[o] = block[tap][first + o][i];
    taps[tap] = *(const ck_floats *)lanes;
  }
}

/// Where outputs lie side by side they are read as they are.
CK_INLINE void ck_read_along(const ck_taps_of_weights *weights, int32_t input, int32_t first,
                             int32_t outputs, ck_floats taps[ck_taps_count]) {
  const float *from = weights->values + input * weights->input + first;
  for (int32_t tap = 0; tap < ck_taps_count; ++tap) {
    const ptrdiff_t at = tap / 3 * weights->row + tap % 3 * weights->column;
    ck_read_lanes(from + at, outputs - first, &taps[tap]);
  }
}

CK_KERNEL void ck_points_of_weights(const ck_taps_of_weights *weights, int32_t inputs,
                                    int32_t outputs, const ck_matrices *out) {
  const int32_t columns = outputs > ck_lanes ? ck_panel : ck_lanes;
  const int is_along = weights->output == 1;
  ck_weight_block block = {0};
  ck_floats taps[ck_taps_count];
  for (int32_t input = 0; input < inputs; ++input) {
    const int32_t i = input % ck_lanes;
    if (!is_along && i == 0) {
      ck_copy_weights(weights, input, ck_smaller(ck_lanes, inputs - input), outputs, block);
    }
    for (int32_t first = 0; first < columns; first += ck_lanes) {
      if (is_along) {
        ck_read_along(weights, input, first, outputs, taps);
      } else {
        ck_read_across(block, first, i, taps);
      }
      ck_write_points(taps, out->values + input * out->row + first, out->point);
    }
  }
}

/// The gradients of nine taps of one output and up to sixteen inputs, `step` apart.
CK_INLINE void ck_write_gradients(const float *from, ptrdiff_t point, int32_t count, int adds,
                                  float *out, ptrdiff_t step) {
  ck_floats half[ck_taps_side][ck_reach], line[ck_reach];
  CK_UNROLL for (int32_t x = 0; x < ck_reach; ++x) {
    CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) {
      line[y] = *(const ck_floats *)(from + (y * ck_reach + x) * point);
    }
    ck_floats column[ck_taps_side];
    ck_weight_gradients(line, column);
    CK_UNROLL for (int32_t y = 0; y < ck_taps_side; ++y) half[y][x] = column[y];
  }
  CK_UNROLL for (int32_t y = 0; y < ck_taps_side; ++y) {
    ck_weight_gradients(half[y], line);
    CK_UNROLL for (int32_t x = 0; x < ck_taps_side; ++x) {
      float *to = out + (y * ck_taps_side + x) * step;
      ck_floats before = (ck_floats)(0);
      if (adds) ck_read_lanes(to, count, &before);
      const ck_floats sum = line[x] + before;
      ck_write_lanes(&sum, count, to);
    }
  }
}

CK_KERNEL void ck_weights_of_points(const ck_matrices *points, int32_t outputs, int32_t count,
                                    int adds, float *out, int32_t inputs) {
  for (int32_t output = 0; output < outputs; ++output) {
    for (int32_t at = 0; at < count; at += ck_lanes) {
      const float *from = points->values + output * points->row + at;
      float *to = out + (ptrdiff_t)output * ck_taps_count * inputs + at;
      ck_write_gradients(from, points->point, count - at, adds, to, inputs);
    }
  }
}
