// SPDX-License-Identifier: Apache-2.0
// The gradients of spatially displaced convolution to its motion and its kernels.
//
// With D(u, v) the gradient times the features of the cell that tap (u, v) reads, k + 1 cells along
// each axis, everything is a sum over D: along one axis weighed, along the other as it is.
#include "displace.h"

/// Σ gradient · features over the channels, for four cells.
CK_INLINE void ck_multiply_four(const float *gradient, const float *const from[4],
                                int32_t channels, float products[4]) {
  ck_floats sums[4] = {0, 0, 0, 0};
  int32_t first = 0;
  for (; first + ck_lanes <= channels; first += ck_lanes) {
    const ck_floats own = *(const ck_floats *)(gradient + first);
#pragma clang loop unroll(full)
    for (int32_t i = 0; i < 4; ++i) sums[i] += own * *(const ck_floats *)(from[i] + first);
  }
  for (int32_t i = 0; i < 4; ++i) {
    products[i] = ck_sum(&sums[i]);
    for (int32_t c = first; c < channels; ++c) products[i] += gradient[c] * from[i][c];
  }
}

/// The products with all cells of a part of the image, row-major.
CK_INLINE void ck_multiply_part(const float *gradient, const float *features, ck_shape shape,
                                const ck_part *rows, const ck_part *columns, float *products) {
  const int32_t count = rows->count * columns->count;
  for (int32_t t = 0; t < count; t += 4) {
    const float *from[4];
    float four[4];
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t one = ck_smaller(t + i, count - 1);
      const ptrdiff_t row = rows->first + one / columns->count;
      const ptrdiff_t column = columns->first + one % columns->count;
      from[i] = features + (row * shape.width + column) * shape.channels;
    }
    ck_multiply_four(gradient, from, shape.channels, four);
    for (int32_t i = 0; i < ck_smaller(4, count - t); ++i) products[t + i] = four[i];
  }
}

/// Along both axes, Σ over the other axis of its weights times D.
CK_INLINE void ck_project(const ck_cell_axes *axes, const ck_part *rows, const ck_part *columns,
                          const float *products, float *down, float *right) {
  const int32_t span = axes->vertical.size + 1;
  for (int32_t j = 0; j < span; ++j) down[j] = right[j] = 0;
  for (int32_t u = 0; u < span; ++u) {
    const float own = ck_span_weight(&axes->vertical, u);
    for (int32_t v = 0; v < span; ++v) {
      if (rows->place[u] < 0 || columns->place[v] < 0) continue;
      const float product = products[rows->place[u] * columns->count + columns->place[v]];
      down[u] += ck_span_weight(&axes->horizontal, v) * product;
      right[v] += own * product;
    }
  }
}

/// The gradient to one kernel, and to the place along its axis, from its projection.
CK_INLINE float ck_axis_gradient(const ck_axis *axis, const float *projected, float *kernel) {
  const float fraction = axis->fraction;
  float along = 0;
  for (int32_t j = 0; j < axis->size; ++j) {
    const float here = projected[j], next = projected[j + 1];
    kernel[j] = fraction > 0 ? here * (1 - fraction) + next * fraction : here;
    along += axis->kernel[j] * (next - here);
  }
  return along;
}

CK_KERNEL void ck_displace_taps_gradient(const float *gradient, const float *features,
                                         ck_shape shape, const ck_displaced *given,
                                         float *motion_gradient, float *vertical_gradient,
                                         float *horizontal_gradient, int32_t row_begin,
                                         int32_t row_end) {
  const ptrdiff_t cells = (ptrdiff_t)shape.height * shape.width, end = row_end * shape.width;
  float products[ck_most_taps], down[ck_most_span], right[ck_most_span];
  ck_part rows, columns;
  for (ptrdiff_t cell = (ptrdiff_t)row_begin * shape.width; cell < end; ++cell) {
    const ck_cell_axes axes = ck_axes_at(given, shape, (int32_t)(cell % shape.width),
                                         (int32_t)(cell / shape.width));
    ck_find_part(&axes.vertical, given->size + 1, &rows);
    ck_find_part(&axes.horizontal, given->size + 1, &columns);
    ck_multiply_part(gradient + cell * shape.channels, features, shape, &rows, &columns, products);
    ck_project(&axes, &rows, &columns, products, down, right);
    const ptrdiff_t at = cell * given->size;
    const float dy = ck_axis_gradient(&axes.vertical, down, vertical_gradient + at);
    const float dx = ck_axis_gradient(&axes.horizontal, right, horizontal_gradient + at);
    motion_gradient[cell] = axes.usable ? dx : 0;
    motion_gradient[cells + cell] = axes.usable ? dy : 0;
  }
}
