// SPDX-License-Identifier: Apache-2.0
// One row of an enlarged motion, dx and dy apart; the numbers are those of `ck_dis_enlarge`.
#pragma once

#include "dis.h"

/// One row between two of the motion's, `factor` times as long.
CK_DIS_INLINE void dis_between_rows(const float *above, const float *below, float part,
                                    float factor, int32_t count, float *restrict out) {
  for (int32_t x = 0; x < count; ++x) out[x] = (above[x] + part * (below[x] - above[x])) * factor;
}

/// Where row `y` of the enlarged motion lies: the rows around it, and how far below the upper one.
CK_DIS_INLINE void dis_find_rows(ck_dis_flow flow, int32_t shift, int32_t y, ptrdiff_t *above,
                                 ptrdiff_t *below, float *part) {
  const float place = ((float)y + 0.5f) / (float)(1 << shift) - 0.5f;
  const int32_t row = dis_split(place, 0, (float)(flow.height - 1), part);
  *above = row * flow.stride;
  *below = dis_least(row + 1, flow.height - 1) * flow.stride;
}

/// Four values for each of `count`, whose neighbours can be read; up to sixteen are written past
/// the last, and up to eight read.
CK_DIS_INLINE void dis_spread_fourfold(const float *values, int32_t count, float *restrict out) {
  const dis_16 part = {0.375f, 0.125f, 0.125f, 0.375f, 0.375f, 0.125f, 0.125f, 0.375f,
                       0.375f, 0.125f, 0.125f, 0.375f, 0.375f, 0.125f, 0.125f, 0.375f};
  for (int32_t x = 0; x < count; x += 4) {
    const dis_8 near = *(const dis_8 *)(values + x - 1);
    const dis_16 own =
        __builtin_shufflevector(near, near, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4);
    const dis_16 next =
        __builtin_shufflevector(near, near, 0, 0, 2, 2, 1, 1, 3, 3, 2, 2, 4, 4, 3, 3, 5, 5);
    dis_store(out + 4 * x, own + part * (next - own));
  }
}

/// `factor` values for each of `count`.
CK_DIS_INLINE void dis_spread_evenly(const float *values, int32_t count, int32_t factor,
                                     float *restrict out) {
  for (int32_t x = 0; x < count; ++x) {
    for (int32_t i = 0; i < factor; ++i) {
      const float offset = ((float)i + 0.5f) / (float)factor - 0.5f;
      const float next = values[offset < 0 ? x - 1 : x + 1];
      out[x * factor + i] = values[x] + __builtin_fabsf(offset) * (next - values[x]);
    }
  }
}

/// Row `y` of one component; `memory` has room for a row of the motion and sixteen values more.
CK_DIS_INLINE void dis_enlarge_plane_row(const float *above, const float *below, float part,
                                         int32_t count, int32_t shift, int32_t width,
                                         float *memory, float *restrict out) {
  float *row = memory + 1;
  const int32_t factor = 1 << shift;
  dis_between_rows(above, below, part, (float)factor, count, row);
  row[-1] = row[0];
  for (int32_t x = 0; x < 8; ++x) row[count + x] = row[count - 1];
  if (shift == 2) {
    dis_spread_fourfold(row, count, out);
  } else {
    dis_spread_evenly(row, count, factor, out);
  }
  for (int32_t x = count * factor; x < width; ++x) out[x] = out[x - 1];
}

CK_DIS_INLINE void dis_enlarge_row(ck_dis_flow flow, int32_t shift, int32_t width, int32_t y,
                                   float *memory, float *restrict dx, float *restrict dy) {
  ptrdiff_t above, below;
  float part;
  dis_find_rows(flow, shift, y, &above, &below, &part);
  dis_enlarge_plane_row(flow.dx + above, flow.dx + below, part, flow.width, shift, width, memory,
                        dx);
  dis_enlarge_plane_row(flow.dy + above, flow.dy + below, part, flow.width, shift, width,
                        memory + flow.width + 16, dy);
}
