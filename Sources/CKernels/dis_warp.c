// SPDX-License-Identifier: Apache-2.0
// A plane warped along motion that is never written down at its full size: a row is enlarged,
// stays in the cache, and is read from there.
#include "dis_rows.h"
#include "plane.h"

/// Floats of memory before the enlarged row begins: two rows of the motion with their margins.
CK_INLINE ptrdiff_t ck_dis_margins(int32_t flow_width) { return 2 * ((ptrdiff_t)flow_width + 16); }

/// Floats of one component of an enlarged row, whole vectors.
CK_INLINE ptrdiff_t ck_dis_row(int32_t flow_width, int32_t shift, int32_t width) {
  const ptrdiff_t enlarged = (ptrdiff_t)flow_width << shift;
  return (enlarged > width ? enlarged : width) + 2 * ck_lanes;
}

ptrdiff_t ck_dis_warp_memory(int32_t flow_width, int32_t shift, int32_t width) {
  return ck_dis_margins(flow_width) + 2 * ck_dis_row(flow_width, shift, width);
}

CK_KERNEL void ck_dis_warp(ck_dis_flow flow, int32_t shift, const float *plane, int32_t width,
                           int32_t height, float *memory, float *out, int32_t row_begin,
                           int32_t row_end) {
  const ck_edges edges = {height, width, ck_border_clamp};
  const ptrdiff_t row = ck_dis_row(flow.width, shift, width);
  float *dx = memory + ck_dis_margins(flow.width), *dy = dx + row;
  const ck_motion motion = {dx, 1, 0, row, 0};
  for (int32_t y = row_begin; y < row_end; ++y) {
    dis_enlarge_row(flow, shift, width, y, memory, dx, dy);
    ck_warp_plane_row(plane, edges, &motion, y, out + (ptrdiff_t)y * width);
  }
}
