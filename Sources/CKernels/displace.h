// SPDX-License-Identifier: Apache-2.0
// Where one displaced neighbourhood lies and how its cells are weighed.
#pragma once

#include "CLocal.h"
#include "exchange.h"

enum {
  /// A place between two cells takes one tap more than its kernel has.
  ck_most_span = 2 * ck_most_radius + 2,
  ck_most_taps = ck_most_span * ck_most_span
};

/// One axis of one cell: its kernel, and the whole cell and fraction at which the centre tap reads.
typedef struct ck_axis {
  const float *kernel;
  int32_t size, cell, length;
  float fraction;
  ck_border border;
} ck_axis;

/// `ck_split`, but no nearer to the image than the farthest tap demands, and never clamped to it.
CK_INLINE void ck_split_far(float displacement, int32_t position, ck_axis *axis) {
  const int32_t reach = axis->size / 2 + 2;
  const float limit = (float)(axis->length + reach);
  float near = displacement > limit ? limit : displacement;
  near = near < -limit ? -limit : near;
  int32_t whole = (int32_t)near;
  float rest = near - (float)whole;
  const int32_t down = rest < 0;
  whole -= down;
  rest += (float)down;
  const int32_t up = rest >= 1;  // 1 minus next to nothing rounds to 1
  whole += up + position;
  whole = whole < -reach ? -reach : whole;
  axis->cell = whole > axis->length + reach - 1 ? axis->length + reach - 1 : whole;
  axis->fraction = up ? 0 : rest;
}

typedef struct ck_cell_axes {
  ck_axis vertical, horizontal;
  /// Whether the motion of this cell means something.
  int usable;
} ck_cell_axes;

CK_INLINE ck_cell_axes ck_axes_at(const ck_displaced *given, ck_shape shape, int32_t x,
                                  int32_t y) {
  const ck_motion *motion = &given->motion;
  const ptrdiff_t cell = (ptrdiff_t)y * shape.width + x, at = cell * given->size;
  const float *values = motion->values + x * motion->column + y * motion->row;
  const float dx = values[0], dy = values[motion->component];
  const int known = !motion->known || motion->known[cell];
  ck_cell_axes axes = {{given->vertical + at, given->size, 0, shape.height, 0, given->border},
                       {given->horizontal + at, given->size, 0, shape.width, 0, given->border},
                       known & ck_is_finite(dx) & ck_is_finite(dy)};
  ck_split_far(axes.usable ? dy : 0, y, &axes.vertical);
  ck_split_far(axes.usable ? dx : 0, x, &axes.horizontal);
  return axes;
}

/// How many cells a kernel reads along its axis, inside or not.
CK_INLINE int32_t ck_span(const ck_axis *axis) { return axis->size + (axis->fraction > 0); }

/// The weight of the j'th of them: what the two taps around it give it.
CK_INLINE float ck_span_weight(const ck_axis *axis, int32_t j) {
  if (axis->fraction == 0) return j < axis->size ? axis->kernel[j] : 0;
  const float near = j < axis->size ? axis->kernel[j] * (1 - axis->fraction) : 0;
  return near + (j > 0 ? axis->kernel[j - 1] * axis->fraction : 0);
}

CK_INLINE int32_t ck_within(int32_t value, int32_t length) {
  value = value < 0 ? 0 : value;
  return value > length - 1 ? length - 1 : value;
}

/// The cells inside that `span` cells of an axis read, and where each of these is among them.
typedef struct ck_part {
  int32_t first, count;
  /// -1: nowhere, it reads 0.
  int32_t place[ck_most_span];
} ck_part;

CK_INLINE void ck_find_part(const ck_axis *axis, int32_t span, ck_part *part) {
  const int32_t start = axis->cell - axis->size / 2;
  part->first = ck_within(start, axis->length);
  part->count = ck_within(start + span - 1, axis->length) - part->first + 1;
  for (int32_t j = 0; j < span; ++j) {
    const int32_t near = ck_within(start + j, axis->length);
    const int counts = near == start + j || axis->border == ck_border_clamp;
    part->place[j] = counts ? near - part->first : -1;
  }
}

/// What each cell inside weighs along one axis; taps clamped to one cell are added up there.
CK_INLINE void ck_weigh_part(const ck_axis *axis, ck_part *part, float *weights) {
  const int32_t span = ck_span(axis);
  ck_find_part(axis, span, part);
  for (int32_t i = 0; i < part->count; ++i) weights[i] = 0;
  for (int32_t j = 0; j < span; ++j) {
    if (part->place[j] >= 0) weights[part->place[j]] += ck_span_weight(axis, j);
  }
}

/// The cells that one cell's result is a sum of, in row-major order; those of weight 0 are left out.
typedef struct ck_sources {
  int32_t count;
  float weight[ck_most_taps];
  ptrdiff_t cell[ck_most_taps];
} ck_sources;

CK_INLINE void ck_find_sources(const ck_cell_axes *axes, ck_sources *sources) {
  float down[ck_most_span], right[ck_most_span];
  ck_part rows, columns;
  ck_weigh_part(&axes->vertical, &rows, down);
  ck_weigh_part(&axes->horizontal, &columns, right);
  const ptrdiff_t width = axes->horizontal.length;
  int32_t count = 0;
  for (int32_t u = 0; u < rows.count; ++u) {
    for (int32_t v = 0; v < columns.count; ++v) {
      const float weight = down[u] * right[v];
      sources->weight[count] = weight;
      sources->cell[count] = (rows.first + u) * width + columns.first + v;
      count += weight != 0;
    }
  }
  sources->count = count;
}
