// SPDX-License-Identifier: Apache-2.0
// Warping a single plane whose border is clamped: sixteen cells at a time, from motion to value in
// registers.
//
// With one plane what is worked out for a chunk serves no other, so keeping it costs more than the
// blend. The arithmetic is that of `ck_split`, `ck_weigh` and `ck_blend_any`, bit for bit.
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

/// The four cells around each of sixteen places: `upper` and `lower` are the offsets of the two to
/// the left.
///
/// `alike` says whether the sixteen before lay side by side, and then whether these do: once some
/// do not, the others of a row are not asked, as a guess that often fails costs more than it saves.
CK_INLINE void ck_read_around(const float *plane, ck_edges edges, const ck_ints *upper,
                              const ck_ints *lower, int *alike, ck_floats around[4]) {
  const ck_ints steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const int32_t cells = edges.height * edges.width;
  if (*alike) {
    const int32_t above = (*upper)[0], below = (*lower)[0];
    const ck_ints astray = (*upper ^ (above + steps)) | (*lower ^ (below + steps));
    *alike = ck_is_nowhere(&astray) && below + ck_lanes < cells;
    if (*alike) {
      around[0] = *(const ck_floats *)(plane + above);
      around[1] = *(const ck_floats *)(plane + above + 1);
      around[2] = *(const ck_floats *)(plane + below);
      around[3] = *(const ck_floats *)(plane + below + 1);
      return;
    }
  }
  const ck_ints last_row = *upper >= cells - edges.width - 1, last = *lower >= cells - 1;
  uint32_t places[ck_lanes];
  memcpy(places, upper, sizeof places);
  if (ck_is_nowhere(&last_row)) {
    // A row down, whether or not it counts.
    ck_read_pairs(plane, places, &around[0], &around[1]);
    ck_read_pairs(plane + edges.width, places, &around[2], &around[3]);
  } else if (ck_is_nowhere(&last)) {
    ck_read_pairs(plane, places, &around[0], &around[1]);
    memcpy(places, lower, sizeof places);
    ck_read_pairs(plane, places, &around[2], &around[3]);
  } else {
    ck_read_last_pairs(plane, cells, upper, &around[0], &around[1]);
    ck_read_last_pairs(plane, cells, lower, &around[2], &around[3]);
  }
}

/// What sixteen places read.
CK_INLINE void ck_blend_sixteen(const float *plane, ck_edges edges, const ck_axis *across,
                                const ck_axis *along, int *alike, float *out) {
#pragma clang fp contract(off)
  // -0 stands in for a cell that does not count; see `ck_blend_any`.
  const ck_floats zero = 0, one = 1, nothing = -0.0f;
  const ck_floats right = across->fraction, below = along->fraction;
  const ck_ints upper = along->cell * edges.width + across->cell;
  const ck_ints lower = upper + (below > zero ? (ck_ints)(edges.width) : (ck_ints)(0));
  ck_floats around[4];
  ck_read_around(plane, edges, &upper, &lower, alike, around);
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
CK_INLINE int32_t ck_warp_row(const float *plane, ck_edges edges, const ck_motion *motion,
                              int32_t y, float *out) {
  const ck_ints steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const float *values = motion->values + y * motion->row;
  const uint8_t *known = motion->known ? motion->known + (ptrdiff_t)y * edges.width : 0;
  const ck_ints row = (ck_ints)(y);
  int32_t x = 0;
  int alike = 1;
  for (; x + ck_lanes <= edges.width; x += ck_lanes) {
    ck_floats dx, dy;
    const float *here = values + x * motion->column;
    ck_fetch(plane + ((ptrdiff_t)y + 8) * edges.width + x, ck_lanes);
    ck_fetch(here + 4 * motion->row, ck_lanes * motion->column);
    ck_read_motion(motion, here, known ? known + x : 0, &dx, &dy);
    const ck_ints column = x + steps;
    ck_axis across, along;
    ck_split_sixteen(&dx, &column, edges.width, &across);
    ck_split_sixteen(&dy, &row, edges.height, &along);
    ck_blend_sixteen(plane, edges, &across, &along, &alike, out + x);
  }
  return x;
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
