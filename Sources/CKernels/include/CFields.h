// SPDX-License-Identifier: Apache-2.0
// Fields of motion: put together, brought to other grids, checked, filled.
//
// Every function runs on the calling thread over a range of rows of what it makes, allocates nothing and
// cannot fail; ranges that do not overlap may run at the same time, and how the work is cut never
// changes a bit of the result. Nothing outside the described arrays is read or written, whatever the
// motion says.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
#define CK_FIELD_NOEXCEPT noexcept
extern "C" {
#else
#define CK_FIELD_NOEXCEPT
#endif

/// A field: height × width × 2 displacements (dx, dy), in cells, and height × width marks, 0 where they
/// mean nothing; no marks at all: everything is known. Width and height are at least 1 and at most
/// 2^24, a field below 2^30 cells.
typedef struct ck_field {
  const float *displacements;
  const uint8_t *known;
  int32_t width, height;
} ck_field;

/// Where a field is made: displacements and marks, 1 where they are known, 0 where not; these are then 0.
typedef struct ck_field_rows {
  float *displacements;
  uint8_t *known;
  int32_t begin, end;
} ck_field_rows;

/// out(p) = first(p) + next(p + first(p)), both on one grid, `next` read bilinearly or, `rounded`, at the
/// nearest cell, halves away from zero; beyond the grid at the nearest cell of its border.
///
/// Known where `first` and all that is read with a weight are; what is not finite is unknown.
/// All of these give how many of the cells made are unknown.
int32_t ck_follow_field(const ck_field *first, const ck_field *next, int rounded,
                        ck_field_rows out) CK_FIELD_NOEXCEPT;

/// The field on a grid of `width` × `height` that covers the same frame: bilinear between the centres of
/// cells, values scaled by the ratio of the sizes.
int32_t ck_resize_field(const ck_field *field, int32_t width, int32_t height,
                        ck_field_rows out) CK_FIELD_NOEXCEPT;

/// The field where `back`, on the same grid, leads back within the grid: |f + b|² at most
/// `relative` · (|f|² + |b|²) + `absolute`, b read bilinearly at p + f(p).
int32_t ck_check_field(const ck_field *field, const ck_field *back, float relative, float absolute,
                       ck_field_rows out) CK_FIELD_NOEXCEPT;

/// Means of what is known in blocks of 2×2 cells, values as they are, on a grid of half the size,
/// rounded up.
int32_t ck_halve_field(const ck_field *field, ck_field_rows out) CK_FIELD_NOEXCEPT;

/// The field, its unknown cells those of `coarse`, on a grid of half the size, rounded up.
int32_t ck_fill_field(const ck_field *field, const ck_field *coarse,
                      ck_field_rows out) CK_FIELD_NOEXCEPT;

#ifdef __cplusplus
}
#endif
