// SPDX-License-Identifier: Apache-2.0
// Warping a single plane whose border is clamped, sixteen cells at a time.
//
// With one plane what is worked out for a cell serves no other, so that it stays in the first cache
// until it is read. The arithmetic is that of `ck_split`, `ck_weigh` and `ck_blend_any`, bit for bit.
#pragma once

#include "blend.h"

/// Sixteen places along one axis.
typedef struct ck_axis {
  ck_ints cell;
  ck_floats fraction;
} ck_axis;

/// `ck_split` of sixteen finite displacements, clamped.
CK_INLINE void ck_split_sixteen(const ck_floats *displacement, const ck_ints *position,
                                int32_t size, ck_axis *axis) {
  const ck_floats limit = (ck_floats)((float)size + 2), zero = 0, one = 1;
  ck_floats near = *displacement > limit ? limit : *displacement;
  near = near < -limit ? -limit : near;
  ck_ints whole = __builtin_convertvector(near, ck_ints);
  ck_floats rest = near - __builtin_convertvector(whole, ck_floats);
  const ck_ints down = rest < zero;
  whole = down ? whole - 1 : whole;
  rest = down ? rest + one : rest;
  const ck_ints up = rest >= one;
  whole = (up ? whole + 1 : whole) + *position;
  const ck_ints stays = up | (whole < 0) | (whole >= size - 1);
  axis->fraction = stays ? zero : rest;
  whole = whole < 0 ? (ck_ints)(0) : whole;
  axis->cell = whole > size - 1 ? (ck_ints)(size - 1) : whole;
}

/// Two cells that lie side by side.
typedef float ck_two __attribute__((ext_vector_type(2), aligned(4), may_alias));

/// Two vectors, one after the other; the numbers are those of its parts.
#define ck_join(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define ck_four_at(plane, at)                                                                      \
  ck_join(*(const ck_two *)((plane) + (at)[0]), *(const ck_two *)((plane) + (at)[1]), 0, 1, 2, 3)
#define ck_eight_at(plane, at)                                                                     \
  ck_join(ck_four_at(plane, at), ck_four_at(plane, (at) + 2), 0, 1, 2, 3, 4, 5, 6, 7)
#define ck_sixteen_at(plane, at)                                                                   \
  ck_join(ck_eight_at(plane, at), ck_eight_at(plane, (at) + 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,  \
          11, 12, 13, 14, 15)

/// Two cells that lie side by side, at each of sixteen offsets.
CK_INLINE void ck_read_pairs(const float *plane, const uint32_t offsets[ck_lanes],
                             ck_floats *left, ck_floats *right) {
  const ck_floats a = ck_sixteen_at(plane, offsets), b = ck_sixteen_at(plane, offsets + 8);
  *left = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  *right = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// The same where the second cell of a pair may lie beyond the plane, and is then 0.
CK_INLINE void ck_read_last_pairs(const float *plane, int32_t cells, const ck_ints *offsets,
                                  ck_floats *left, ck_floats *right) {
  for (int lane = 0; lane < ck_lanes; ++lane) {
    const int32_t place = (*offsets)[lane];
    (*left)[lane] = plane[place];
    (*right)[lane] = place + 1 < cells ? plane[place + 1] : 0;
  }
}

/// Whether all that differs is 0.
CK_INLINE int ck_is_nowhere(const ck_ints *difference) {
  return __builtin_reduce_or(*difference) == 0;
}

/// Sixteen places: the offset of the cell at the upper left of each, and how far to the right and
/// below it they lie.
typedef struct ck_sixteen {
  ck_ints upper;
  ck_floats right, below;
} ck_sixteen;

/// The four cells around each of sixteen places: `upper` are the offsets of those at the upper left;
/// gives whether they could be read so.
///
/// Motion changes little from cell to cell, so that most of sixteen places lie side by side, in up to
/// three stretches: each is read as a whole, and every lane takes its own. What a place reads a row
/// down counts nothing where nothing is between two rows.
CK_INLINE int ck_read_stretches(const float *plane, ck_edges edges, const ck_ints *upper,
                                ck_floats around[4]) {
  const ck_ints steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const ck_ints start = *upper - steps;
  const int32_t first = start[0], last = start[ck_lanes - 1];
  const ck_ints is_first = start == first, astray = ~is_first & (start ^ last);
  int32_t third = last;
  if (!ck_is_nowhere(&astray)) {
    const ck_ints others = astray != 0 ? start : (ck_ints)(last);
    const int32_t most = __builtin_reduce_max(others), least = __builtin_reduce_min(others);
    third = most > last ? most : least;
    const ck_ints left = astray != 0 ? start ^ third : (ck_ints)(0);
    if (!ck_is_nowhere(&left)) return 0;
  }
  const int32_t reach = edges.height * edges.width - edges.width - ck_lanes - 1;
  if (ck_smaller(ck_smaller(first, last), third) < 0) return 0;
  if (first > reach || last > reach || third > reach) return 0;
  const int32_t down[4] = {0, 1, edges.width, edges.width + 1};
  const ck_ints is_third = start == third;
  for (int k = 0; k < 4; ++k) {
    const float *from = plane + down[k];
    const ck_floats a = *(const ck_floats *)(from + first), b = *(const ck_floats *)(from + last);
    around[k] = is_first ? a : b;
  }
  if (third == last) return 1;
  for (int k = 0; k < 4; ++k) {
    const ck_floats c = *(const ck_floats *)(plane + down[k] + third);
    around[k] = is_third ? c : around[k];
  }
  return 1;
}

/// The four cells around each of sixteen places.
CK_INLINE void ck_read_around(const float *plane, ck_edges edges, const ck_sixteen *at,
                              ck_floats around[4]) {
  if (ck_read_stretches(plane, edges, &at->upper, around)) return;
  const ck_floats zero = 0;
  const int32_t cells = edges.height * edges.width;
  const ck_ints lower = at->upper + (at->below > zero ? (ck_ints)(edges.width) : (ck_ints)(0));
  const ck_ints last_row = at->upper >= cells - edges.width - 1, last = lower >= cells - 1;
  uint32_t places[ck_lanes];
  memcpy(places, &at->upper, sizeof places);
  if (ck_is_nowhere(&last_row)) {
    // A row down, whether or not it counts.
    ck_read_pairs(plane, places, &around[0], &around[1]);
    ck_read_pairs(plane + edges.width, places, &around[2], &around[3]);
  } else if (ck_is_nowhere(&last)) {
    ck_read_pairs(plane, places, &around[0], &around[1]);
    memcpy(places, &lower, sizeof places);
    ck_read_pairs(plane, places, &around[2], &around[3]);
  } else {
    ck_read_last_pairs(plane, cells, &at->upper, &around[0], &around[1]);
    ck_read_last_pairs(plane, cells, &lower, &around[2], &around[3]);
  }
}

/// What sixteen places read.
CK_INLINE void ck_blend_sixteen(const float *plane, ck_edges edges, const ck_sixteen *places,
                                float *out) {
#pragma clang fp contract(off)
  // -0 stands in for a cell that does not count; see `ck_blend_any`.
  const ck_floats zero = 0, one = 1, nothing = -0.0f;
  const ck_floats right = places->right, below = places->below;
  ck_floats around[4];
  ck_read_around(plane, edges, places, around);
  const ck_floats left = one - right, above = one - below;
  const ck_floats weight[4] = {left * above, right * above, left * below, right * below};
  ck_floats part[4];
  for (int k = 0; k < 4; ++k) {
    const ck_floats product = weight[k] * around[k];
    part[k] = weight[k] > zero ? product : k == 0 ? zero : nothing;
  }
  *(ck_floats *)out = ((part[0] + part[1]) + part[2]) + part[3];
}

/// The motion of sixteen cells of a row; 0 where it is unknown or not finite.
CK_INLINE void ck_read_motion(const ck_motion *motion, const float *values, const uint8_t *known,
                              ck_floats *dx, ck_floats *dy) {
  const ck_floats zero = 0, most = __FLT_MAX__;
  if (motion->column == 2 && motion->component == 1) {
    const ck_floats a = *(const ck_floats *)values, b = *(const ck_floats *)(values + ck_lanes);
    *dx = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *dy = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  } else if (motion->column == 1) {
    *dx = *(const ck_floats *)values;
    *dy = *(const ck_floats *)(values + motion->component);
  } else {
    for (int lane = 0; lane < ck_lanes; ++lane) {
      (*dx)[lane] = values[lane * motion->column];
      (*dy)[lane] = values[lane * motion->column + motion->component];
    }
  }
  ck_ints usable =
      (__builtin_elementwise_abs(*dx) <= most) & (__builtin_elementwise_abs(*dy) <= most);
  for (int lane = 0; known && lane < ck_lanes; ++lane) {
    if (known[lane] == 0) usable[lane] = 0;
  }
  *dx = usable ? *dx : zero;
  *dy = usable ? *dy : zero;
}

/// Asks for what rows below will read, wherever that is: between frames it has left the cache.
CK_INLINE void ck_fetch(const float *values, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count && i < 2 * ck_lanes; i += ck_lanes) {
    __builtin_prefetch(values + i);
  }
}

/// A row of the only plane; gives how many of its cells are made, as many sixteens as there are.
///
/// Places of several sixteens are found before the first is read: what decides how one is read is
/// then long known.
CK_INLINE int32_t ck_warp_row(const float *plane, ck_edges edges, const ck_motion *motion,
                              int32_t y, float *out) {
  enum { most = 8 };
  const ck_ints steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const float *values = motion->values + y * motion->row;
  const uint8_t *known = motion->known ? motion->known + (ptrdiff_t)y * edges.width : 0;
  const ck_ints row = (ck_ints)(y);
  const int32_t sixteens = edges.width / ck_lanes;
  ck_sixteen places[most];
  for (int32_t begin = 0; begin < sixteens; begin += most) {
    const int32_t count = ck_smaller(most, sixteens - begin);
    for (int32_t i = 0; i < count; ++i) {
      const int32_t x = (begin + i) * ck_lanes;
      const float *here = values + x * motion->column;
      ck_floats dx, dy;
      ck_fetch(plane + ((ptrdiff_t)y + 8) * edges.width + x, ck_lanes);
      ck_fetch(here + 4 * motion->row, ck_lanes * motion->column);
      ck_read_motion(motion, here, known ? known + x : 0, &dx, &dy);
      const ck_ints column = x + steps;
      ck_axis across, along;
      ck_split_sixteen(&dx, &column, edges.width, &across);
      ck_split_sixteen(&dy, &row, edges.height, &along);
      places[i] = (ck_sixteen){along.cell * edges.width + across.cell, across.fraction,
                               along.fraction};
    }
    for (int32_t i = 0; i < count; ++i) {
      ck_blend_sixteen(plane, edges, &places[i], out + (begin + i) * ck_lanes);
    }
  }
  return sixteens * ck_lanes;
}

/// A whole row of the only plane.
CK_INLINE void ck_warp_plane_row(const float *plane, ck_edges edges, const ck_motion *motion,
                                 int32_t y, float *out) {
  const int32_t x = ck_warp_row(plane, edges, motion, y, out), rest = edges.width - x;
  if (rest == 0) return;
  ck_places places;
  ck_taps taps;
  ck_find_in_row(motion, edges, x, y, rest, 0, &places);
  ck_weigh(&places, edges, rest, &taps);
  ck_blend_any(plane, &taps, 0, rest, out + x);
}
